"""Bots under care."""

from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.contrib.auth.models import Group
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser, User

NAME = r"^[a-z0-9][a-z0-9_-]{0,62}$"


class EngineQuerySet(models.QuerySet["Engine"]):
    """Reads of engines."""

    def visible_to(self, user: "User | AnonymousUser") -> Self:
        """Keep the engines without a team and those of the user's teams; superusers see all."""
        if user.is_superuser:
            return self
        return self.filter(Q(team=None) | Q(team__in=user.groups.all()))

    def due(self) -> Self:
        """Keep the enabled engines whose next scheduled cycle is due by the database's clock."""
        return self.filter(enabled=True, next_due_at__lte=Now())


class Engine(models.Model):
    """One bot: its repository, what it is worth, and what its cycles taught so far."""

    name = models.CharField(
        max_length=63, unique=True, validators=[RegexValidator(NAME)], help_text="Also called bot_name."
    )
    repository = models.CharField(max_length=1024, help_text="Path of the bot's git checkout.")
    manifest = models.JSONField(default=dict, help_text="The validated manifest as it was at registration.")
    team = models.ForeignKey(
        Group, null=True, blank=True, on_delete=models.PROTECT, help_text="Only this group sees the engine."
    )
    enabled = models.BooleanField(default=True, help_text="Off: nothing is scheduled and nothing runs.")
    base_cpu_seconds = models.FloatField(
        default=60.0,
        validators=[MinValueValidator(0.1), MaxValueValidator(86400.0)],
        help_text="CPU seconds that energy 1 may spend.",
    )
    base_trials = models.PositiveIntegerField(
        default=20,
        validators=[MinValueValidator(1), MaxValueValidator(100_000)],
        help_text="Configurations that energy 1 may try.",
    )
    base_energy = models.FloatField(
        default=1.0,
        validators=[MinValueValidator(0.01), MaxValueValidator(100.0)],
        help_text="Energy of a scheduled cycle.",
    )
    seed = models.PositiveIntegerField(default=0, help_text="Seed of splits and search.")
    schedule_seconds = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(10), MaxValueValidator(31_536_000)],
        help_text="Seconds between scheduled cycles; empty: only on demand.",
    )
    next_due_at = models.DateTimeField(null=True, blank=True, help_text="When the schedule is due next.")
    state_path = models.CharField(
        max_length=1024, blank=True, help_text="JSON file that mirrors ROI history and averages."
    )

    roi_ema_alpha = models.FloatField(
        default=0.1,
        validators=[MinValueValidator(0.001), MaxValueValidator(1.0)],
        help_text="Smoothing factor of roi_delta_ema.",
    )
    roi_delta_ema = models.FloatField(null=True, editable=False)
    roi_history = models.JSONField(
        default=list, editable=False, help_text="Latest cycles, oldest first: cycle, delta, success, ema."
    )
    momentum = models.FloatField(null=True, editable=False)
    last_cycle_at = models.DateTimeField(null=True, editable=False)
    decisions_made = models.PositiveIntegerField(
        default=0, editable=False, help_text="Challengers judged so far: the error rate is divided over them."
    )
    drift_state = models.JSONField(default=dict, editable=False, help_text="State of the drift detector.")
    promotion_policy = models.JSONField(
        default=dict, editable=False, help_text="What differs from the usual policy of promotions."
    )
    promotion_policy_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="Who changed that policy last.",
    )

    created_at = models.DateTimeField(db_default=Now(), editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, editable=False, on_delete=models.SET_NULL
    )

    objects = EngineQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        permissions = [
            ("operate_engine", "Can register engines and trigger, cancel, pause and resume their cycles"),
            ("decide_promotion", "Can approve and reject promotions"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(base_cpu_seconds__gt=0), name="engine_base_cpu_positive"),
            models.CheckConstraint(condition=Q(base_energy__gt=0), name="engine_base_energy_positive"),
        ]
        indexes = [models.Index(fields=["next_due_at"], name="engine_due", condition=Q(enabled=True))]

    def __str__(self) -> str:
        return self.name

    @property
    def success_history(self) -> list[bool]:
        """Whether each of the latest cycles raised the ROI, oldest first."""
        return [bool(entry["success"]) for entry in self.roi_history]
