"""Counts that only grow, kept in the transaction that makes them true."""

from django.db import models

from orphans.models.words import SUBJECT_CHARS


class OrphanTally(models.Model):
    """How often something happened to a subject's modules. Prometheus reads this, not the history."""

    subject = models.CharField(max_length=SUBJECT_CHARS)
    name = models.CharField(max_length=40)
    count = models.BigIntegerField(default=0)

    class Meta:
        ordering = ["subject", "name"]
        constraints = [models.UniqueConstraint(fields=["subject", "name"], name="one_tally_per_name")]

    def __str__(self) -> str:
        return f"{self.subject} {self.name}={self.count}"
