"""What Prometheus reads of the engines, from real rows."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from engines import gauges
from engines.models import CycleTally, Promotion
from engines.services.tallies import BOUNDS, NEVER_STARTED, bucket
from engines.signals import cycle_finished
from tests.engines.promoting import applied, make_promotion
from tests.factories import make_cycle, make_cycles, make_engine

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def samples() -> Samples:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in gauges.families()
        for sample in family.samples
    }


def get(found: Samples, name: str, **labels: str) -> float | None:
    return found.get((name, tuple(sorted(labels.items()))))


def end(cycle: object) -> None:
    cycle_finished.send(sender=type(cycle), cycle=cycle)


@pytest.mark.parametrize(
    ("seconds", "index"),
    [(None, NEVER_STARTED), (0.0, 0), (0.1, 0), (0.11, 1), (14400.0, 9), (1e9, len(BOUNDS))],
)
def test_bucket(seconds: float | None, index: int) -> None:
    assert bucket(seconds) == index


def test_engine_gauges(db: None) -> None:
    history = [{"delta": 0.1}, {"delta": -0.25}]
    ended = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    make_engine("alpha", roi_delta_ema=0.4, momentum=0.5, last_cycle_at=ended, roi_history=history)
    found = samples()
    assert get(found, "menace_roi_delta", engine="alpha") == -0.25
    assert get(found, "menace_roi_delta_ema", engine="alpha") == 0.4
    assert get(found, "menace_momentum", engine="alpha") == 0.5
    assert get(found, "menace_last_cycle_timestamp_seconds", engine="alpha") == ended.timestamp()
    assert get(found, "menace_engine_enabled", engine="alpha") == 1


def test_what_was_not_measured_has_no_sample(db: None) -> None:
    make_engine("alpha", enabled=False)
    found = samples()
    assert get(found, "menace_roi_delta", engine="alpha") is None
    assert get(found, "menace_roi_delta_ema", engine="alpha") is None
    assert get(found, "menace_queue_oldest_seconds") is None
    assert get(found, "menace_engine_enabled", engine="alpha") == 0
    assert get(found, "menace_queue_depth") == 0


def test_cycles_of_now(db: None) -> None:
    alpha, beta = make_engine("alpha"), make_engine("beta")
    make_cycle(alpha, "running")
    make_cycle(beta, "quarantined")
    old = timezone.now() - dt.timedelta(minutes=5)
    make_cycle(beta, "queued", created_at=old)
    make_cycle(beta, "queued")
    make_cycle(alpha, "queued")
    found = samples()
    assert get(found, "menace_cycles", engine="alpha", state="running") == 1
    assert get(found, "menace_cycles", engine="beta", state="queued") == 2
    assert get(found, "menace_cycles", engine="beta", state="quarantined") == 1
    assert get(found, "menace_queue_depth") == 3
    assert get(found, "menace_queue_oldest_seconds") == pytest.approx(300, abs=5)


def test_ended_cycles_and_their_durations(db: None) -> None:
    alpha = make_engine("alpha")
    for state, duration in (("done", 0.3), ("done", 2.0), ("failed", 1e6), ("cancelled", None)):
        end(make_cycle(alpha, state, duration=duration))
    found = samples()
    assert get(found, "menace_cycles_finished_total", engine="alpha", state="done") == 2
    assert get(found, "menace_cycles_finished_total", engine="alpha", state="cancelled") == 1
    assert get(found, "menace_cycle_duration_seconds_bucket", engine="alpha", le="0.5") == 1
    assert get(found, "menace_cycle_duration_seconds_bucket", engine="alpha", le="5") == 2
    assert get(found, "menace_cycle_duration_seconds_bucket", engine="alpha", le="+Inf") == 3
    assert get(found, "menace_cycle_duration_seconds_count", engine="alpha") == 3
    assert get(found, "menace_cycle_duration_seconds_sum", engine="alpha") == pytest.approx(1000002.3)


def test_the_tally_never_falls(db: None) -> None:
    alpha = make_engine("alpha")
    cycle = make_cycle(alpha, "failed")
    end(cycle)
    cycle.delete()
    assert get(samples(), "menace_cycles_finished_total", engine="alpha", state="failed") == 1


def test_disturbed_cycles(db: None) -> None:
    alpha = make_engine("alpha")
    make_cycle(alpha, fenced=2, takeovers=1)
    make_cycle(alpha, takeovers=1)
    found = samples()
    assert get(found, "menace_fenced_writes_total", engine="alpha") == 2
    assert get(found, "menace_takeovers_total", engine="alpha") == 2


def queries_at(rows: int) -> int:
    make_cycles(rows, make_engine())
    with CaptureQueriesContext(connection) as queries:
        samples()
    return len(queries)


def test_queries_do_not_grow(db: None) -> None:
    assert queries_at(10) == queries_at(1000) == 5


def test_labels_are_bounded(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gauges, "MAX_ENGINES", 2)
    for name in ("a", "b", "c"):
        end(make_cycle(make_engine(name)))
    engines = {dict(labels).get("engine") for _, labels in samples()} - {None}
    assert engines == {"a", "b"}
    assert CycleTally.objects.count() == 3


def test_promotions_that_wait_and_rollbacks_that_are_proposed(db: None) -> None:
    waiting, live = make_promotion(), applied()
    Promotion.objects.filter(pk=live.pk).update(alarm={"text": "low"})

    found = samples()

    assert get(found, "menace_promotions", engine=waiting.engine.name, state="waiting") == 1.0
    assert get(found, "menace_promotions", engine=live.engine.name, state="applied") is None
    assert (get(found, "menace_promotion_oldest_seconds", engine=waiting.engine.name) or 0) >= 0.0
    assert get(found, "menace_rollbacks_proposed", engine=live.engine.name) == 1.0
    assert get(found, "menace_rollbacks_proposed", engine=waiting.engine.name) is None
