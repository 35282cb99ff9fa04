"""Rows for tests, with defaults; no fixture files."""

import datetime as dt
import functools
import itertools
from typing import Any

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group, User
from django.utils import timezone

from engines.domain.states import STEPS, TERMINAL, CycleState, StepState, Trigger, VersionState
from engines.models import Cycle, CycleStep, Engine, ModelVersion, WorkflowRevision
from forecasting.models import MetricDaily, MetricPoint, RoiEvent
from menace_site.models import AuditEntry, ServiceBeat
from orphans.domain.presets import read_preset
from orphans.models import ScenarioPreset

PASSWORD = "correct horse battery staple"
_numbers = itertools.count(1)


def make_user(role: str = "operator", *, username: str = "", teams: tuple[Group, ...] = ()) -> User:
    """Make a person; role: viewer, operator, approver, admin (superuser) or none."""
    name = username or f"{role}{next(_numbers)}"
    powers = {"is_staff": role == "admin", "is_superuser": role == "admin"}
    user = User.objects.create(username=name, password=_hashed(PASSWORD), **powers)
    if role == "admin":
        return user
    groups = list(teams) if role == "none" else [Group.objects.get(name=role), *teams]
    user.groups.add(*groups)
    return user


@functools.cache
def _hashed(password: str) -> str:
    """Hash once a run: hashing is slow on purpose."""
    return make_password(password)


def make_team(name: str = "") -> Group:
    """Make a team."""
    return Group.objects.create(name=name or f"team{next(_numbers)}")


def make_engine(name: str = "", **fields: Any) -> Engine:
    """Make an engine without touching the disk."""
    name = name or f"bot{next(_numbers)}"
    return Engine.objects.create(name=name, **{"repository": f"/repos/{name}", **fields})


def make_cycle(engine: Engine | None = None, state: str = "done", **fields: Any) -> Cycle:
    """Make a cycle in a state, with the times that belong to it."""
    times = _times(CycleState(state))
    plain = {"trigger": Trigger.MANUAL, "energy": 1.0, "requested_label": "ada"}
    return Cycle.objects.create(engine=engine or make_engine(), state=state, **{**plain, **times, **fields})


def _times(state: CycleState) -> dict[str, Any]:
    now = timezone.now()
    started = {} if state == CycleState.QUEUED else {"started_at": now - dt.timedelta(minutes=2)}
    if state not in TERMINAL:
        return started
    return {**started, "finished_at": now - dt.timedelta(minutes=1), "duration": 60.0}


def make_step(cycle: Cycle, name: str = "retrain", state: str = "done", **fields: Any) -> CycleStep:
    """Make one step of a cycle."""
    return CycleStep.objects.create(cycle=cycle, name=name, position=STEPS.index(name), state=state, **fields)


def make_steps(cycle: Cycle, *, done: int = len(STEPS)) -> list[CycleStep]:
    """Make all the steps of a cycle, the first `done` of them done."""
    states = [StepState.DONE] * done + [StepState.PENDING] * (len(STEPS) - done)
    return [make_step(cycle, name, state) for name, state in zip(STEPS, states, strict=True)]


def make_cycles(count: int, engine: Engine | None = None, **fields: Any) -> list[Cycle]:
    """Make many cycles of one engine in one insert."""
    plain = {"state": "done", "trigger": Trigger.SCHEDULE, "energy": 1.0, "roi_delta": 0.5, "cost": 0.1}
    owner = engine or make_engine()
    return Cycle.objects.bulk_create(Cycle(engine=owner, **{**plain, **fields}) for _ in range(count))


def make_version(engine: Engine, state: str = VersionState.CANDIDATE, **fields: Any) -> ModelVersion:
    """Make a version of an engine's model."""
    plain = {"sha256": f"{next(_numbers):064x}", "size": 1024, "metrics": {"accuracy": 0.9}}
    return ModelVersion.objects.create(engine=engine, state=state, **{**plain, **fields})


def make_revision(engine: Engine, state: str = "active", **fields: Any) -> WorkflowRevision:
    """Make a revision of a workflow: without a parent, the root of one of its own."""
    plain = {"workflow": f"flow{next(_numbers)}", "steps": ["bot.flow:load"], "created_label": "manifest"}
    return WorkflowRevision.objects.create(engine=engine, state=state, **{**plain, **fields})


def make_point(subject: str, name: str = "accuracy", value: float = 0.9, **fields: Any) -> MetricPoint:
    """Make one measured number, without the roll-up."""
    return MetricPoint.objects.create(
        subject=subject, name=name, value=value, **{"source": f"test:{next(_numbers)}", **fields}
    )


def make_day(subject: str, day: dt.date, name: str = "accuracy", value: float = 0.9) -> MetricDaily:
    """Make the roll-up of one day with one point."""
    numbers = {"count": 1, "total": value, "low": value, "high": value, "last": value}
    return MetricDaily.objects.create(subject=subject, name=name, day=day, **numbers)


def make_roi_event(subject: str, delta: float = 0.5, **fields: Any) -> RoiEvent:
    """Make one ROI event; the level after it is the change itself unless given."""
    plain = {"source": f"cycle:{next(_numbers)}", "action": "retrain", "roi_after": delta}
    return RoiEvent.objects.create(subject=subject, delta=delta, **{**plain, **fields})


def make_beat(service: str = "worker", *, age: float = 0.0, **fields: Any) -> ServiceBeat:
    """Make the sign of life of a process, `age` seconds ago."""
    at = timezone.now() - dt.timedelta(seconds=age)
    return ServiceBeat.objects.create(
        service=service, **{"name": f"host:{next(_numbers)}", "at": at, **fields}
    )


def make_entry(target: str = "cycle:1", verb: str = "cycle.cancel", **fields: Any) -> AuditEntry:
    """Make one row of the audit log, outside the chain of hashes."""
    plain = {"actor": "ada", "actor_kind": "person", "sha256": f"{next(_numbers):064x}"}
    return AuditEntry.objects.create(target=target, verb=verb, **{**plain, **fields})


def make_preset(name: str = "", **keys: Any) -> ScenarioPreset:
    """Keep a scenario preset, without audit."""
    preset = read_preset(keys or {"THREAD_BURST": 5})
    columns = {"profile": preset.name, "category": preset.category, "keys": preset.as_data()}
    return ScenarioPreset.objects.create(
        name=name or f"preset{next(_numbers)}", created_label="ada", **columns
    )
