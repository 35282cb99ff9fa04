"""The three shapes of a row — columns of a list, the serializer, the panel — say the same."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rest_framework import serializers

from engines.domain.errors import InvalidInput
from engines.domain.states import STEPS
from engines.models import Cycle, Engine, ModelVersion
from engines.serializers import (
    CYCLE_COLUMNS,
    ENGINE_COLUMNS,
    VERSION_COLUMNS,
    Columns,
    CycleRow,
    CycleSerializer,
    EngineChanges,
    EngineInput,
    EngineRow,
    MetricsInput,
    RetryInput,
    TriggerInput,
    VersionRow,
)
from tests.factories import make_cycle, make_engine, make_steps, make_team, make_version

QUIET = settings(deadline=None, max_examples=40)
SPARE = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.lists(st.integers(), max_size=2)
)
LISTS = [
    (CYCLE_COLUMNS, CycleRow, Cycle),
    (ENGINE_COLUMNS, EngineRow, Engine),
    (VERSION_COLUMNS, VersionRow, ModelVersion),
]


def plain(data: Any) -> Any:
    """Return data as JSON has it; times are texts on one side."""
    return json.loads(json.dumps(data, default=lambda value: value.isoformat().replace("+00:00", "Z")))


@pytest.mark.django_db
@pytest.mark.parametrize(("columns", "serializer", "model"), LISTS)
def test_a_list_and_a_serializer_say_the_same(columns: Columns, serializer: Any, model: Any) -> None:
    engine = make_engine("alpha", team=make_team("north"), roi_history=[{"delta": 1.0}])
    make_version(engine, cycle=make_cycle(engine, decision={"run": True}, roi_delta=0.25))
    names = list(columns.paths)
    rows = columns.rows(list(model.objects.values(*columns.read(names))), names)
    assert plain(rows) == plain(serializer(model.objects.all(), many=True).data)


@pytest.mark.django_db
@pytest.mark.parametrize(("columns", "serializer", "model"), LISTS)
def test_what_was_not_measured_is_null(columns: Columns, serializer: Any, model: Any) -> None:
    engine = make_engine()
    make_version(engine)
    make_cycle(engine, "queued")
    (row,) = serializer(model.objects.all(), many=True).data
    gaps = {"roi_delta", "roi_gain", "value", "cost", "roi_delta_ema", "momentum", "cpu_seconds", "duration"}
    assert {row[name] for name in gaps & set(row)} == {None}


@pytest.mark.django_db
def test_a_cycle_has_its_steps_in_order() -> None:
    cycle = make_cycle()
    make_steps(cycle, done=3)
    data = CycleSerializer(cycle).data
    assert [step["name"] for step in data["steps"]] == list(STEPS)
    assert {step["state"] for step in data["steps"][3:]} == {"pending"}
    assert data["steps"][5]["duration"] is None
    assert data["steps"][5]["progress"] is None


@pytest.mark.parametrize(("columns", "serializer", "model"), LISTS)
def test_fields_can_be_chosen_and_no_others(columns: Columns, serializer: Any, model: Any) -> None:
    assert columns.chosen("") == columns.default
    assert columns.chosen("id,state,id" if "state" in columns.paths else "id,id") in (
        ("id", "state"),
        ("id",),
    )
    assert set(columns.default) <= set(columns.paths) == set(serializer.Meta.fields)
    for wrong in ("lease_token", "id,", " id", "ID", "engine__created_by__password", "x" * 500):
        with pytest.raises(InvalidInput) as caught:
            columns.chosen(wrong)
        assert caught.value.field == "fields"
        assert len(str(caught.value)) < 600


def errors(body: Any, kind: type[serializers.Serializer[Any]] = EngineInput) -> dict[str, Any]:
    checked = kind(data=body)
    checked.is_valid()
    return dict(checked.errors)


@QUIET
@given(SPARE)
@pytest.mark.parametrize(
    "field", ["base_energy", "base_cpu_seconds", "base_trials", "schedule_seconds", "seed"]
)
def test_any_value_is_a_number_of_its_kind_or_refused(field: str, value: Any) -> None:
    found = EngineInput(data={"path": "/bot", field: value})
    if not found.is_valid():
        assert list(found.errors) == [field]
        return
    kept = found.validated_data[field]
    assert (kept is None) == (value is None)
    assert kept is None or (kept == value and not isinstance(value, bool | str))


@pytest.mark.parametrize(
    ("field", "low", "high"),
    [
        ("base_energy", 0.01, 100.0),
        ("base_cpu_seconds", 0.1, 86_400.0),
        ("base_trials", 1, 100_000),
        ("schedule_seconds", 10, 31_536_000),
        ("seed", 0, 2**31 - 1),
    ],
)  # fmt: skip
def test_limits_are_in_and_what_lies_beyond_is_out(field: str, low: float, high: float) -> None:
    step = 1 if isinstance(low, int) else low / 10
    for fine in (low, high):
        assert errors({"path": "/bot", field: fine}) == {}
    for wrong in (low - step, high + step, 10**400, -(10**400)):
        assert list(errors({"path": "/bot", field: wrong})) == [field]


@pytest.mark.parametrize(
    ("kind", "body", "field"),
    [
        (EngineInput, {}, "path"),
        (EngineInput, {"path": ""}, "path"),
        (EngineInput, {"path": 3}, "path"),
        (EngineInput, {"path": "/b", "name": "Big"}, "name"),
        (EngineInput, {"path": "/b", "name": "a" * 64}, "name"),
        (EngineInput, {"path": "/b", "naem": "a"}, "naem"),
        (EngineInput, {"path": "/b", "enabled": True}, "enabled"),
        (EngineChanges, {"enabled": 1}, "enabled"),
        (EngineChanges, {"enabled": "true"}, "enabled"),
        (EngineChanges, {"enabled": None}, "enabled"),
        (EngineChanges, {"roi_ema_alpha": 0}, "roi_ema_alpha"),
        (EngineChanges, {"path": "/b"}, "path"),
        (TriggerInput, {}, "engine"),
        (TriggerInput, {"engine": "a b"}, "engine"),
        (TriggerInput, {"engine": "alpha", "energy": "1"}, "energy"),
        (TriggerInput, {"engine": "alpha", "energy": True}, "energy"),
        (TriggerInput, {"engine": "alpha", "energy": 0}, "energy"),
        (RetryInput, {"from_step": "explode"}, "from_step"),
        (RetryInput, {}, "from_step"),
        (MetricsInput, {"values": {}}, "values"),
        (MetricsInput, {"values": [1]}, "values"),
        (MetricsInput, {"values": {"a": "1"}}, "values"),
        (MetricsInput, {"values": {"a": 1e101}}, "values"),
        (MetricsInput, {"values": {"a": float("nan")}}, "values"),
        (MetricsInput, {"values": {"a": None}}, "values"),
    ],
)
def test_a_wrong_body_is_refused_by_its_field(kind: Any, body: dict[str, Any], field: str) -> None:
    assert list(errors(body, kind)) == [field]


@pytest.mark.parametrize("body", [None, [], "x", 3, [{"path": "/b"}]])
@pytest.mark.parametrize("kind", [EngineInput, EngineChanges, TriggerInput, RetryInput, MetricsInput])
def test_a_body_that_is_no_mapping_is_refused(kind: Any, body: Any) -> None:
    assert not kind(data=body).is_valid()


def test_a_whole_float_is_an_integer_and_a_broken_one_is_not() -> None:
    assert errors({"path": "/b", "base_trials": 5.0}) == {}
    assert list(errors({"path": "/b", "base_trials": 5.5})) == ["base_trials"]


def test_an_empty_change_changes_nothing() -> None:
    found = EngineChanges(data={})
    assert found.is_valid()
    assert found.validated_data == {}
