"""What Prometheus reads of orphan modules, from rows at each scrape: several processes always agree."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from django.db.models import Count, Q
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from orphans.domain.findings import Classification
from orphans.domain.states import SETTLED
from orphans.models import OrphanModule, OrphanTally
from orphans.services import tallies

MAX_SUBJECTS: Final = 500

TALLIES: Final[Mapping[str, tuple[str, str]]] = {
    "orphan_modules_tested_total": (tallies.TESTED, "Self-tests of orphan modules with a verdict."),
    "orphan_modules_reintroduced_total": (tallies.REINTRODUCED, "Modules taken into the module map."),
    "orphan_modules_failed_total": (tallies.FAILED, "Self-tests of orphan modules that failed."),
    "orphan_modules_reclassified_total": (tallies.RECLASSIFIED, "Modules that were classified anew."),
    "orphan_modules_side_effects_total": (tallies.SIDE_EFFECTS, "Side effects attempted in self-tests."),
    "isolated_modules_discovered_total": (tallies.ISOLATED_DISCOVERED, "Isolated modules that scans found."),
    "isolated_modules_integrated_total": (
        tallies.ISOLATED_INTEGRATED,
        "Isolated modules taken into the module map.",
    ),
}
"""Gauges that only grow, by the tally they show; names as the specification has them."""

CURRENT: Final[Mapping[str, tuple[Q, str]]] = {
    "orphan_modules_redundant_total": (
        Q(redundant=True) | Q(classification=Classification.REDUNDANT),
        "Modules judged redundant that are still in the queue.",
    ),
    "orphan_modules_legacy_total": (
        Q(classification=Classification.LEGACY),
        "Modules judged legacy that are still in the queue.",
    ),
}
"""Gauges that go up and down."""


def families() -> Iterator[Metric]:
    """Return all metric families about orphan modules; a subject without any has no sample."""
    subjects = _subjects()
    grown = {(row.subject, row.name): row.count for row in OrphanTally.objects.filter(subject__in=subjects)}
    for metric, (name, text) in TALLIES.items():
        family = GaugeMetricFamily(metric, text, labels=["subject"])
        for subject in subjects:
            family.add_metric([subject], grown.get((subject, name), 0))
        yield family
    counted = _current(subjects)
    for metric, (_, text) in CURRENT.items():
        family = GaugeMetricFamily(metric, text, labels=["subject"])
        for subject in subjects:
            family.add_metric([subject], counted.get(subject, {}).get(metric, 0))
        yield family


def _subjects() -> list[str]:
    rows = OrphanModule.objects.order_by("subject").values_list("subject", flat=True)
    return list(rows.distinct()[:MAX_SUBJECTS])


def _current(subjects: list[str]) -> dict[str, dict[str, int]]:
    """Return the counts of `CURRENT` by subject, in one statement."""
    counts = {metric: Count("id", filter=which) for metric, (which, _) in CURRENT.items()}
    judged = Q(redundant=True) | Q(classification__in=[Classification.REDUNDANT, Classification.LEGACY])
    rows = OrphanModule.objects.filter(judged, subject__in=subjects).exclude(state__in=SETTLED)
    found: list[Any] = list(rows.order_by().values("subject").annotate(**counts))
    return {row.pop("subject"): row for row in found}
