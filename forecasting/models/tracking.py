"""What was forecast and judged of a subject, how it turned out, and how far its modules have come.

NULL always means "not measured". Lists hold one number a step of the horizon, the next event first.
"""

from typing import Self

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

SUBJECT_CHARS = 128
SOURCE_CHARS = 64
SCENARIO_CHARS = 64
PATH_CHARS = 1024
WORDS_CHARS = 500


class ForecastQuerySet(models.QuerySet["Forecast"]):
    """Reads of forecasts."""

    def of(self, subject: str, scenario: str = "") -> Self:
        """Keep the forecasts of a subject in one scenario, newest first."""
        # by time first: an order by id alone may be read off the primary key, past everybody else's rows
        return self.filter(subject=subject, scenario=scenario).order_by("-at", "-id")

    def latest_of(self, subject: str, scenario: str = "") -> "Forecast | None":
        """Return the newest forecast, one index probe."""
        return self.of(subject, scenario).first()


class Forecast(models.Model):
    """The next ROI deltas of a subject as they were foreseen when `source` ended; once each."""

    subject = models.CharField(max_length=SUBJECT_CHARS)
    scenario = models.CharField(max_length=SCENARIO_CHARS, blank=True, help_text="Empty: all of them.")
    source = models.CharField(max_length=SOURCE_CHARS, help_text="After what it was made, such as `cycle:7`.")
    at = models.DateTimeField(db_default=Now())
    model = models.CharField(max_length=64, help_text="Which model answered.")
    seen = models.PositiveIntegerField(help_text="How many events the model was given.")
    horizon = models.PositiveSmallIntegerField(help_text="Events ahead.")
    mean = models.JSONField(default=list)
    lower80 = models.JSONField(default=list)
    upper80 = models.JSONField(default=list)
    lower95 = models.JSONField(default=list)
    upper95 = models.JSONField(default=list)
    growth = models.CharField(max_length=16, blank=True, help_text="exponential, linear or marginal.")
    confidence = models.FloatField(null=True, help_text="1 / (1 + mean scaled error + scaled variance).")
    scale = models.FloatField(null=True, help_text="Error of a naive forecast so far; errors divide by it.")

    risk = models.CharField(max_length=32, blank=True)
    p_collapse = models.FloatField(null=True)
    brittle = models.BooleanField(null=True)
    collapse_in = models.PositiveSmallIntegerField(null=True, help_text="Events until the collapse.")
    probabilities = models.JSONField(default=dict, help_text="Of each label.")
    evidence = models.CharField(max_length=8, blank=True, help_text="none, low or enough.")
    reason = models.CharField(max_length=WORDS_CHARS, blank=True)

    actual = models.JSONField(default=list, help_text="What came, as far as it has.")
    error = models.FloatField(null=True, help_text="|actual - mean| / scale of the first event ahead.")
    settled_at = models.DateTimeField(null=True, help_text="When the last event of the horizon had come.")

    objects = ForecastQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["subject", "scenario", "source"], name="one_forecast_per_source")
        ]
        indexes = [
            models.Index(fields=["subject", "scenario", "-id"], name="forecast_subject_id"),
            models.Index(fields=["subject", "scenario", "-at", "-id"], name="forecast_subject_at"),
        ]

    def __str__(self) -> str:
        return f"{self.subject} {self.source} {self.model}"


class Evaluation(models.Model):
    """How training was judged for a subject, and what it was worth in the long run.

    No code-writing engine is attached, so nothing fills the columns of its feedback.
    """

    subject = models.CharField(max_length=SUBJECT_CHARS)
    source = models.CharField(max_length=SOURCE_CHARS)
    at = models.DateTimeField(db_default=Now())
    cv_score = models.FloatField(null=True, help_text="Score of the best challenger in cross-validation.")
    passed = models.BooleanField(null=True, help_text="Whether the challenger was judged better.")
    error = models.CharField(max_length=WORDS_CHARS, blank=True, help_text="Why there is no score.")
    gpt_feedback = models.TextField(null=True)  # noqa: DJ001 - NULL: nobody gave any
    gpt_feedback_score = models.FloatField(null=True)
    gpt_feedback_tokens = models.PositiveIntegerField(null=True)
    long_term_delta = models.FloatField(
        null=True, help_text="Mean ROI delta of the ten events after it, minus that of up to ten before."
    )
    long_term_outcome = models.CharField(max_length=8, blank=True, help_text="rose, level or fell.")

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["subject", "source"], name="one_evaluation_per_source")
        ]
        indexes = [models.Index(fields=["subject", "-at", "-id"], name="evaluation_subject_at")]

    def __str__(self) -> str:
        return f"{self.subject} {self.source}"


class SynergySample(models.Model):
    """What running modules together added over running each alone, in one scenario."""

    subject = models.CharField(max_length=SUBJECT_CHARS)
    scenario = models.CharField(max_length=SCENARIO_CHARS, blank=True)
    source = models.CharField(max_length=SOURCE_CHARS)
    at = models.DateTimeField(db_default=Now())
    roi_delta = models.FloatField(null=True)
    metrics = models.JSONField(default=dict, help_text="`synergy_*`; what was not measured is absent.")
    predicted = models.JSONField(default=dict, help_text="What was foreseen of each metric before.")
    ahead = models.JSONField(default=dict, help_text="What is foreseen next: value, reliability, count, by.")
    resources = models.JSONField(default=dict, help_text="What the runs used.")

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["subject", "scenario", "source"], name="one_synergy_per_source")
        ]
        indexes = [
            models.Index(fields=["subject", "scenario", "id"], name="synergy_scenario_id"),
            models.Index(fields=["subject", "scenario", "-at", "-id"], name="synergy_subject_at"),
        ]

    def __str__(self) -> str:
        return f"{self.subject} {self.scenario or 'all'} {self.source}"


class ModuleProgressQuerySet(models.QuerySet["ModuleProgress"]):
    """Reads of modules' progress."""

    def complete(self, subject: str) -> Self:
        """Keep the modules that later cycles of a subject skip."""
        return self.filter(subject=subject, complete=True)


class ModuleProgress(models.Model):
    """What changes of one module brought, as sums that each run moves on, and whether it is complete."""

    subject = models.CharField(max_length=SUBJECT_CHARS)
    path = models.CharField(max_length=PATH_CHARS, help_text="Repository-relative POSIX path.")
    samples = models.PositiveIntegerField(default=0, help_text="Runs that were counted.")
    entropy = models.FloatField(null=True, help_text="Bits, of the latest run.")
    entropy_change = models.FloatField(null=True, help_text="Sum of all changes, regardless of sign.")
    entropy_changes = models.PositiveIntegerField(default=0, help_text="How many were measured.")
    roi_total = models.FloatField(null=True, help_text="Sum of the measured ROI deltas.")
    roi_count = models.PositiveIntegerField(default=0, help_text="How many were measured.")
    recent = models.JSONField(default=list, help_text="The newest samples, oldest first.")
    updated_at = models.DateTimeField(db_default=Now())

    complete = models.BooleanField(default=False)
    completed_at = models.DateTimeField(null=True)
    completed_by = models.CharField(max_length=150, blank=True)
    reason = models.CharField(max_length=WORDS_CHARS, blank=True, help_text="Why it counts as complete.")
    reopened_at = models.DateTimeField(null=True)
    reopened_by = models.CharField(max_length=150, blank=True)
    reopened_reason = models.CharField(max_length=WORDS_CHARS, blank=True)

    objects = ModuleProgressQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["subject", "path"], name="one_progress_per_module"),
            models.CheckConstraint(
                condition=Q(complete=False) | Q(completed_at__isnull=False), name="complete_since"
            ),
        ]
        indexes = [
            models.Index(fields=["subject", "-roi_total"], name="progress_subject_roi"),
            models.Index(fields=["subject", "path"], name="progress_complete", condition=Q(complete=True)),
        ]

    def __str__(self) -> str:
        return f"{self.subject}:{self.path}"
