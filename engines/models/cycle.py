"""Cycles and their steps: the durable state machine that Celery only moves."""

from typing import TYPE_CHECKING, Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from engines.domain.states import TERMINAL, Control, CycleState, StepState, Trigger, sources
from engines.models.engine import Engine
from engines.models.search import words_index

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser, User


def choices(words: Any) -> list[tuple[str, str]]:
    """Return the choices of an enumeration of words."""
    return [(word.value, word.value.replace("_", " ")) for word in words if word.value]


class CycleQuerySet(models.QuerySet["Cycle"]):
    """Reads of cycles, and the one way to change a state."""

    def visible_to(self, user: "User | AnonymousUser") -> Self:
        """Keep the cycles of engines that the user may see."""
        if user.is_superuser:
            return self
        return self.filter(engine__in=Engine.objects.visible_to(user))

    def move(self, pk: int, to: CycleState, **fields: Any) -> bool:
        """Move one cycle if its state still allows it; a loser of a race gets False and writes nothing."""
        return self.filter(pk=pk, state__in=sources(to)).update(state=to, **fields) == 1

    def unfinished(self) -> Self:
        """Keep what is not at an end."""
        return self.exclude(state__in=TERMINAL)

    def stale(self) -> Self:
        """Keep the running cycles whose lease ran out by the database's clock."""
        return self.filter(state=CycleState.RUNNING, lease_until__lt=Now())


class Cycle(models.Model):
    """One pass of an engine. The row is the truth; messages carry its id only."""

    engine = models.ForeignKey(Engine, on_delete=models.CASCADE, related_name="cycles")
    state = models.CharField(max_length=12, choices=choices(CycleState), default=CycleState.QUEUED)
    trigger = models.CharField(max_length=8, choices=choices(Trigger))
    energy = models.FloatField(help_text="Energy asked for; 1.0 = the engine's base budget.")
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    requested_label = models.CharField(max_length=150, blank=True)
    slot = models.BigIntegerField(null=True, help_text="Slot of the schedule, one cycle each.")
    seed = models.PositiveIntegerField(default=0)

    created_at = models.DateTimeField(db_default=Now())
    run_after = models.DateTimeField(
        db_default=Now(), help_text="Not before; moved on by a retry's back-off."
    )
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    duration = models.FloatField(null=True, help_text="Seconds from first start to end.")
    deadline_at = models.DateTimeField(null=True, help_text="End of the whole cycle, every retry included.")

    control = models.CharField(max_length=6, choices=choices(Control), default=Control.NONE, blank=True)
    lease_owner = models.CharField(max_length=120, blank=True)
    lease_token = models.BigIntegerField(default=0, help_text="Fencing number; rises with every claim.")
    lease_until = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0, help_text="Claims since the last finished step.")
    takeovers = models.PositiveIntegerField(default=0, help_text="Claims of an expired lease.")
    fenced = models.PositiveIntegerField(default=0, help_text="Writes refused to a worker without the lease.")

    step = models.CharField(max_length=16, blank=True, help_text="The running or next step.")
    steps_done = models.PositiveSmallIntegerField(default=0)
    decision = models.JSONField(null=True)
    message = models.CharField(max_length=500, blank=True, help_text="Why it ended as it did.")

    roi_gain = models.FloatField(null=True)
    value = models.FloatField(null=True)
    cost = models.FloatField(null=True)
    roi_delta = models.FloatField(null=True)
    roi_delta_ema = models.FloatField(null=True)
    momentum = models.FloatField(null=True)
    cpu_seconds = models.FloatField(null=True)

    objects = CycleQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["engine"], condition=Q(state=CycleState.RUNNING), name="one_running_cycle_per_engine"
            ),
            models.UniqueConstraint(fields=["engine", "slot"], name="one_cycle_per_slot"),
            models.CheckConstraint(condition=Q(energy__gt=0), name="cycle_energy_positive"),
        ]
        indexes = [
            models.Index(fields=["engine", "-id"], name="cycle_engine_id"),
            models.Index(fields=["state", "-id"], name="cycle_state_id"),
            models.Index(fields=["engine", "state", "-id"], name="cycle_engine_state_id"),
            models.Index(fields=["trigger", "-id"], name="cycle_trigger_id"),
            models.Index(fields=["roi_delta", "id"], name="cycle_roi_id"),
            models.Index(fields=["duration", "id"], name="cycle_duration_id"),
            models.Index(fields=["created_at", "id"], name="cycle_created_id"),
            words_index("message", "cycle_message_words"),
            models.Index(
                fields=["engine"], name="cycle_disturbed", condition=Q(fenced__gt=0) | Q(takeovers__gt=0)
            ),
            models.Index(
                fields=["run_after"],
                name="cycle_open",
                condition=Q(state__in=[CycleState.QUEUED, CycleState.RUNNING]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.engine_id}#{self.pk}"

    @property
    def is_terminal(self) -> bool:
        """Whether it came to an end."""
        return self.state in TERMINAL


class CycleStep(models.Model):
    """One step of a cycle."""

    cycle = models.ForeignKey(Cycle, on_delete=models.CASCADE, related_name="steps")
    name = models.CharField(max_length=16)
    position = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=14, choices=choices(StepState), default=StepState.PENDING)
    attempt = models.PositiveSmallIntegerField(default=0, help_text="How often it was started.")
    failures = models.PositiveSmallIntegerField(default=0, help_text="How often it failed and was retried.")
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    duration = models.FloatField(null=True, help_text="Seconds of the latest attempt.")
    progress = models.FloatField(null=True, help_text="0 to 1; empty: not known.")
    note = models.CharField(max_length=500, blank=True)
    result = models.JSONField(default=dict)
    error = models.TextField(blank=True)
    log = models.TextField(blank=True, help_text="Tail of the output, cleaned.")
    cpu_seconds = models.FloatField(null=True)

    class Meta:
        ordering = ["cycle_id", "position"]
        constraints = [models.UniqueConstraint(fields=["cycle", "name"], name="one_row_per_step")]

    def __str__(self) -> str:
        return f"{self.cycle_id}/{self.name}"
