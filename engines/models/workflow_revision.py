"""Revisions of a bot's workflows: data beside the bot's source, which no revision ever changes."""

from typing import Any, Self

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from engines.domain.states import RevisionState
from engines.models.cycle import Cycle, choices
from engines.models.engine import Engine


class WorkflowRevisionQuerySet(models.QuerySet["WorkflowRevision"]):
    """Reads of revisions."""

    def active(self, engine_id: int) -> Self:
        """Keep the revisions that the engine's workflows run today."""
        return self.filter(engine=engine_id, state=RevisionState.ACTIVE)


class WorkflowRevision(models.Model):
    """One immutable sequence of steps. Only its state and its benchmark are written after it was made.

    The database itself refuses to change anything else (`engines/migrations`).
    """

    engine = models.ForeignKey(Engine, on_delete=models.CASCADE, related_name="workflow_revisions")
    workflow = models.CharField(max_length=63, help_text="Name in the manifest.")
    parent = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="children")
    steps = models.JSONField(help_text="`module:function`, in order.")
    input = models.CharField(max_length=1024, blank=True, help_text="JSON file that the first step gets.")
    inserted_step = models.CharField(max_length=512, blank=True, help_text="`path::callable`; empty: root.")
    module_path = models.CharField(max_length=1024, blank=True)
    module_hash = models.CharField(max_length=64, blank=True, help_text="SHA-256 of the module's file.")
    position = models.PositiveSmallIntegerField(null=True, help_text="Where the step was put in, from 0.")
    commit = models.CharField(max_length=40, blank=True)
    evidence = models.JSONField(default=dict, help_text="Each precondition with what was seen.")
    match_score = models.FloatField(null=True, help_text="0 to 1.")
    cycle = models.ForeignKey(Cycle, null=True, on_delete=models.SET_NULL, related_name="revisions")
    created_label = models.CharField(max_length=150, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    state = models.CharField(max_length=10, choices=choices(RevisionState))
    benchmark = models.JSONField(null=True, help_text="Against its parent, same presets and seeds.")
    decided_label = models.CharField(max_length=150, blank=True)
    decided_at = models.DateTimeField(null=True)

    objects = WorkflowRevisionQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["engine", "workflow"],
                condition=Q(state=RevisionState.ACTIVE),
                name="one_active_revision",
            ),
            models.UniqueConstraint(
                fields=["engine", "workflow", "parent", "module_path", "module_hash"],
                condition=~Q(state=RevisionState.REVERTED) & Q(parent__isnull=False),
                name="one_revision_per_insertion",
            ),
        ]
        indexes = [
            models.Index(fields=["engine", "-id"], name="revision_engine_id"),
            models.Index(fields=["engine", "workflow", "-id"], name="revision_workflow_id"),
            models.Index(fields=["engine", "state", "-id"], name="revision_state_id"),
        ]

    def __str__(self) -> str:
        return f"{self.engine_id}/{self.workflow}@{self.pk}"

    def as_data(self) -> dict[str, Any]:
        """Return what it consists of, as plain JSON."""
        columns = ("workflow", "steps", "inserted_step", "module_path", "module_hash", "position", "evidence")
        return {"id": self.pk, "parent": self.parent_id, **{name: getattr(self, name) for name in columns}}
