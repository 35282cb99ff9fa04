"""Engines as cards of the overview and as facts of their own page."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import Count, F, OuterRef, Subquery

from engines.domain.promotion import PromotionState
from engines.domain.states import CycleState, VersionState
from engines.domain.wording import lasting, number, sign, signed, size, word
from engines.models import Cycle, Engine, ModelVersion, Promotion
from engines.panels.cycles import cycle_row, listed
from engines.panels.foreseen import foreseen
from forecasting.panels.outcomes import is_number

Panel = dict[str, Any]
HEAVY = ("manifest", "drift_state")
MAX_ENGINES = 100
MAX_VERSIONS = 20


def overview(engines: Iterable[Engine]) -> list[Panel]:
    """Return one card an engine, in three statements however many there are."""
    found = list(engines)
    ids = [engine.pk for engine in found]
    newest = Cycle.objects.filter(engine=OuterRef("pk")).order_by("-pk").values("pk")[:1]
    # one index probe an engine, not a walk over all cycles
    cycles = _with_running(Engine.objects.filter(pk__in=ids).values(newest=Subquery(newest)), ids)
    latest = {cycle.engine_id: cycle for cycle in sorted(cycles, key=lambda cycle: cycle.pk)}
    now = {cycle.engine_id: cycle for cycle in cycles if cycle.state == CycleState.RUNNING}
    counts, ahead = _waiting(ids), foreseen(found)
    return [
        {
            **engine_card(engine, latest.get(engine.pk), now.get(engine.pk), counts),
            "foreseen": ahead.get(engine.name),
        }
        for engine in found
    ]


def card_and_cycles(engine: Engine, number: int) -> tuple[Panel, list[Cycle]]:
    """Return one engine's card and its newest cycles, newest first, in three statements."""
    newest = engine.cycles.order_by("-pk").values("pk")[:number]
    cycles = sorted(_with_running(newest, [engine.pk]), key=lambda cycle: -cycle.pk)
    running = next((cycle for cycle in cycles if cycle.state == CycleState.RUNNING), None)
    card = engine_card(engine, cycles[0] if cycles else None, running, _waiting([engine.pk]))
    return {**card, "foreseen": foreseen([engine]).get(engine.name)}, cycles[:number]


def _with_running(newest: Any, ids: list[int]) -> list[Cycle]:
    """Return the cycles that a statement names and those that run, in one statement."""
    running = Cycle.objects.filter(engine__in=ids, state=CycleState.RUNNING).order_by()
    return list(listed(Cycle.objects.filter(pk__in=newest.union(running.values("pk")))))


def _waiting(ids: list[int]) -> Counter[tuple[str, int]]:
    """Count what waits for a worker and what waits for a person, by state and engine, in one statement."""
    queued = Cycle.objects.filter(engine__in=ids, state__in=(CycleState.QUEUED, CycleState.PAUSED))
    candidates = ModelVersion.objects.filter(engine__in=ids, state=VersionState.CANDIDATE)
    promotions = Promotion.objects.filter(engine__in=ids, state=PromotionState.WAITING)
    first, *others = (
        rows.order_by().values_list("state", "engine").annotate(number=Count("pk"))
        for rows in (queued, candidates, promotions)
    )
    return Counter({(state, engine): found for state, engine, found in first.union(*others, all=True)})


def engine_card(
    engine: Engine, latest: Cycle | None, running: Cycle | None, counts: Mapping[Any, int]
) -> Panel:
    """Return what the overview shows of one engine."""
    found = [entry.get("delta") for entry in engine.roi_history if isinstance(entry, Mapping)]
    deltas = [float(delta) for delta in found if is_number(delta)]
    newest = deltas[-1] if deltas else None
    return {
        "id": engine.pk,
        "name": engine.name,
        "enabled": engine.enabled,
        "state": _state(engine, running, counts),
        "running": cycle_row(running) if running else None,
        "latest": cycle_row(latest) if latest else None,
        "queued": counts.get((CycleState.QUEUED, engine.pk), 0),
        "paused": counts.get((CycleState.PAUSED, engine.pk), 0),
        "candidates": counts.get((VersionState.CANDIDATE, engine.pk), 0),
        "promotions": counts.get((PromotionState.WAITING, engine.pk), 0),
        "deltas": deltas,
        "delta": newest,
        "delta_text": signed(newest),
        "delta_sign": sign(newest),
        "energy": engine.base_energy,
        **averages(engine),
        **schedule(engine),
    }


def _state(engine: Engine, running: Cycle | None, counts: Mapping[Any, int]) -> str:
    if running:
        return str(CycleState.RUNNING)
    for state in (CycleState.QUEUED, CycleState.PAUSED):
        if counts.get((state, engine.pk)):
            return str(state)
    return "idle" if engine.enabled else "off"


def averages(engine: Engine) -> Panel:
    """Return the smoothed ROI delta and the momentum."""
    return {
        "ema": engine.roi_delta_ema,
        "ema_text": signed(engine.roi_delta_ema),
        "ema_sign": sign(engine.roi_delta_ema),
        "momentum": engine.momentum,
        "momentum_text": number(engine.momentum, 3),
        "last_cycle_at": engine.last_cycle_at,
    }


def schedule(engine: Engine) -> Panel:
    """Return when the engine runs by itself."""
    every = lasting(engine.schedule_seconds) if engine.schedule_seconds else ""
    return {"every": every, "next_due_at": engine.next_due_at if engine.enabled and every else None}


def engine_facts(engine: Engine) -> Panel:
    """Return the facts of an engine's page."""
    return {
        "repository": engine.repository,
        "team": engine.team.name if engine.team else "",
        "base_energy": number(engine.base_energy),
        "base_cpu": lasting(engine.base_cpu_seconds),
        "base_trials": engine.base_trials,
        "seed": engine.seed,
        "alpha": number(engine.roi_ema_alpha),
        "state_path": engine.state_path,
        "decisions_made": engine.decisions_made,
        "created_at": engine.created_at,
        "created_by": engine.created_by.get_username() if engine.created_by else "",
        "has_value_model": bool(engine.manifest.get("value")),
        "has_pipeline": bool(engine.manifest.get("pipeline")),
        **averages(engine),
        **schedule(engine),
    }


def versions(engine: Engine) -> list[Panel]:
    """Return the latest versions of an engine's model; the champion comes first."""
    newest = engine.versions.order_by("-pk")[:MAX_VERSIONS]
    champion = engine.versions.order_by("-pk").filter(state=VersionState.CHAMPION)[:1]
    found = {version.pk: version for version in champion.union(newest, all=True)}
    ordered = sorted(found.values(), key=lambda each: (each.state != VersionState.CHAMPION, -each.pk))
    return [version_row(version) for version in ordered]


def version_row(version: ModelVersion) -> Panel:
    """Return one version."""
    metrics = version.metrics if isinstance(version.metrics, Mapping) else {}
    numbers = [(word(str(name)), value) for name, value in metrics.items() if is_number(value)]
    return {
        "id": version.pk,
        "state": version.state,
        "sha256": version.sha256,
        "size": size(version.size) if version.sha256 else "",
        "commit": version.commit,
        "seed": version.seed,
        "cycle": version.cycle_id,
        "roi_gain": signed(version.roi_gain),
        "roi_sign": sign(version.roi_gain),
        "metrics": [(name, number(float(value))) for name, value in numbers[:6]],
        "created_at": version.created_at,
    }


def order_by_name(engines: Any) -> Any:
    """Return engines as the overview lists them, without what only their own page needs."""
    return engines.defer(*HEAVY).order_by(F("name"))
