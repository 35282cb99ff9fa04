"""Promotions: a candidate, its frozen evidence, the gate's verdict, and what was decided and done."""

from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from engines.domain.promotion import ALIVE, OPEN, UNDER_WAY, Kind, PromotionState
from engines.models.cycle import Cycle, choices
from engines.models.engine import Engine
from engines.models.model_version import ModelVersion
from engines.models.workflow_revision import WorkflowRevision

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser, User

VERDICTS = [(word, word) for word in ("promote", "hold", "block")]


class PromotionQuerySet(models.QuerySet["Promotion"]):
    """Reads of promotions."""

    def visible_to(self, user: "User | AnonymousUser") -> Self:
        """Keep the promotions of engines that the user may see."""
        if user.is_superuser:
            return self
        return self.filter(engine__in=Engine.objects.visible_to(user))

    def open(self) -> Self:
        """Keep what is before people."""
        return self.filter(state__in=OPEN)

    def under_way(self) -> Self:
        """Keep what was approved and is not applied yet."""
        return self.filter(state__in=UNDER_WAY)


class Promotion(models.Model):
    """One candidate with its evidence. What it was opened with never changes: the database refuses."""

    engine = models.ForeignKey(Engine, on_delete=models.CASCADE, related_name="promotions")
    cycle = models.ForeignKey(
        Cycle,
        null=True,
        on_delete=models.SET_NULL,
        related_name="promotions",
        help_text="Whose gate opened it.",
    )
    kind = models.CharField(max_length=8, choices=choices(Kind))
    version = models.ForeignKey(
        ModelVersion,
        null=True,
        on_delete=models.RESTRICT,
        related_name="promotions",
        help_text="Of kind model.",
    )
    revision = models.ForeignKey(
        WorkflowRevision,
        null=True,
        on_delete=models.RESTRICT,
        related_name="promotions",
        help_text="Of kind workflow.",
    )
    subject = models.CharField(max_length=128, help_text="Whose forecast counts, such as `alpha/score`.")
    verdict = models.CharField(max_length=7, choices=VERDICTS)
    evidence = models.JSONField(help_text="All that the gate looked at, frozen.")
    evidence_sha256 = models.CharField(max_length=64, help_text="Of the evidence's canonical JSON.")
    decision = models.JSONField(help_text="The gate's verdict with each reason in words.")
    policy = models.JSONField(help_text="The engine's policy as it was.")
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="Who set off what made the candidate; empty: nobody but the schedule.",
    )
    requested_label = models.CharField(max_length=150, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    state = models.CharField(max_length=11, choices=choices(PromotionState))
    message = models.CharField(max_length=500, blank=True, help_text="Why it ended as it did.")
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    decided_label = models.CharField(max_length=150, blank=True)
    decided_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=1000, blank=True, help_text="Why it was approved or rejected.")
    break_glass = models.BooleanField(default=False, help_text="The requester approved it alone.")
    automatic = models.BooleanField(default=False, help_text="The engine's policy approved it.")

    attempts = models.PositiveSmallIntegerField(default=0, help_text="How often a worker began to apply it.")
    apply_until = models.DateTimeField(null=True, help_text="End of the worker's lease.")
    before = models.JSONField(null=True, help_text="What was live when it was applied.")
    before_sha256 = models.CharField(max_length=64, blank=True)
    after = models.JSONField(null=True, help_text="What was live afterwards.")
    after_sha256 = models.CharField(max_length=64, blank=True)
    applied_at = models.DateTimeField(null=True)

    alarm = models.JSONField(null=True, help_text="Why a roll-back is proposed: how the ROI left the band.")
    alarm_at = models.DateTimeField(null=True)
    alarm_kept_label = models.CharField(max_length=150, blank=True, help_text="Who decided to keep it.")
    alarm_kept_at = models.DateTimeField(null=True)
    alarm_kept_reason = models.CharField(max_length=1000, blank=True)
    rolled_back_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    rolled_back_label = models.CharField(max_length=150, blank=True)
    rolled_back_at = models.DateTimeField(null=True)
    rolled_back_reason = models.CharField(max_length=1000, blank=True)

    objects = PromotionQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind=Kind.MODEL, version__isnull=False, revision=None)
                | Q(kind=Kind.WORKFLOW, revision__isnull=False, version=None),
                name="promotion_one_candidate",
            ),
            models.UniqueConstraint(
                fields=["version"], condition=Q(state__in=ALIVE), name="one_promotion_per_version"
            ),
            models.UniqueConstraint(
                fields=["revision"], condition=Q(state__in=ALIVE), name="one_promotion_per_revision"
            ),
        ]
        indexes = [
            models.Index(fields=["engine", "-id"], name="promotion_engine_id"),
            models.Index(fields=["state", "-id"], name="promotion_state_id"),
            models.Index(fields=["engine", "state", "-id"], name="promotion_engine_state_id"),
            models.Index(fields=["decided_at", "id"], name="promotion_decided_id"),
            models.Index(
                fields=["apply_until"], name="promotion_under_way", condition=Q(state__in=UNDER_WAY)
            ),
        ]

    def __str__(self) -> str:
        return f"promotion {self.pk} of {self.subject}"

    @property
    def is_open(self) -> bool:
        """Whether people can still decide on it."""
        return self.state in OPEN

    @property
    def rollback_proposed(self) -> bool:
        """Whether its ROI left the forecast's band, and nobody has answered yet."""
        return self.state == PromotionState.APPLIED and self.alarm is not None and self.alarm_kept_at is None
