"""The forecast models that training made: their arrays and what is known of them."""

from typing import Self

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

MOST_BYTES = 16 * 2**20


class ForecastModelQuerySet(models.QuerySet["ForecastModel"]):
    """Reads of forecast models; the arrays are left in the database unless asked for."""

    def cards(self) -> Self:
        """Leave the arrays where they are; newest first."""
        return self.defer("arrays").order_by("-id")

    def active(self) -> "ForecastModel | None":
        """Return the one in use without its arrays; None while the shipped one answers."""
        return self.cards().filter(state=ForecastModel.ACTIVE).first()


class ForecastModel(models.Model):
    """One trained forecast model: a data card beside its arrays, whose digest is its version."""

    ACTIVE = "active"
    RETIRED = "retired"
    STATES = ((ACTIVE, "active"), (RETIRED, "retired"))

    version = models.CharField(max_length=12, help_text="The first twelve digits of the digest.")
    digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the arrays.")
    arrays = models.BinaryField(help_text="An `.npz` file without pickled objects.")
    at = models.DateTimeField(db_default=Now())
    chosen = models.CharField(max_length=32, help_text="Which challenger it was, such as `leaves 0.5`.")
    parent = models.CharField(max_length=64, help_text="The model it was better than.")
    series = models.PositiveIntegerField(help_text="Subjects it learned from.")
    points = models.PositiveIntegerField(help_text="Recorded values it learned from.")
    rows = models.PositiveIntegerField(help_text="Training rows of the recorded values.")
    context = models.JSONField(
        default=dict, help_text="Weights of the fields beside the values; empty: none."
    )
    backtest = models.JSONField(default=dict, help_text="Walk-forward scores of each candidate.")
    state = models.CharField(max_length=8, choices=STATES, default=RETIRED)
    made_by = models.CharField(max_length=150)

    objects = ForecastModelQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["state"], condition=Q(state="active"), name="one_active_forecast_model"
            )
        ]

    def __str__(self) -> str:
        return f"forecast model {self.version} ({self.state})"
