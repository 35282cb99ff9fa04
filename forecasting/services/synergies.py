"""Writes what running modules together added over running each alone."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction

from forecasting.domain.metrics import PREFIX, Raw, short
from forecasting.domain.synergy import Smoothed, synergy
from forecasting.models import SynergySample
from forecasting.models.tracking import SCENARIO_CHARS, SOURCE_CHARS, SUBJECT_CHARS

SEEN = 64
"""Newest samples that the next one is foretold from."""


def record_synergy(
    subject: str,
    source: str,
    *,
    combined: Sequence[Raw] = (),
    alone: Sequence[Sequence[Raw]] = (),
    metrics: Mapping[str, float | None] | None = None,
    roi_delta: float | None = None,
    scenario: str = "",
    resources: Mapping[str, float] | None = None,
) -> SynergySample | None:
    """Keep what `source` measured of running parts together, once; a repeated call replaces it.

    `combined` and `alone`: raw numbers of the repeats, as of `forecasting.domain.metrics.RAW`; `metrics`:
    synergy metrics that were computed already. None where nothing at all was measured. Raises ValueError
    for unknown metrics, bad names and numbers that are not finite.
    """
    _check(subject, source, scenario)
    given = {PREFIX + short(name): value for name, value in (metrics or {}).items() if value is not None}
    found = {**synergy(combined, alone), **given}
    numbers = {**found, **(resources or {}), "roi_delta": 0.0 if roi_delta is None else roi_delta}
    if not all(map(math.isfinite, numbers.values())):
        raise ValueError("only finite numbers are measured")
    if not found and roi_delta is None:
        return None
    defaults: dict[str, Any] = {"metrics": found, "roi_delta": roi_delta, "resources": dict(resources or {})}
    with transaction.atomic():
        own = SynergySample.objects.filter(subject=subject, scenario=scenario, source=source).first()
        defaults["predicted"] = foretold(subject, scenario, before=own.pk if own else None)
        row, _ = SynergySample.objects.update_or_create(
            defaults, subject=subject, scenario=scenario, source=source
        )
    return row


def foretold(subject: str, scenario: str = "", *, before: int | None = None) -> dict[str, float]:
    """Return the next value of each synergy metric of a subject, from its newest samples."""
    rows = SynergySample.objects.filter(subject=subject, scenario=scenario)
    earlier = rows if before is None else rows.filter(pk__lt=before)
    newest = list(earlier.order_by("-at", "-id").values_list("metrics", flat=True)[:SEEN])[::-1]
    series: dict[str, Smoothed] = {}
    for metrics in newest:
        for name, value in metrics.items():
            series.setdefault(name, Smoothed()).add(value)
    return {name: each.level for name, each in series.items() if each.level is not None}


def _check(subject: str, source: str, scenario: str) -> None:
    if not 0 < len(subject) <= SUBJECT_CHARS or not 0 < len(source) <= SOURCE_CHARS:
        raise ValueError(f"a subject has 1 to {SUBJECT_CHARS} characters, a source 1 to {SOURCE_CHARS}")
    if len(scenario) > SCENARIO_CHARS:
        raise ValueError(f"a scenario has at most {SCENARIO_CHARS} characters")
