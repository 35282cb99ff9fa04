"""Gathers what the gate looks at, from rows alone: what is missing stays missing."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection

from engines import git
from engines.domain.promotion import Kind, plain
from engines.domain.promotion_policy import PromotionPolicy
from engines.domain.promotion_stages import brittle_by_stages
from engines.domain.results import Json
from engines.domain.states import VersionState
from engines.models import Cycle, Engine, ModelVersion, WorkflowRevision, WorkflowStages
from engines.services import bots
from engines.services.promotions import gains, impact, live, outlook
from forecasting.domain.gate import Evidence, Policy
from orphans.domain.states import RunState
from orphans.models import ModuleRun

VERSION: Final = 1
SWITCHED_OFF: Final = "the engine is switched off"
FUTURE: Final = timedelta(minutes=5)
"""Clocks of database servers that take each other's place differ by less."""
STAGE_COLUMNS: Final = ("id", "commit", "repeats", "roi", "degradation", "resilience")
Candidate = ModelVersion | WorkflowRevision
Document = dict[str, Json]


def gather(candidate: Candidate) -> Document:
    """Return all that is known of a candidate now, as plain JSON ready to be frozen."""
    kind, engine = kind_of(candidate), candidate.engine
    workflow = candidate.workflow if isinstance(candidate, WorkflowRevision) else ""
    gain = gains.gain_of(candidate)
    forecast = outlook.forecast_of(engine, workflow)
    document: Document = plain(
        {
            "version": VERSION,
            "at": now().isoformat(),
            "engine": engine.name,
            "kind": kind,
            "subject": f"{engine.name}/{workflow}" if workflow else engine.name,
            "candidate": candidate_data(candidate),
            "live": live.live(engine.pk, kind, workflow),
            "commit": head_of(engine),
            "gain": gain,
            "forecast": forecast,
            "history": outlook.history_of((forecast or {}).get("subject", engine.name)),
            "impact": impact.impact_of(engine, workflow, gain["roi_gain"]),
            "stages": stages_of(candidate),
            "flags": None,
            "self_tests": self_tests_of(candidate),
            "requested_by": requester_of(candidate),
        }
    )
    return document


def kind_of(candidate: Candidate) -> Kind:
    """Return what it is."""
    return Kind.MODEL if isinstance(candidate, ModelVersion) else Kind.WORKFLOW


def candidate_data(candidate: Candidate) -> Document:
    """Return what the candidate consists of, and when it was made."""
    found = (
        live.version_data(candidate)
        if isinstance(candidate, ModelVersion)
        else {**live.revision_data(candidate), "benchmark": candidate.benchmark}
    )
    return {**found, "cycle": candidate.cycle_id, "created_at": candidate.created_at.isoformat()}


def now() -> datetime:
    """Return the time by the database's clock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        at: datetime = cursor.fetchone()[0]
    return at


def head_of(engine: Engine) -> str | None:
    """Return the commit that the bot is at; None where its repository can't be read."""
    try:
        return bots.head(engine)
    except (git.GitError, OSError):
        return None


def stages_of(candidate: Candidate) -> Document | None:
    """Return the newest runs of a revision and of its parent through the hard stages; None for a model."""
    if isinstance(candidate, ModelVersion):
        return None
    return {"candidate": _newest_set(candidate.pk), "live": _newest_set(candidate.parent_id)}


def _newest_set(revision_id: int | None) -> Document | None:
    rows = WorkflowStages.objects.filter(revision=revision_id).order_by("-pk")
    row = None if revision_id is None else rows.first()
    return None if row is None else {name: plain(getattr(row, name)) for name in STAGE_COLUMNS}


def self_tests_of(candidate: Candidate) -> Document | None:
    """Return how the newest self-test of exactly this content ended; None where there is none."""
    if isinstance(candidate, ModelVersion) or not candidate.module_path:
        return None
    same = {"path": candidate.module_path, "content_hash": candidate.module_hash}
    ended = (RunState.PASSED, RunState.FAILED)
    runs = ModuleRun.objects.filter(subject=candidate.engine.name, **same, state__in=ended).order_by("-id")
    run = runs.first()
    if run is None:
        return None
    passed = run.state == RunState.PASSED
    failed = run.tests_failed or (0 if passed else 1)
    return {"run": run.pk, "passed": max(run.tests_passed or 0, int(passed)), "failed": failed}


def requester_of(candidate: Candidate) -> Document:
    """Return who set off what made the candidate; nobody where the schedule did.

    A revision that a person had made outside of a cycle names that person, with the token where one was used.
    """
    cycle: Cycle | None = candidate.cycle
    if cycle is not None:
        return {"id": cycle.requested_by_id, "label": cycle.requested_label}
    label = "" if isinstance(candidate, ModelVersion) else candidate.created_label
    user = User.objects.filter(username=label.partition(" (")[0]).values_list("pk", flat=True).first()
    return {"id": user, "label": label}


def evidence_of(document: Mapping[str, Any], *, stale: tuple[str, ...] = (), age_hours: float) -> Evidence:
    """Return frozen evidence as the gate takes it; `age_hours` and `stale` are about now."""
    gain, forecast = document["gain"], document["forecast"] or {}
    tests, flags = document["self_tests"] or {}, document["flags"] or {}
    seen = forecast.get("seen")
    return Evidence(
        significant=gain["significant"],
        gain=gain["roi_gain"],
        cycles=len(document["history"]) if seen is None else seen,
        risk=forecast.get("risk") or None,
        brittle=_brittle(forecast.get("brittle"), document.get("stages")),
        p_collapse=forecast.get("p_collapse"),
        mean=tuple(forecast.get("mean") or ()),
        upper80=tuple(forecast.get("upper80") or ()),
        confidence=forecast.get("confidence"),
        impact=None if document["impact"] is None else document["impact"]["dependants"],
        changes_code=document["kind"] != Kind.MODEL,
        flags=flags.get("severity"),
        tests_passed=tests.get("passed"),
        tests_failed=tests.get("failed"),
        age_hours=age_hours,
        stale=stale,
    )


def _brittle(forecast: bool | None, stages: Mapping[str, Any] | None) -> bool | None:
    """Return whether it is brittle by its course, or by its runs under hard conditions; the worse answer."""
    answers = [answer for answer in (forecast, brittle_by_stages(stages)) if answer is not None]
    return any(answers) if answers else None


def age_hours(document: Mapping[str, Any], at: datetime) -> float:
    """Return the age of the oldest piece: the comparison that the candidate won, or the forecast."""
    times = [document["at"], document["candidate"]["created_at"]]
    if document["forecast"]:
        times.append(document["forecast"]["at"])
    return (at - min(map(datetime.fromisoformat, times))).total_seconds() / 3600


def objection_to_automatic(engine: Engine) -> str:
    """Say why what the policy approved by itself must not go live after all; empty: nothing changed."""
    if not engine.enabled:
        return SWITCHED_OFF
    return "" if policy_of(engine).mode == "automatic" else "the policy leaves decisions to people by now"


def from_the_future(document: Mapping[str, Any], at: datetime) -> bool:
    """Tell whether the evidence, or a piece of it, is dated after now: the clock was set back since."""
    times = [document["at"], document["candidate"]["created_at"]]
    if document["forecast"]:
        times.append(document["forecast"]["at"])
    return max(map(datetime.fromisoformat, times)) - at > FUTURE


def usual_policy() -> PromotionPolicy:
    """Return the policy of engines that set none of their own: the settings'."""
    return PromotionPolicy(
        tau=settings.SANDBOX.tau,
        max_p_collapse=settings.SANDBOX.max_p_collapse,
        evidence_hours=settings.SANDBOX.evidence_hours,
    )


def policy_of(engine: Engine) -> PromotionPolicy:
    """Return an engine's policy."""
    return usual_policy().changed(engine.promotion_policy)


def knobs_of(policy: PromotionPolicy) -> Policy:
    """Return what the gate needs of it."""
    sandbox = settings.SANDBOX
    return policy.knobs(
        flag_warning=sandbox.alignment_warning_threshold, flag_failure=sandbox.alignment_failure_threshold
    )


def is_candidate(candidate: Candidate) -> bool:
    """Tell whether it still may be promoted."""
    return candidate.state == VersionState.CANDIDATE
