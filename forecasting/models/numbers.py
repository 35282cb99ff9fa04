"""Numbers of named subjects over time: single points, daily roll-ups and ROI events."""

from typing import Self

from django.db import models
from django.db.models.functions import Now


class MetricPoint(models.Model):
    """One measured number. A number that was not measured has no row."""

    subject = models.CharField(max_length=128, help_text="Whose number it is, such as `alpha`.")
    name = models.CharField(max_length=64)
    value = models.FloatField()
    at = models.DateTimeField(db_default=Now())
    source = models.CharField(max_length=64, help_text="What measured it, such as `cycle:7` or `push`.")

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["subject", "source", "name"], name="one_point_per_source")
        ]
        indexes = [models.Index(fields=["subject", "name", "at"], name="point_subject_name_at")]

    def __str__(self) -> str:
        return f"{self.subject}.{self.name}={self.value}"


class MetricDaily(models.Model):
    """One day of one metric, kept up with each point: charts read this, not the points."""

    subject = models.CharField(max_length=128)
    name = models.CharField(max_length=64)
    day = models.DateField(help_text="UTC")
    count = models.PositiveIntegerField()
    total = models.FloatField()
    low = models.FloatField()
    high = models.FloatField()
    last = models.FloatField()

    class Meta:
        ordering = ["subject", "name", "day"]
        constraints = [models.UniqueConstraint(fields=["subject", "name", "day"], name="one_row_per_day")]

    def __str__(self) -> str:
        return f"{self.subject}.{self.name} {self.day}"


class RoiEventQuerySet(models.QuerySet["RoiEvent"]):
    """Reads of ROI events."""

    def levels(self, subject: str) -> Self:
        """Keep the events of a subject after which its ROI was measured: what forecasts follow."""
        return self.filter(subject=subject, roi_after__isnull=False)


class RoiEvent(models.Model):
    """What one action did to the ROI of a subject: the change it made, and the level before and after."""

    subject = models.CharField(max_length=128)
    source = models.CharField(max_length=64, help_text="What caused it, such as `cycle:7`; once each.")
    action = models.CharField(max_length=64)
    #: what was deployed was worth the time before, less the costs
    roi_before = models.FloatField(null=True)
    #: what is deployed is worth now, less the costs
    roi_after = models.FloatField(null=True)
    #: what the action gained, less its costs
    delta = models.FloatField()
    ema = models.FloatField(null=True)
    at = models.DateTimeField(db_default=Now())
    confidence = models.FloatField(null=True, help_text="Of the forecast made after it, 0 to 1.")
    predicted_horizons = models.JSONField(null=True, help_text="What that forecast said of the next events.")
    actual_horizons = models.JSONField(null=True, help_text="What came, as far as it has.")

    objects = RoiEventQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["subject", "source"], name="one_roi_event_per_source")]
        indexes = [
            models.Index(fields=["subject", "at"], name="roi_subject_at"),
            models.Index(fields=["subject", "id"], name="roi_subject_id"),
        ]

    def __str__(self) -> str:
        return f"{self.subject} {self.source} {self.delta:+g}"


class RoiRollup(models.Model):
    """An hour, a day or a week of a subject's ROI events, kept up with each event: charts read this."""

    subject = models.CharField(max_length=128)
    per = models.CharField(max_length=4, choices=[(per, per) for per in ("hour", "day", "week")])
    at = models.DateTimeField(help_text="When it began, UTC; weeks begin on Monday.")
    count = models.PositiveIntegerField()
    total = models.FloatField()
    low = models.FloatField()
    high = models.FloatField()
    ema = models.FloatField(null=True, help_text="Moving average after its last event.")

    class Meta:
        ordering = ["subject", "per", "at"]
        constraints = [
            models.UniqueConstraint(fields=["subject", "per", "at"], name="one_roi_rollup_per_period")
        ]

    def __str__(self) -> str:
        return f"{self.subject} {self.per} {self.at:%Y-%m-%d %H:%M}"
