"""Counts of ended cycles, kept up with each end: monitoring reads these few rows, not a million cycles."""

from django.db import models

from engines.domain.states import TERMINAL
from engines.models.cycle import choices
from engines.models.engine import Engine


class CycleTally(models.Model):
    """How many cycles of an engine ended in one state after about so long. It never falls."""

    engine = models.ForeignKey(Engine, on_delete=models.CASCADE, related_name="tallies")
    state = models.CharField(max_length=12, choices=choices(sorted(TERMINAL)))
    bucket = models.SmallIntegerField(help_text="Index of the duration's upper bound; -1: never started.")
    count = models.PositiveBigIntegerField()
    seconds = models.FloatField(help_text="Sum of the durations.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["engine", "state", "bucket"], name="one_tally_per_engine_state_bucket"
            )
        ]

    def __str__(self) -> str:
        return f"{self.engine_id} {self.state} {self.bucket}: {self.count}"
