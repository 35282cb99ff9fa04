"""How a workflow bore hard conditions: one run through all temporal stages."""

from django.db import models
from django.db.models.functions import Now

from engines.models.cycle import Cycle
from engines.models.engine import Engine
from engines.models.workflow_revision import WorkflowRevision


class WorkflowStages(models.Model):
    """One set of runs: every stage, same input and seeds. A set that was not finished leaves no row."""

    engine = models.ForeignKey(Engine, on_delete=models.CASCADE, related_name="stage_sets")
    workflow = models.CharField(max_length=63)
    revision = models.ForeignKey(
        WorkflowRevision, null=True, on_delete=models.CASCADE, related_name="stage_sets"
    )
    cycle = models.ForeignKey(Cycle, null=True, on_delete=models.SET_NULL, related_name="stage_sets")
    commit = models.CharField(max_length=40)
    seed = models.BigIntegerField()
    repeats = models.PositiveSmallIntegerField()
    stages = models.JSONField(help_text="Stage → runs, successes, seconds, entropy, what the preset did.")
    roi = models.FloatField(null=True, help_text="What a run is worth in the normal stage.")
    degradation = models.FloatField(
        null=True, help_text="Share of the normal throughput that is lost, 0 to 1."
    )
    resilience = models.FloatField(null=True, help_text="Share of the hard stages' runs that succeeded.")
    entropy = models.FloatField(null=True, help_text="Of the calls in the normal stage, bits.")
    cpu_seconds = models.FloatField(null=True, help_text="Of all its runs.")
    requested_label = models.CharField(max_length=150, blank=True)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["engine", "workflow", "-id"], name="stages_workflow_id"),
            models.Index(fields=["revision", "-id"], name="stages_revision_id"),
        ]

    def __str__(self) -> str:
        return f"stages of {self.engine_id}/{self.workflow} #{self.pk}"
