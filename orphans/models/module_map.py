"""The module map: what was taken in, and why."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from orphans.models.self_tests import ModuleRun
from orphans.models.words import PATH_CHARS, SUBJECT_CHARS


class ModuleMapEntry(models.Model):
    """One module that belongs to the subject's working set. An entry that was taken out stays as history."""

    subject = models.CharField(max_length=SUBJECT_CHARS)
    path = models.CharField(max_length=PATH_CHARS)
    group = models.PositiveIntegerField(help_text="Modules that were taken in together share a number.")
    content_hash = models.CharField(max_length=64, blank=True)
    provenance = models.JSONField(default=dict, help_text="What took it in: source, commit, classification.")
    run = models.ForeignKey(ModuleRun, null=True, on_delete=models.SET_NULL, related_name="+")
    added_at = models.DateTimeField(db_default=Now())
    added_label = models.CharField(max_length=150, blank=True)
    removed_at = models.DateTimeField(null=True)
    removed_label = models.CharField(max_length=150, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["subject", "path"], condition=Q(removed_at=None), name="one_map_entry_per_module"
            )
        ]
        indexes = [models.Index(fields=["subject", "-id"], name="map_subject_id")]

    def __str__(self) -> str:
        return f"{self.subject}:{self.path} -> {self.group}"
