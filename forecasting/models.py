"""Numbers of named subjects over time: single points, daily roll-ups and ROI events."""

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


class RoiEvent(models.Model):
    """What one action did to the ROI of a subject."""

    subject = models.CharField(max_length=128)
    source = models.CharField(max_length=64, help_text="What caused it, such as `cycle:7`; once each.")
    action = models.CharField(max_length=64)
    roi_before = models.FloatField(null=True)
    roi_after = models.FloatField(null=True)
    delta = models.FloatField()
    ema = models.FloatField(null=True)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["subject", "source"], name="one_roi_event_per_source")]
        indexes = [models.Index(fields=["subject", "-id"], name="roi_subject_id")]

    def __str__(self) -> str:
        return f"{self.subject} {self.source} {self.delta:+g}"
