"""Engines with something to promote: a champion, a winning challenger, a history and a forecast."""

import hashlib
from dataclasses import asdict
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User

from engines.domain.results import Actor
from engines.domain.states import VersionState
from engines.models import Engine, ModelVersion, Promotion
from engines.services import promotions
from engines.services.registry import read_manifest
from forecasting.models import Forecast
from tests.engines.repositories import git, make_repository
from tests.factories import make_cycle, make_engine, make_roi_event, make_step, make_user, make_version

HORIZON = 5
BAND = {
    "mean": [5.0] * HORIZON,
    "lower80": [4.0] * HORIZON,
    "upper80": [6.0] * HORIZON,
    "lower95": [3.0] * HORIZON,
    "upper95": [7.0] * HORIZON,
}


@cache
def repository() -> Path:
    """Return a bot's repository that all tests of a process share; whoever commits makes one of their own."""
    return make_repository(Path(mkdtemp()) / "bot")


@cache
def head(place: Path) -> str:
    """Return the commit of a repository, asked for once."""
    return git(place, "rev-parse", "HEAD").strip()


@cache
def manifest(place: Path) -> dict[str, Any]:
    """Return a repository's manifest as a row keeps it."""
    return asdict(read_manifest(place))


def keep_file(content: bytes) -> dict[str, Any]:
    """Put a model's file into the artifact store and return its columns."""
    sha256 = hashlib.sha256(content).hexdigest()
    place = Path(settings.DATA_DIR) / "artifacts" / sha256[:2] / sha256
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content)
    return {"sha256": sha256, "size": len(content)}


def make_bot(name: str = "", *, place: Path | None = None, **fields: Any) -> Engine:
    """Make an engine of a real repository with a champion."""
    place = place or repository()
    engine = make_engine(name, repository=str(place), manifest=manifest(place), **fields)
    champion = keep_file(f"old {engine.name}".encode())
    make_version(engine, VersionState.CHAMPION, metrics={"accuracy": 0.8}, commit=head(place), **champion)
    return engine


def make_winner(engine: Engine, *, requested_by: User | None = None, gain: float = 5.0) -> ModelVersion:
    """Make a challenger that won a cycle which the person asked for."""
    label = requested_by.username if requested_by else "schedule"
    cycle = make_cycle(engine, requested_by=requested_by, requested_label=label)
    kept = keep_file(f"new {engine.name} {cycle.pk}".encode())
    make_step(cycle, "retrain", result=retrained(kept, gain))
    commit = head(Path(engine.repository))
    return make_version(engine, cycle=cycle, metrics={"accuracy": 0.9}, commit=commit, **kept)


def retrained(kept: dict[str, Any], gain: float) -> dict[str, Any]:
    """Return the result of a step *retrain* whose challenger won."""
    roi = {"roi_gain": gain, "value": gain + 0.1, "cost": 0.1, "low": gain / 2, "high": gain * 2}
    return {
        "verdict": "promotable",
        "roi": roi | {"confidence": 0.9},
        "artifact": kept,
        "champion": {"metrics": {"accuracy": 0.8}},
        "challenger": {"metrics": {"accuracy": 0.9}},
        "significance": {"metric": "accuracy", "uplift": 0.1, "significant": True, "p_value": 0.001},
    }


def make_forecast(engine: Engine, *, cycles: int = 10, **fields: Any) -> Forecast:
    """Make a history of `cycles` events and a forecast that lets things pass."""
    for _ in range(cycles):
        make_roi_event(engine.name, 5.0)
    good = {
        "source": f"cycle:{Forecast.objects.count() + 1000}",
        "model": "naive",
        "seen": cycles,
        "horizon": HORIZON,
        "confidence": 0.9,
        "risk": "Stable",
        "p_collapse": 0.05,
        "brittle": False,
        "probabilities": {"Stable": 0.9, "Slow decay": 0.1},
        "evidence": "enough",
        **BAND,
    }
    return Forecast.objects.create(subject=engine.name, **{**good, **fields})


def make_promotion(engine: Engine | None = None, *, requested_by: User | None = None) -> Promotion:
    """Make a promotion that waits for a person, opened by the service from real rows."""
    engine = engine or make_bot()
    if not Forecast.objects.filter(subject=engine.name).exists():
        make_forecast(engine)
    version = make_winner(engine, requested_by=requested_by)
    return promotions.open_promotion(version, cycle_id=version.cycle_id)


def actor_of(user: User) -> Actor:
    """Return a person as services know them."""
    return Actor(user_id=user.pk, label=user.username, kind="person")


def approver() -> Actor:
    """Make somebody who may decide."""
    return actor_of(make_user("approver"))


def approve(promotion: Promotion, actor: Actor, **more: Any) -> Promotion:
    """Approve on the promotion's own evidence."""
    given = {"evidence_sha256": promotion.evidence_sha256, "reason": "the numbers hold", **more}
    return promotions.approve(promotion.pk, actor=actor, **given)


def applied(engine: Engine | None = None) -> Promotion:
    """Make a promotion that was approved and applied."""
    promotion = make_promotion(engine)
    approve(promotion, approver())
    assert promotions.apply(promotion.pk) == "applied"
    promotion.refresh_from_db()
    return promotion


def champion(engine: Engine) -> str:
    """Return the digest of what is live."""
    return ModelVersion.objects.get(engine=engine, state=VersionState.CHAMPION).sha256
