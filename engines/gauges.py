"""What Prometheus reads of the engines, computed from rows at each scrape: several processes always agree.

Five queries whose cost doesn't grow with the number of ended cycles. Labels come from a bounded set: the
names of at most `MAX_ENGINES` engines, and the states. What was not measured has no sample.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from django.db.models import Count, F, Min, Q, Sum
from django.db.models.functions import Extract, Now
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric

from engines.domain.promotion import OPEN, UNDER_WAY, PromotionState
from engines.domain.states import CycleState
from engines.models import Cycle, CycleTally, Engine, Promotion
from engines.services.tallies import BOUNDS, NEVER_STARTED

MAX_ENGINES = 500
NOW = (CycleState.QUEUED, CycleState.RUNNING, CycleState.PAUSED, CycleState.QUARANTINED)
Names = dict[int, str]


@dataclass(frozen=True)
class EngineGauge:
    """One gauge with a sample an engine."""

    name: str
    help: str
    column: str


ENGINE_GAUGES = (
    EngineGauge("menace_engine_enabled", "1 when the engine is switched on.", "enabled"),
    EngineGauge("menace_roi_delta", "ROI delta of the latest measured cycle.", "delta"),
    EngineGauge("menace_roi_delta_ema", "Moving average of the ROI deltas.", "roi_delta_ema"),
    EngineGauge("menace_momentum", "Share of successes among the latest cycles.", "momentum"),
    EngineGauge("menace_last_cycle_timestamp_seconds", "End of the latest cycle, Unix time.", "last"),
)


def families() -> Iterator[Metric]:
    """Return all metric families of the engines."""
    rows = _engines()
    names: Names = {row["id"]: row["name"] for row in rows}
    yield from (_engine_gauge(gauge, rows) for gauge in ENGINE_GAUGES)
    yield from _current(names)
    yield from _ended(names)
    yield from _disturbed(names)
    yield from _promotions(names)


def _engines() -> Sequence[Mapping[str, Any]]:
    ended = Extract("last_cycle_at", "epoch")
    latest = Engine.objects.annotate(delta=F("roi_history__-1__delta"), last=ended)
    columns = ("id", "name", *(gauge.column for gauge in ENGINE_GAUGES))
    return list(latest.order_by("name").values(*columns)[:MAX_ENGINES])


def _engine_gauge(gauge: EngineGauge, rows: Iterable[Mapping[str, Any]]) -> Metric:
    family = GaugeMetricFamily(gauge.name, gauge.help, labels=["engine"])
    for row in rows:
        if row[gauge.column] is not None:
            family.add_metric([row["name"]], float(row[gauge.column]))
    return family


def _current(names: Names) -> Iterator[Metric]:
    """Yield how many cycles wait, run, pause or lie in quarantine now, and how long the oldest has waited."""
    family = GaugeMetricFamily("menace_cycles", "Cycles in this state now.", labels=["engine", "state"])
    oldest = GaugeMetricFamily("menace_queue_oldest_seconds", "Age of the cycle that waits longest.")
    depth, ages = 0, []
    for row in _current_rows():
        if row["engine"] in names:
            family.add_metric([names[row["engine"]], row["state"]], row["cycles"])
        if row["state"] == CycleState.QUEUED:
            depth += row["cycles"]
            ages.append(row["age"].total_seconds())
    if ages:
        oldest.add_metric([], max(ages))
    yield from (family, oldest, GaugeMetricFamily("menace_queue_depth", "Cycles that wait.", value=depth))


def _current_rows() -> Iterable[Mapping[str, Any]]:
    here = Cycle.objects.filter(state__in=NOW).order_by().values("engine", "state")
    return here.annotate(cycles=Count("id"), age=Now() - Min("created_at"))


def _ended(names: Names) -> Iterator[Metric]:
    """Yield counts of ended cycles and the histogram of their durations, from the tally."""
    counter = CounterMetricFamily("menace_cycles_finished", "Ends of cycles.", labels=["engine", "state"])
    histogram = HistogramMetricFamily("menace_cycle_duration_seconds", "Start to end.", labels=["engine"])
    ends: dict[tuple[int, str], int] = defaultdict(int)
    buckets: dict[int, list[int]] = {}
    seconds: dict[int, float] = defaultdict(float)
    for engine, state, bucket, count, total in CycleTally.objects.filter(engine__in=names).values_list(
        "engine", "state", "bucket", "count", "seconds"
    ):
        ends[engine, state] += count
        if bucket != NEVER_STARTED:
            buckets.setdefault(engine, [0] * (len(BOUNDS) + 1))[bucket] += count
            seconds[engine] += total
    for (engine, state), count in sorted(ends.items()):
        counter.add_metric([names[engine], state], count)
    for engine, counts in sorted(buckets.items()):
        histogram.add_metric([names[engine]], _cumulative(counts), seconds[engine])
    yield from (counter, histogram)


def _cumulative(counts: list[int]) -> list[tuple[str, float]]:
    bounds = [*(f"{bound:g}" for bound in BOUNDS), "+Inf"]
    return list(zip(bounds, accumulate(counts), strict=True))


def _disturbed(names: Names) -> Iterator[Metric]:
    """Yield writes refused to workers without the lease and cycles taken over from dead workers."""
    fenced = CounterMetricFamily(
        "menace_fenced_writes", "Writes refused without the lease.", labels=["engine"]
    )
    takeovers = CounterMetricFamily(
        "menace_takeovers", "Cycles taken over from a lost worker.", labels=["engine"]
    )
    rows = Cycle.objects.filter(Q(fenced__gt=0) | Q(takeovers__gt=0)).order_by().values("engine")
    for row in rows.annotate(refused=Sum("fenced"), taken=Sum("takeovers")):
        if row["engine"] in names:
            fenced.add_metric([names[row["engine"]]], row["refused"])
            takeovers.add_metric([names[row["engine"]]], row["taken"])
    yield from (fenced, takeovers)


def _promotions(names: Names) -> Iterator[Metric]:
    """Yield what waits for people or a worker, how long the oldest has, and proposed roll-backs."""
    family = GaugeMetricFamily(
        "menace_promotions", "Promotions in this state now.", labels=["engine", "state"]
    )
    oldest = GaugeMetricFamily(
        "menace_promotion_oldest_seconds", "Age of the promotion that waits longest.", labels=["engine"]
    )
    left = GaugeMetricFamily(
        "menace_rollbacks_proposed",
        "Applied promotions whose ROI left the forecast's band.",
        labels=["engine"],
    )
    ages: dict[int, float] = defaultdict(float)
    for row in _promotion_rows(names):
        if row["state"] == PromotionState.APPLIED:
            left.add_metric([names[row["engine"]]], row["rows"])
            continue
        family.add_metric([names[row["engine"]], row["state"]], row["rows"])
        ages[row["engine"]] = max(ages[row["engine"]], row["age"].total_seconds())
    for engine, age in sorted(ages.items()):
        oldest.add_metric([names[engine]], age)
    yield from (family, oldest, left)


def _promotion_rows(names: Names) -> Iterable[Mapping[str, Any]]:
    """Count by engine and state; of the applied ones those alone whose roll-back is proposed."""
    asked = Q(state=PromotionState.APPLIED, alarm__isnull=False, alarm_kept_at=None)
    here = Promotion.objects.filter(Q(state__in=(*OPEN, *UNDER_WAY)) | asked, engine__in=names).order_by()
    return here.values("engine", "state").annotate(rows=Count("id"), age=Now() - Min("created_at"))
