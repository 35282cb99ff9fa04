"""What the API says of engines and cycles, and what it takes. Lists are plain columns; see `Columns`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rest_framework import serializers

from engines.domain.errors import InvalidInput
from engines.domain.states import STEPS, Control, CycleState, StepState, Trigger, VersionState
from engines.models import Cycle, CycleStep, Engine, ModelVersion
from engines.models.engine import NAME

METRIC = r"^[a-z][a-z0-9_]{0,63}$"
MAX_METRICS = 256
LARGEST = 1e100
CYCLE_STATES = [str(state) for state in CycleState]
STEP_STATES = [str(state) for state in StepState]
VERSION_STATES = [str(state) for state in VersionState]


@dataclass(frozen=True)
class Columns:
    """The fields of a list: name → column, and those that come without asking.

    Lists read these columns straight into mappings: building a hundred objects and serializers would take
    longer than everything else together.
    """

    paths: Mapping[str, str]
    default: tuple[str, ...]

    def chosen(self, text: str) -> tuple[str, ...]:
        """Return the fields of `fields=a,b`; InvalidInput names one that there isn't."""
        if not text:
            return self.default
        names = tuple(dict.fromkeys(text.split(",")))
        if unknown := [name for name in names if name not in self.paths]:
            raise InvalidInput(
                f"no field {unknown[0][:40]!r}; known: {', '.join(self.paths)}", field="fields"
            )
        return names

    def read(self, names: Iterable[str]) -> list[str]:
        """Return the columns to ask the database for."""
        return [self.paths[name] for name in names]

    def rows(self, found: list[dict[str, Any]], names: Iterable[str]) -> list[dict[str, Any]]:
        """Return what was read under the fields' names."""
        pairs = [(name, self.paths[name]) for name in names]
        return [{name: row[column] for name, column in pairs} for row in found]


def _columns(default: str, more: str, **renamed: str) -> Columns:
    names = [*default.split(), *more.split()]
    return Columns({name: renamed.get(name, name) for name in names}, tuple(default.split()))


CYCLE_COLUMNS = _columns(
    "id engine state trigger energy step steps_done created_at started_at finished_at duration roi_delta",
    "requested_by seed slot run_after deadline_at control attempts takeovers fenced decision message roi_gain"
    " value cost roi_delta_ema momentum cpu_seconds",
    engine="engine__name",
    requested_by="requested_label",
)
ENGINE_COLUMNS = _columns(
    "id name enabled team base_energy schedule_seconds next_due_at roi_delta_ema momentum last_cycle_at",
    "repository manifest base_cpu_seconds base_trials seed state_path roi_ema_alpha roi_history"
    " decisions_made created_at",
    team="team__name",
)
VERSION_COLUMNS = _columns(
    "id cycle state sha256 size metrics roi_gain created_at", "params commit seed", cycle="cycle_id"
)


class Partial:
    """Marks a serializer whose answers hold only the fields asked for."""


class StepSerializer(serializers.ModelSerializer[CycleStep]):
    """A step of a cycle."""

    name = serializers.ChoiceField(choices=STEPS)
    state = serializers.ChoiceField(choices=STEP_STATES)
    result = serializers.DictField(help_text="What the step found; its keys depend on the step.")

    class Meta:
        model = CycleStep
        fields = (
            "name", "position", "state", "attempt", "failures", "started_at", "finished_at", "duration",
            "progress", "note", "result", "error", "log", "cpu_seconds",
        )  # fmt: skip
        read_only_fields = fields


class CycleRowSerializer(serializers.ModelSerializer[Cycle]):
    """A cycle in a list: the fields asked for."""

    id = serializers.IntegerField(read_only=True)
    engine = serializers.CharField(source="engine.name", read_only=True)
    requested_by = serializers.CharField(
        source="requested_label", read_only=True, help_text="Who asked for it."
    )
    state = serializers.ChoiceField(choices=CYCLE_STATES, read_only=True)
    trigger = serializers.ChoiceField(choices=[str(trigger) for trigger in Trigger], read_only=True)
    control = serializers.ChoiceField(
        choices=[str(control) for control in Control],
        read_only=True,
        help_text="What a person asked for meanwhile.",
    )
    decision = serializers.DictField(
        read_only=True, allow_null=True, help_text="Whether to run, and every reason."
    )

    class Meta:
        model = Cycle
        fields: tuple[str, ...] = tuple(CYCLE_COLUMNS.paths)
        read_only_fields = fields


class CycleRow(Partial, CycleRowSerializer):
    """A cycle in a list: the fields asked for."""


class CycleSerializer(CycleRowSerializer):
    """A cycle with its steps."""

    steps = StepSerializer(many=True, read_only=True)

    class Meta(CycleRowSerializer.Meta):
        fields = (*CycleRowSerializer.Meta.fields, "steps")
        read_only_fields = fields


class EngineSerializer(serializers.ModelSerializer[Engine]):
    """An engine: a bot under care."""

    team = serializers.CharField(source="team.name", read_only=True, default=None, allow_null=True)
    manifest = serializers.DictField(read_only=True)
    roi_history = serializers.ListField(read_only=True, help_text="Latest ROI deltas, oldest first.")

    class Meta:
        model = Engine
        fields = tuple(ENGINE_COLUMNS.paths)
        read_only_fields = fields


class EngineRow(Partial, EngineSerializer):
    """An engine in a list: the fields asked for."""


class VersionRow(Partial, serializers.ModelSerializer[ModelVersion]):
    """A version of an engine's model: the fields asked for."""

    cycle = serializers.IntegerField(source="cycle_id", read_only=True, allow_null=True)
    state = serializers.ChoiceField(choices=VERSION_STATES, read_only=True)
    metrics = serializers.DictField(read_only=True)
    params = serializers.DictField(read_only=True)

    class Meta:
        model = ModelVersion
        fields = tuple(VERSION_COLUMNS.paths)
        read_only_fields = fields


class PointSerializer(serializers.Serializer[Any]):
    """One point of a history."""

    at = serializers.CharField(help_text="Time of a single number, or beginning of a roll-up (UTC).")
    value = serializers.FloatField()
    ema = serializers.FloatField(allow_null=True, help_text="ROI only: smoothed with the engine's alpha.")
    low = serializers.FloatField(allow_null=True, help_text="Roll-ups only: smallest.")
    high = serializers.FloatField(allow_null=True, help_text="Roll-ups only: largest.")
    source = serializers.CharField(  # type: ignore[assignment]  # a point has a source, as in the rows
        help_text="What measured it, such as `cycle:7`."
    )


class HistorySerializer(serializers.Serializer[Any]):
    """A number of an engine over time, at most 2,000 points, oldest first."""

    engine = serializers.CharField()
    metric = serializers.CharField(help_text="`roi_delta`, or the name of a metric.")
    per = serializers.ChoiceField(choices=["point", "hour", "day", "week"])
    cut = serializers.BooleanField(help_text="There are more points than these.")
    metrics = serializers.ListField(child=serializers.CharField(), help_text="Metrics that the engine has.")
    points = PointSerializer(many=True)


class StrictFloat(serializers.FloatField):
    """A JSON number, not a text that looks like one."""

    def to_internal_value(self, data: Any) -> float:
        """Return the number."""
        if isinstance(data, bool) or not isinstance(data, int | float):
            self.fail("invalid")
        return super().to_internal_value(data)


class StrictInteger(serializers.IntegerField):
    """A JSON integer, not a text that looks like one."""

    def to_internal_value(self, data: Any) -> int:
        """Return the integer; 3.0 is one, as JSON Schema has it."""
        if isinstance(data, float) and data.is_integer():
            data = int(data)
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("invalid")
        return super().to_internal_value(data)


class StrictBoolean(serializers.BooleanField):
    """true or false, nothing that means the same."""

    def to_internal_value(self, data: Any) -> bool:
        """Return the boolean."""
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class StrictText(serializers.CharField):
    """A JSON string, not a number."""

    def to_internal_value(self, data: Any) -> str:
        """Return the text."""
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class Input(serializers.Serializer[Any]):
    """A body whose unknown keys are refused: a misspelt one would do nothing, silently."""

    def to_internal_value(self, data: Any) -> Any:
        """Return the checked values."""
        unknown = sorted(set(data) - set(self.fields)) if isinstance(data, Mapping) else []
        if unknown:
            known = ", ".join(self.fields)
            raise serializers.ValidationError({unknown[0][:80]: f"unknown; known: {known}"}, code="unknown")
        return super().to_internal_value(data)


def name_field(**options: Any) -> StrictText:
    """Return a field for the name of an engine."""
    pattern = serializers.RegexField(NAME).validators
    return StrictText(min_length=1, max_length=63, validators=[pattern[-1]], **options)


class TriggerInput(Input):
    """Which engine to run, and how hard."""

    engine = name_field()
    energy = StrictFloat(
        required=False,
        min_value=0.01,
        max_value=100.0,
        help_text="1 = the base budget; default: the engine's.",
    )


class RetryInput(Input):
    """From where to start an ended cycle again."""

    from_step = serializers.ChoiceField(choices=STEPS)


class Settings(Input):
    """What creating and changing an engine share."""

    base_energy = StrictFloat(required=False, min_value=0.01, max_value=100.0)
    base_cpu_seconds = StrictFloat(required=False, min_value=0.1, max_value=86_400.0)
    base_trials = StrictInteger(required=False, min_value=1, max_value=100_000)
    schedule_seconds = StrictInteger(
        required=False, allow_null=True, min_value=10, max_value=31_536_000, help_text="null: only on demand"
    )
    seed = StrictInteger(required=False, min_value=0, max_value=2**31 - 1)
    team = StrictText(
        required=False, allow_null=True, max_length=150, help_text="One of your groups; null: everybody."
    )


class EngineInput(Settings):
    """A repository to take under care."""

    path = StrictText(max_length=1000, help_text="Absolute path of the git checkout on the workers' machine.")
    name = name_field(required=False, help_text="Default: made from the folder's name.")


class EngineChanges(Settings):
    """Settings of an engine to change; what isn't named stays."""

    enabled = StrictBoolean(required=False)
    roi_ema_alpha = StrictFloat(required=False, min_value=0.001, max_value=1.0)


class MetricsInput(Input):
    """Metrics observed in production."""

    values = serializers.DictField(
        child=StrictFloat(min_value=-LARGEST, max_value=LARGEST),
        allow_empty=False,
        help_text=f"1 to {MAX_METRICS} numbers; names match {METRIC}",
    )


class MetricsWritten(serializers.Serializer[Any]):
    """How many numbers were kept."""

    written = serializers.IntegerField()
