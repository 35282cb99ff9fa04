"""The made rows of benchmarks: whole, consistent with each other, and gone without a trace."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.db.models import Count, Sum

from engines.models import Cycle, CycleStep, CycleTally, Engine
from forecasting.models import MetricDaily, MetricPoint, RoiEvent
from menace_site.made import rows
from menace_site.made.bare import bare
from menace_site.made.statements import BULK_TABLES
from tests.factories import make_cycle, make_engine, make_point


def run(**options: Any) -> dict[str, Any]:
    out = StringIO()
    call_command("benchmark_data", json=True, stdout=out, **options)
    done: dict[str, Any] = json.loads(out.getvalue())
    return done


@pytest.fixture
def made(db: None) -> dict[str, Any]:
    """200 cycles of 4 engines."""
    return run(cycles=200, engines=4)


def test_counts(made: dict[str, Any]) -> None:
    assert (made["cycles"], made["steps"], made["points"]) == (200, 2000, 2000)
    assert Cycle.objects.count() == 200
    assert CycleStep.objects.count() == MetricPoint.objects.count() == 2000
    per_engine = Cycle.objects.order_by().values_list("engine__name").annotate(Count("id"))
    assert dict(per_engine) == {f"bench-{number:03}": 50 for number in range(4)}


def test_cycles_are_ended_and_in_order_of_time(made: dict[str, Any]) -> None:
    cycles = list(Cycle.objects.order_by("id"))
    assert all(cycle.is_terminal for cycle in cycles)
    assert {cycle.state for cycle in cycles} >= {"done", "skipped", "failed"}
    assert [cycle.created_at for cycle in cycles] == sorted(cycle.created_at for cycle in cycles)
    assert all((cycle.roi_delta is None) == (cycle.state != "done") for cycle in cycles)


def test_roll_ups_and_tallies_agree_with_the_rows(made: dict[str, Any]) -> None:
    assert MetricDaily.objects.aggregate(Sum("count"))["count__sum"] == 2000
    assert CycleTally.objects.aggregate(Sum("count"))["count__sum"] == 200
    assert RoiEvent.objects.count() == Cycle.objects.filter(roi_delta__isnull=False).count()
    done = CycleStep.objects.filter(state="done").order_by().values_list("cycle").annotate(Count("id"))
    assert all(number == Cycle.objects.get(pk=cycle).steps_done for cycle, number in done)


def test_engines_end_where_their_last_measured_cycle_did(made: dict[str, Any]) -> None:
    for engine in Engine.objects.all():
        last = engine.cycles.filter(roi_delta__isnull=False).first()
        assert last is not None
        assert (engine.roi_delta_ema, engine.momentum) == (last.roi_delta_ema, last.momentum)
        assert engine.roi_history[-1]["cycle"] == last.pk


def test_the_same_seed_makes_the_same_lives(db: None) -> None:
    def lives() -> list[Any]:
        run(cycles=50, engines=2, seed=3)
        found = list(Cycle.objects.order_by("id").values_list("state", "roi_delta", "duration"))
        run(remove=True)
        return found

    assert lives() == lives()


def schema() -> list[tuple[str, str]]:
    """Return every index and constraint of the tables that many rows go into."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index
            WHERE indrelid = ANY(%(tables)s::regclass[])
            UNION ALL
            SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
            WHERE conrelid = ANY(%(tables)s::regclass[]) ORDER BY 1, 2
            """,
            {"tables": list(BULK_TABLES)},
        )
        return list(cursor.fetchall())


def test_many_rows_leave_every_index_and_constraint_as_it_was(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_cycle()
    monkeypatch.setattr(rows, "MANY", 100)
    before = schema()
    run(cycles=150, engines=2)
    assert schema() == before
    assert len(before) > 25
    assert MetricDaily.objects.aggregate(Sum("count"))["count__sum"] == 1500


def test_a_failure_leaves_them_too(db: None) -> None:
    make_cycle()
    before = schema()
    with pytest.raises(ZeroDivisionError):
        fail_within()
    assert schema() == before


@transaction.atomic
def fail_within() -> None:
    there = len(schema())
    with connection.cursor() as cursor, bare(cursor, BULK_TABLES):
        assert len(schema()) < there - 20
        raise ZeroDivisionError


def test_the_last_value_of_a_day_is_the_latest(made: dict[str, Any]) -> None:
    day = MetricDaily.objects.order_by("?")[0]
    points = MetricPoint.objects.filter(subject=day.subject, name=day.name, at__date=day.day)
    assert day.last == points.order_by("-at", "-id")[0].value
    assert day.high == max(point.value for point in points)


def test_remove_leaves_other_rows_alone(made: dict[str, Any]) -> None:
    kept = make_cycle(make_engine("alpha"))
    make_point("alpha")
    assert run(remove=True)["removed"] > 4000
    assert list(Cycle.objects.all()) == [kept]
    assert MetricPoint.objects.count() == 1
    assert not MetricDaily.objects.exists()


@pytest.mark.parametrize("options", [{}, {"cycles": 0}, {"cycles": 10**9}, {"cycles": 1, "engines": 501}])
def test_refused(db: None, options: dict[str, int]) -> None:
    with pytest.raises(CommandError, match="--cycles takes"):
        run(**options)
