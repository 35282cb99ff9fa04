"""Versions of a bot's model: what is deployed, what could be."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from engines.domain.states import VersionState
from engines.models.cycle import Cycle, choices
from engines.models.engine import Engine


class ModelVersion(models.Model):
    """One trained model. Its bytes lie in the artifact store under their digest and are never loaded here."""

    engine = models.ForeignKey(Engine, on_delete=models.CASCADE, related_name="versions")
    cycle = models.ForeignKey(Cycle, null=True, on_delete=models.SET_NULL, related_name="versions")
    state = models.CharField(max_length=10, choices=choices(VersionState))
    sha256 = models.CharField(
        max_length=64, blank=True, help_text="Digest of the artifact; empty: none kept."
    )
    size = models.PositiveBigIntegerField(default=0, help_text="Bytes of the artifact.")
    params = models.JSONField(default=dict)
    metrics = models.JSONField(default=dict)
    commit = models.CharField(max_length=40, blank=True, help_text="Commit of the bot it was trained from.")
    seed = models.PositiveIntegerField(default=0)
    roi_gain = models.FloatField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["engine"], condition=Q(state=VersionState.CHAMPION), name="one_champion_per_engine"
            ),
            models.UniqueConstraint(
                fields=["cycle"], condition=Q(state=VersionState.CANDIDATE), name="one_candidate_per_cycle"
            ),
        ]
        indexes = [models.Index(fields=["engine", "-id"], name="version_engine_id")]

    def __str__(self) -> str:
        return f"{self.engine_id}@{self.sha256[:12] or self.pk}"
