"""Promotions for tests of pages, with frozen evidence of every kind and the gate's own decision."""

import datetime as dt
from typing import Any

from django.utils import timezone

from engines.domain.promotion import VERDICT_STATE, digest, plain
from engines.domain.promotion_policy import PromotionPolicy
from engines.models import Engine, ModelVersion, Promotion, WorkflowRevision
from engines.services.promotions import live
from engines.services.promotions.evidence import evidence_of
from engines.services.promotions.gains import NOTHING
from forecasting.domain.gate import decide
from tests.factories import make_engine, make_revision, make_version

FORECAST: dict[str, Any] = {
    "subject": "alpha",
    "source": "cycle:7",
    "model": "pooled",
    "seen": 24,
    "horizon": 5,
    "mean": [0.5, 0.52, 0.55, 0.57, 0.6],
    "lower80": [0.3, 0.28, 0.27, 0.26, 0.25],
    "upper80": [0.7, 0.76, 0.83, 0.88, 0.95],
    "lower95": [0.2, 0.16, 0.13, 0.1, 0.08],
    "upper95": [0.8, 0.88, 0.97, 1.04, 1.12],
    "growth": "linear",
    "confidence": 0.72,
    "risk": "Stable",
    "p_collapse": 0.06,
    "brittle": False,
    "collapse_in": None,
    "probabilities": {"Stable": 0.81, "Slow decay": 0.11, "Volatile": 0.05, "Immediate collapse risk": 0.03},
    "evidence": "enough",
    "reason": "level over 24 cycles, changes small against its size",
}
GAIN: dict[str, Any] = {
    **NOTHING,
    "significant": True,
    "roi_gain": 0.42,
    "value": 0.5,
    "cost": 0.08,
    "low": 0.21,
    "high": 0.63,
    "uplift": 0.04,
    "metric": "f1",
    "before": 0.71,
    "after": 0.75,
    "test": {"method": "corrected resampled t", "p_value": 0.012, "alpha": 0.05},
}


def make_promotion(engine: Engine | None = None, *, kind: str = "model", **fields: Any) -> Promotion:
    """Open a promotion of a new candidate as the gate judges it; `evidence` replaces frozen parts."""
    engine = engine or make_engine("alpha")
    candidate = make_candidate(engine, kind)
    document = make_document(engine, candidate, **fields.pop("evidence", {}))
    policy = PromotionPolicy()
    decision = decide(evidence_of(document, age_hours=1.0), policy.knobs())
    opened = {
        "verdict": decision.verdict,
        "decision": decision.as_data(),
        "state": VERDICT_STATE[decision.verdict],
        "policy": policy.as_data(),
        "subject": document["subject"],
        "requested_label": "ada",
        "version": candidate if isinstance(candidate, ModelVersion) else None,
        "revision": candidate if isinstance(candidate, WorkflowRevision) else None,
    }
    frozen = {"evidence": document, "evidence_sha256": digest(document)}
    return Promotion.objects.create(engine=engine, kind=kind, **frozen, **{**opened, **fields})


def make_candidate(engine: Engine, kind: str) -> ModelVersion | WorkflowRevision:
    """Make a candidate beside what is live."""
    if kind == "model":
        if not ModelVersion.objects.filter(engine=engine, state="champion").exists():
            make_version(engine, "champion", params={"C": 1.0, "solver": "lbfgs"}, metrics={"f1": 0.71})
        return make_version(engine, params={"C": 0.3, "solver": "lbfgs"}, metrics={"f1": 0.75, "recall": 0.7})
    old = make_revision(engine, workflow="score", steps=["bot.flow:load", "bot.flow:score"])
    steps = ["bot.flow:load", "bot.clean:strip", "bot.flow:score"]
    return make_revision(engine, "candidate", parent=old, workflow="score", steps=steps)


def make_document(engine: Engine, candidate: ModelVersion | WorkflowRevision, **parts: Any) -> dict[str, Any]:
    """Return evidence as it is frozen."""
    kind = "model" if isinstance(candidate, ModelVersion) else "workflow"
    workflow = candidate.workflow if isinstance(candidate, WorkflowRevision) else ""
    at = (timezone.now() - dt.timedelta(minutes=5)).isoformat()
    data = live.version_data if isinstance(candidate, ModelVersion) else live.revision_data
    found: dict[str, Any] = {
        "version": 1,
        "at": at,
        "engine": engine.name,
        "kind": kind,
        "subject": f"{engine.name}/{workflow}" if workflow else engine.name,
        "candidate": {**data(candidate), "benchmark": None, "cycle": None, "created_at": at},  # type: ignore[arg-type]
        "live": live.live(engine.pk, kind, workflow),
        "commit": "c0ffee" * 6 + "c0ff",
        "gain": GAIN,
        "forecast": {**FORECAST, "subject": engine.name, "at": at},
        "history": [0.4 + 0.01 * place for place in range(24)],
        "impact": {"dependants": {}, "source": "the manifest has no other workflow"},
        "flags": None,
        "self_tests": None if kind == "model" else {"run": None, "passed": 3, "failed": 0},
        "requested_by": {"id": None, "label": "ada"},
    }
    if parts.get("forecast"):
        parts["forecast"] = {"at": at, **parts["forecast"]}
    frozen: dict[str, Any] = plain({**found, **parts})
    return frozen
