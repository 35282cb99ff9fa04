"""What scenarios did to a subject's ROI and to the metrics of synergy, newest beside the one before."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import OuterRef, Subquery

from forecasting.domain.confidence import SHORT, risk_adjusted
from forecasting.models import SynergySample, Verdict
from forecasting.panels.outcomes import MAX_OUTCOMES, is_number

Panel = dict[str, Any]
MAX_SCENARIOS = 50
LATEST = max(2, SHORT)
"""Samples of a scenario that are looked at: the newest, the one before, and those of the spread."""


def scenario_panel(subjects: Sequence[str]) -> Panel:
    """Return the newest measurement of each scenario, beside the one before it.

    Keys, each by scenario: `scenario_roi_deltas`, `scenario_raroi` (the same with the risk taken off: the
    latest verdict on the subject and the spread of the scenario's latest deltas; None where no verdict was
    made), `scenario_metrics_delta` (newest value of each synergy metric minus the one before) and
    `scenario_synergy_delta` (the same of the ROI's synergy);
    `worst_scenario`: the one with the lowest ROI delta, None without any. What was not measured twice has no
    change.
    """
    rows = _by_scenario(subjects)
    deltas = {name: found[0]["roi_delta"] for name, found in rows.items()}
    known = {name: value for name, value in deltas.items() if value is not None}
    changes = {name: _changes(found[:2]) for name, found in rows.items()}
    return {
        "scenario_roi_deltas": deltas,
        "scenario_raroi": {name: _adjusted(found) for name, found in rows.items()},
        "scenario_metrics_delta": changes,
        "scenario_synergy_delta": {name: each.get("synergy_roi") for name, each in changes.items()},
        "worst_scenario": min(known, key=lambda name: known[name]) if known else None,
    }


def _by_scenario(subjects: Sequence[str]) -> dict[str, list[Mapping[str, Any]]]:
    """Return by scenario its latest samples, the newest first, of the newest `MAX_OUTCOMES` samples."""
    verdicts = Verdict.objects.filter(subject=OuterRef("subject")).values("p_collapse")
    samples = SynergySample.objects.filter(subject__in=subjects).exclude(scenario="").order_by("-at", "-id")
    columns = samples.values("subject", "scenario", "roi_delta", "metrics", p_collapse=Subquery(verdicts[:1]))
    found: dict[str, list[Mapping[str, Any]]] = {}
    for row in columns[:MAX_OUTCOMES]:
        latest = found.setdefault(row["scenario"], [])
        if len(latest) < LATEST:
            latest.append(row)
    return dict(sorted(found.items())[:MAX_SCENARIOS])


def _adjusted(rows: Sequence[Mapping[str, Any]]) -> float | None:
    """Return the newest ROI delta with the risk taken off; None where delta or risk was not measured."""
    newest = rows[0]
    if newest["roi_delta"] is None or newest["p_collapse"] is None:
        return None
    own = [row["roi_delta"] for row in rows if row["subject"] == newest["subject"]]
    recent = [delta for delta in reversed(own) if delta is not None]
    return risk_adjusted(newest["roi_delta"], p_collapse=newest["p_collapse"], recent=recent).value


def _changes(pair: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    if len(pair) < 2:
        return {}
    newest, before = (row["metrics"] if isinstance(row["metrics"], dict) else {} for row in pair)
    both = [name for name in newest if is_number(newest[name]) and is_number(before.get(name))]
    return {name: newest[name] - before[name] for name in sorted(both)}
