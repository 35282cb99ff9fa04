"""Brief steps: written together, and none the less lost, doubled or hidden."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from engines.domain.cycle import Idle, NotConfiguredPart, Part, StepContext
from engines.domain.results import SYSTEM, StepOutcome
from engines.domain.states import STEPS, Control, StepState
from engines.models import Cycle
from engines.services import runner
from engines.services.cycles import resume_cycle, run_cycle
from engines.services.leases import claim
from engines.services.parts import default_parts
from engines.signals import step_changed
from tests.engines.moving import Act, Does, expire, queued, step_of
from tests.factories import make_engine

pytestmark = pytest.mark.django_db


class Brief(Does):
    """A step that says of itself that it is brief, and writes nothing."""

    brief = True

    def commit(self, context: StepContext, outcome: StepOutcome) -> None:
        raise AssertionError("a brief step has no rows of its own")


def brief_but(real: dict[str, Part] | None = None, **acts: Act) -> dict[str, Part]:
    """Return brief parts, except the real ones."""
    return {name: Brief(acts.get(name)) for name in STEPS} | (real or {})


@pytest.fixture
def cycle() -> Cycle:
    return queued(make_engine())


@pytest.fixture
def news() -> Iterator[list[tuple[str, str]]]:
    """What is told of steps: (step, state)."""
    told: list[tuple[str, str]] = []

    def note(step: str, state: str, **_: Any) -> None:
        told.append((step, str(state)))

    step_changed.connect(note)
    yield told
    step_changed.disconnect(note)


def states(cycle: Cycle) -> list[str]:
    """Return the state of each step, in order."""
    return list(cycle.steps.order_by("position").values_list("state", flat=True))


def writes(run: Callable[[], object]) -> int:
    """Return how many statements write rows of steps."""
    with CaptureQueriesContext(connection) as seen:
        run()
    return sum("UPDATE engines_cyclestep" in query["sql"] for query in seen.captured_queries)


def test_only_what_does_nothing_is_brief_unasked() -> None:
    class Runs(Idle):
        def run(self, context: StepContext) -> StepOutcome:
            return StepOutcome(state="done")

    class Writes(Idle):
        def commit(self, context: StepContext, outcome: StepOutcome) -> None:
            """Write something."""

    assert Idle().brief
    assert NotConfiguredPart("nothing there").brief
    assert not Runs().brief
    assert not Writes().brief
    assert {name for name, part in default_parts().items() if not part.brief} >= {
        "inspect",
        "retrain",
        "measure",
    }


def test_a_row_of_brief_steps_is_one_write(cycle: Cycle, news: list[tuple[str, str]]) -> None:
    assert writes(lambda: run_cycle(cycle.pk, owner="w", parts=brief_but())) == 1
    cycle.refresh_from_db()
    assert (cycle.state, cycle.steps_done) == ("done", 10)
    assert cycle.cpu_seconds == pytest.approx(5.0)
    assert news == [(name, state) for name in STEPS for state in ("running", "done")]


def test_their_rows_say_what_those_of_other_steps_say(cycle: Cycle) -> None:
    run_cycle(cycle.pk, owner="w", parts=brief_but(patch=lambda _: time.sleep(0.02)))
    rows = list(cycle.steps.order_by("position"))
    assert {(row.state, row.attempt, row.progress, row.result["run"]) for row in rows} == {
        ("done", 1, 1.0, 1)
    }
    times = [at for row in rows for at in (row.started_at, row.finished_at) if at]
    assert times == sorted(times)
    assert len(times) == 20
    took = times[3] - times[2]
    assert took.total_seconds() == pytest.approx(rows[1].duration, abs=1e-4)
    assert took.total_seconds() >= 0.02


def test_another_step_is_shown_as_running_before_it_runs(cycle: Cycle) -> None:
    seen: list[list[str]] = []

    def look(context: StepContext) -> None:
        seen.append(states(cycle))
        assert dict(context.results)["patch"] == {"run": 1}

    assert run_cycle(cycle.pk, owner="w", parts=brief_but({"retrain": Does(look)})) == "done"
    assert seen == [["done", "done", "running", *["pending"] * 7]]
    assert states(cycle) == ["done"] * 10


def test_brief_steps_that_took_a_moment_are_written_at_once(
    cycle: Cycle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "TOGETHER_SECONDS", -1.0)
    assert writes(lambda: run_cycle(cycle.pk, owner="w", parts=brief_but())) == 10


def test_a_death_among_brief_steps_only_repeats_them(cycle: Cycle) -> None:
    def die(context: StepContext) -> None:
        raise SystemExit

    dying = brief_but({"patch": Does()}, gate=die)
    with pytest.raises(SystemExit):
        run_cycle(cycle.pk, owner="w", parts=dying)
    assert states(cycle) == ["done", "done", *["pending"] * 8]
    expire(cycle)
    calm = brief_but({"patch": Does()})
    assert run_cycle(cycle.pk, owner="v", parts=calm) == "done"
    assert {row.attempt for row in cycle.steps.all()} == {1}
    assert [part.runs for part in calm.values() if isinstance(part, Does)] == [0, 0, *[1] * 8]


def test_a_brief_step_fails_under_its_own_name(cycle: Cycle) -> None:
    def fail(context: StepContext) -> None:
        raise KeyError("x")

    assert run_cycle(cycle.pk, owner="w", parts=brief_but(orphans=fail)) == "failed"
    cycle.refresh_from_db()
    assert cycle.message == "orphans: 'x'"
    assert states(cycle) == ["done"] * 3 + ["failed"] + ["skipped"] * 6
    assert step_of(cycle, "orphans").attempt == 1


@pytest.mark.parametrize("wished", [Control.PAUSE, Control.CANCEL])
def test_a_wish_among_brief_steps_is_obeyed(cycle: Cycle, wished: Control) -> None:
    def wish(context: StepContext) -> None:
        Cycle.objects.filter(pk=context.cycle_id).update(control=wished)

    ended = run_cycle(cycle.pk, owner="w", parts=brief_but(orphans=wish))
    cycle.refresh_from_db()
    assert ended == cycle.state == {"pause": "paused", "cancel": "cancelled"}[wished]
    assert cycle.steps_done == 0
    if wished == Control.PAUSE:
        resume_cycle(cycle.pk, actor=SYSTEM)
        assert run_cycle(cycle.pk, owner="w", parts=brief_but()) == "done"
        assert {row.attempt for row in cycle.steps.all()} == {1}


def test_an_overtaken_worker_writes_none_of_them(cycle: Cycle) -> None:
    def lose(context: StepContext) -> None:
        expire(cycle)
        assert claim(cycle.pk, owner="rival")

    assert run_cycle(cycle.pk, owner="w", parts=brief_but(flag=lose)) == "lease lost"
    cycle.refresh_from_db()
    assert (cycle.lease_owner, cycle.steps_done) == ("rival", 0)
    assert set(states(cycle)) == {StepState.PENDING}


def test_a_brief_step_may_end_the_cycle(cycle: Cycle) -> None:
    stop = StepOutcome(state="skipped", note="nothing new", stop=True)
    assert run_cycle(cycle.pk, owner="w", parts=brief_but(patch=lambda _: stop)) == "skipped"
    assert states(cycle) == ["done", *["skipped"] * 9]
    assert step_of(cycle, "patch").note == "nothing new"


def test_a_slice_that_is_over_ends_after_a_brief_step_too(
    cycle: Cycle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "SLICE_SECONDS", -1.0)
    assert [run_cycle(cycle.pk, owner="w", parts=brief_but()) for _ in STEPS] == ["queued"] * 9 + ["done"]
    assert states(cycle) == ["done"] * 10


@pytest.mark.django_db(transaction=True)
def test_a_connection_cut_among_brief_steps_loses_and_doubles_nothing() -> None:
    cycle, cuts = queued(make_engine()), iter([True])

    def cut(context: StepContext) -> None:
        if next(cuts, False):
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    assert run_cycle(cycle.pk, owner="w", parts=brief_but(evolve=cut)) == "done"
    cycle.refresh_from_db()
    assert (cycle.lease_token, cycle.steps_done, states(cycle)) == (1, 10, ["done"] * 10)
