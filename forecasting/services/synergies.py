"""Writes what running modules together added over running each alone."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings
from django.db import transaction

from forecasting.domain import synergy_ahead
from forecasting.domain.finite import is_finite
from forecasting.domain.metrics import PREFIX, Raw, short
from forecasting.domain.synergy import synergy
from forecasting.models import SynergySample
from forecasting.models.tracking import SCENARIO_CHARS, SOURCE_CHARS, SUBJECT_CHARS
from forecasting.services import predictor

Metrics = dict[str, float]
ROI = f"{PREFIX}roi"

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
    if not all(map(is_finite, numbers.values())):
        raise ValueError("only finite numbers are measured")
    if not found and roi_delta is None:
        return None
    defaults: dict[str, Any] = {"roi_delta": roi_delta, "resources": dict(resources or {})}
    with transaction.atomic():
        own = SynergySample.objects.filter(subject=subject, scenario=scenario, source=source).first()
        earlier = _newest(subject, scenario, before=own.pk if own else None)
        defaults["metrics"] = {**_of_history(earlier, found), **found}
        defaults["predicted"] = {name: each["value"] for name, each in _ahead(earlier).items()}
        defaults["ahead"] = _ahead([*earlier, defaults["metrics"]])
        row, _ = SynergySample.objects.update_or_create(
            defaults, subject=subject, scenario=scenario, source=source
        )
    return row


def _of_history(earlier: Sequence[Metrics], found: Metrics) -> Metrics:
    """Return what the history of `synergy_roi` gives beside its new value; nothing without one."""
    if ROI not in found:
        return {}
    values = [*(row[ROI] for row in earlier if ROI in row), found[ROI]]
    told = synergy_ahead.of_history(values[-SEEN:], predictor.answer)
    return {PREFIX + name: value for name, value in told.items() if math.isfinite(value)}


def foretold(subject: str, scenario: str = "", *, before: int | None = None) -> dict[str, float]:
    """Return the next value of each synergy metric of a subject, from its newest samples."""
    found = _ahead(_newest(subject, scenario, before=before))
    return {name: each["value"] for name, each in found.items()}


def predict_synergy_metric(subject: str, name: str, scenario: str = "") -> float | None:
    """Return the next value of a synergy metric of a recorded subject; None: it was never measured.

    Raises ValueError for a name that the table of metrics doesn't have.
    """
    return foretold(subject, scenario).get(PREFIX + short(name))


def _newest(subject: str, scenario: str, *, before: int | None) -> list[Metrics]:
    """Return the metrics of the newest `SEEN` samples, oldest first."""
    rows = SynergySample.objects.filter(subject=subject, scenario=scenario)
    earlier = rows if before is None else rows.filter(pk__lt=before)
    return list(earlier.order_by("-at", "-id").values_list("metrics", flat=True)[:SEEN])[::-1]


def _ahead(rows: Sequence[Metrics]) -> dict[str, dict[str, Any]]:
    given = settings.SANDBOX
    return synergy_ahead.ahead_of_all(
        rows, predictor.answer, short=given.synergy_forecast_method, long=given.sandbox_synergy_model
    )


def _check(subject: str, source: str, scenario: str) -> None:
    if not 0 < len(subject) <= SUBJECT_CHARS or not 0 < len(source) <= SOURCE_CHARS:
        raise ValueError(f"a subject has 1 to {SUBJECT_CHARS} characters, a source 1 to {SOURCE_CHARS}")
    if len(scenario) > SCENARIO_CHARS:
        raise ValueError(f"a scenario has at most {SCENARIO_CHARS} characters")
