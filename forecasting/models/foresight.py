"""What each cycle measured of a subject, and the latest verdict on where its ROI is going."""

from typing import Final, Self

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

EVIDENCE: Final = ("none", "low", "enough")
RISKS: Final = ("Stable", "Slow decay", "Volatile", "Immediate collapse risk", "Insufficient data")


class CycleMetricsQuerySet(models.QuerySet["CycleMetrics"]):
    """Reads of what the cycles measured."""

    def newest(self, subject: str, count: int) -> list["CycleMetrics"]:
        """Return the subject's latest `count` cycles, oldest first."""
        return list(self.filter(subject=subject).order_by("-cycle")[:count])[::-1]


class CycleMetrics(models.Model):
    """One cycle of a subject. What was not measured is null; a million rows cost a page no more than ten."""

    subject = models.CharField(max_length=128, help_text="Such as `alpha` or `alpha/score`.")
    cycle = models.PositiveBigIntegerField(help_text="Number of the cycle; the order of time.")
    at = models.DateTimeField(db_default=Now())
    roi = models.FloatField(null=True, help_text="In the subject's own unit, such as what a run is worth.")
    entropy = models.FloatField(null=True, help_text="How much the scenarios degrade it, 0 to 1.")
    raroi = models.FloatField(null=True, help_text="Risk-adjusted ROI.")
    confidence = models.FloatField(null=True, help_text="0 to 1.")
    resilience = models.FloatField(null=True, help_text="Share of the hard stages' runs that succeeded.")
    more = models.JSONField(default=dict, help_text="Other numbers by name.")

    objects = CycleMetricsQuerySet.as_manager()

    class Meta:
        ordering = ["subject", "cycle"]
        constraints = [models.UniqueConstraint(fields=["subject", "cycle"], name="one_row_per_subject_cycle")]

    def __str__(self) -> str:
        return f"{self.subject} cycle {self.cycle}"


class VerdictQuerySet(models.QuerySet["Verdict"]):
    """Reads of verdicts."""

    def due(self) -> Self:
        """Keep those whose subject was measured since."""
        return self.filter(due=True)


class Verdict(models.Model):
    """The latest collapse verdict on a subject: what `ForesightTracker.predict_roi_collapse` said."""

    subject = models.CharField(max_length=128, unique=True)
    risk = models.CharField(
        max_length=32, default="Insufficient data", choices=[(word, word) for word in RISKS]
    )
    brittle = models.BooleanField(default=False)
    p_collapse = models.FloatField(null=True, help_text="Probability that half of the ROI is lost soon.")
    collapse_in = models.PositiveIntegerField(null=True, help_text="Cycles until then; null: not in sight.")
    curve = models.JSONField(default=list, help_text="Expected ROI of the next cycles.")
    probabilities = models.JSONField(default=dict, help_text="By label.")
    elasticity = models.FloatField(null=True, help_text="Share of the ROI that a unit of entropy costs.")
    reason = models.CharField(max_length=500, blank=True)
    evidence = models.CharField(max_length=6, default="none", choices=[(word, word) for word in EVIDENCE])
    template = models.JSONField(null=True, help_text="Curve shown for want of data, and whose it is.")
    cycles = models.PositiveIntegerField(default=0, help_text="How many cycles it was made from.")
    cycle = models.PositiveBigIntegerField(null=True, help_text="The latest of them.")
    at = models.DateTimeField(null=True, help_text="When it was made; null: not yet.")
    marks = models.PositiveBigIntegerField(default=0, help_text="How often the subject was measured.")
    due = models.BooleanField(default=True, help_text="Measured since, so it is made anew.")

    objects = VerdictQuerySet.as_manager()

    class Meta:
        ordering = ["subject"]
        indexes = [
            models.Index(fields=["subject"], condition=Q(due=True), name="verdict_due"),
            models.Index(fields=["risk", "subject"], name="verdict_risk"),
        ]

    def __str__(self) -> str:
        return f"{self.subject}: {self.risk}"
