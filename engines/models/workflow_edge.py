"""How the workflows of a bot hang together, as measured: the rows of `WorkflowGraph`."""

from typing import Any

from django.db import models

from engines.models.engine import Engine


class WorkflowEdge(models.Model):
    """A change of one workflow is felt in another. Null weights were not measured."""

    engine = models.ForeignKey(Engine, on_delete=models.CASCADE, related_name="workflow_edges")
    source = models.CharField(max_length=63, help_text="Workflow that changes.")
    target = models.CharField(max_length=63, help_text="Workflow that feels it.")
    resource = models.FloatField(null=True, help_text="Share of the target's modules that the source has.")
    data = models.FloatField(
        null=True, help_text="Share of the target's input keys that the source hands on."
    )
    logical = models.FloatField(null=True, help_text="Correlation of their ROI, shrunken; -1 to 1.")
    detail = models.JSONField(default=dict, help_text="What was seen of each kind.")

    class Meta:
        ordering = ["engine", "source", "target"]
        constraints = [
            models.UniqueConstraint(fields=["engine", "source", "target"], name="one_edge_per_pair")
        ]

    def __str__(self) -> str:
        return f"{self.engine_id}: {self.source} → {self.target}"

    @property
    def weights(self) -> dict[str, float]:
        """The measured weights by kind."""
        kinds: dict[str, Any] = {kind: getattr(self, kind) for kind in ("resource", "data", "logical")}
        return {kind: weight for kind, weight in kinds.items() if weight is not None}


class WorkflowGraphState(models.Model):
    """What an engine's graph was measured from, and whether something happened since."""

    engine = models.OneToOneField(Engine, on_delete=models.CASCADE, related_name="graph_state")
    commit = models.CharField(max_length=40, blank=True, help_text="Commit that was read.")
    nodes = models.JSONField(default=dict, help_text="Workflow → what is known of it.")
    refused = models.JSONField(default=list, help_text="Edges left out since they would close a cycle.")
    error = models.CharField(max_length=500, blank=True, help_text="Why it could not be measured.")
    marks = models.PositiveBigIntegerField(default=0, help_text="How often something happened.")
    due = models.BooleanField(default=True, help_text="Something happened since, so it is measured anew.")
    at = models.DateTimeField(null=True, help_text="When it was measured; null: not yet.")

    class Meta:
        indexes = [models.Index(fields=["engine"], condition=models.Q(due=True), name="graph_due")]

    def __str__(self) -> str:
        return f"graph of {self.engine_id}"
