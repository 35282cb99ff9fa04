"""What the API says of forecasts, of how good they were, and of the models that made them."""

from typing import Any

from rest_framework import serializers

from engines.serializers import Partial
from forecasting.models import Forecast
from menace_site.api.orphan_serializers import columns

FORECAST_COLUMNS = columns(
    "id subject scenario source at model horizon mean lower80 upper80 growth confidence risk p_collapse",
    "seen lower95 upper95 scale brittle collapse_in probabilities evidence reason actual error settled_at",
)


def numbers(help_text: str = "") -> serializers.ListField:
    """Return a list of numbers, one a step of the horizon."""
    return serializers.ListField(
        child=serializers.FloatField(allow_null=True), read_only=True, help_text=help_text
    )


class ForecastRow(Partial, serializers.ModelSerializer[Forecast]):
    """One forecast, as far as fields were asked for."""

    mean = numbers("One number a step, the next cycle first.")
    lower80, upper80 = numbers(), numbers()
    lower95, upper95 = numbers(), numbers()
    actual = numbers("What came, as far as it has.")
    probabilities = serializers.DictField(child=serializers.FloatField(), read_only=True)

    class Meta:
        model = Forecast
        fields = tuple(FORECAST_COLUMNS.paths)
        read_only_fields = fields


class CalibrationSerializer(serializers.Serializer[Any]):
    """How often an interval held."""

    level = serializers.FloatField()
    count = serializers.IntegerField()
    inside = serializers.IntegerField()
    share = serializers.FloatField(allow_null=True)
    low = serializers.FloatField(allow_null=True, help_text="95 % interval of the share (Wilson).")
    high = serializers.FloatField(allow_null=True)
    verdict = serializers.CharField(help_text="holds, too narrow, too wide or not measured.")


class AheadSerializer(serializers.Serializer[Any]):
    """Figures of one step of the horizon."""

    step = serializers.IntegerField()
    count = serializers.IntegerField()
    mae = serializers.FloatField(allow_null=True)
    calibration = CalibrationSerializer(many=True)


class AnsweredSerializer(serializers.Serializer[Any]):
    """Figures of one model that answered."""

    model = serializers.CharField()
    count = serializers.IntegerField()
    mae = serializers.FloatField(allow_null=True)
    scaled_mae = serializers.FloatField(allow_null=True)
    accuracy = serializers.FloatField(allow_null=True)


def by_name(child: serializers.Field[Any, Any, Any, Any], help_text: str = "") -> serializers.DictField:
    """Return a mapping by name."""
    return serializers.DictField(child=child, help_text=help_text)


class PredictionsSerializer(serializers.Serializer[Any]):
    """The panel of predictions, key by key as in Python; null: not measured."""

    count = serializers.IntegerField(help_text="Forecasts that met their outcome.")
    cut = serializers.BooleanField(help_text="Whether older ones were left out.")
    mae = serializers.FloatField(allow_null=True)
    scaled_mae = serializers.FloatField(allow_null=True, help_text="In errors of the naive forecast.")
    accuracy = serializers.FloatField(allow_null=True)
    class_counts = by_name(by_name(serializers.IntegerField()), "predicted and actual.")
    confusion_matrix = by_name(by_name(serializers.IntegerField()), "By actual, then by predicted class.")
    mae_trend = serializers.ListField(child=serializers.FloatField())
    accuracy_trend = serializers.ListField(child=serializers.FloatField())
    calibration = CalibrationSerializer(many=True)
    steps = AheadSerializer(many=True)
    models = AnsweredSerializer(many=True)
    workflow_mae = by_name(serializers.ListField(child=serializers.FloatField()))
    workflow_variance = by_name(serializers.ListField(child=serializers.FloatField()))
    workflow_confidence = by_name(serializers.ListField(child=serializers.FloatField()))
    workflows = by_name(serializers.DictField())
    scenario_roi_deltas = by_name(serializers.FloatField(allow_null=True))
    scenario_raroi = by_name(serializers.FloatField(allow_null=True))
    scenario_metrics_delta = by_name(by_name(serializers.FloatField()))
    scenario_synergy_delta = by_name(serializers.FloatField(allow_null=True))
    worst_scenario = serializers.CharField(allow_null=True)


class ShareSerializer(serializers.Serializer[Any]):
    """A share with its 95 % interval."""

    share = serializers.FloatField(allow_null=True)
    low = serializers.FloatField(allow_null=True)
    high = serializers.FloatField(allow_null=True)
    count = serializers.IntegerField()


class BacktestSerializer(serializers.Serializer[Any]):
    """What the gate's rules on forecasts would have said, and what came."""

    count = serializers.IntegerField()
    cut = serializers.BooleanField()
    table = serializers.ListField(child=serializers.DictField())
    unsafe = ShareSerializer(help_text="Of what it would have let pass, what lost.")
    wasted = ShareSerializer(help_text="Of what it would have kept back, what paid.")
    rows = serializers.ListField(child=serializers.DictField())


class OutcomesSerializer(serializers.Serializer[Any]):
    """What became of promotions."""

    count = serializers.IntegerField()
    states = by_name(serializers.IntegerField())
    verdicts = by_name(by_name(serializers.IntegerField()))


class EvaluationSerializer(serializers.Serializer[Any]):
    """How good forecasts and the gate were."""

    engine = serializers.CharField(allow_null=True)
    predictions = PredictionsSerializer()
    gate = BacktestSerializer(allow_null=True, help_text="Of one engine alone.")
    promotions = OutcomesSerializer()


class CardSerializer(serializers.Serializer[Any]):
    """What is known of one forecast model."""

    name = serializers.CharField()
    version = serializers.CharField()
    digest = serializers.CharField()
    state = serializers.CharField()
    recipe = serializers.CharField()
    better_than = serializers.CharField(allow_blank=True, help_text="The model that it replaced.")
    at = serializers.CharField()
    made_by = serializers.CharField()
    series = serializers.IntegerField()
    points = serializers.IntegerField()
    rows = serializers.IntegerField()
    families = by_name(serializers.IntegerField())
    fields_used = by_name(serializers.FloatField(), "Weights of the fields beside the values.")
    backtest = serializers.ListField(child=serializers.DictField())


class ModelsSerializer(serializers.Serializer[Any]):
    """The model in use, the shipped one, and those that training made."""

    active = CardSerializer()
    shipped = CardSerializer()
    trained = CardSerializer(many=True)
