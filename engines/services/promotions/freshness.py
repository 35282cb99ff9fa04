"""What has changed since evidence was gathered. What can't be found out counts as changed."""

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from django.db.models import Q

from engines import git
from engines.domain.promotion import UNDER_WAY, Kind
from engines.models import ModelVersion, Promotion, WorkflowRevision
from engines.services.promotions import evidence, live
from engines.services.promotions.evidence import Candidate


def staleness(promotion: Promotion, *, with_age: bool = True) -> tuple[str, ...]:
    """Return in words what has changed since the promotion's evidence was gathered; empty: nothing.

    `with_age`: whether time alone makes it stale.
    """
    found, now = list(_changes(candidate_of(promotion), promotion.evidence)), evidence.now()
    if promotion.version is not None and promotion.state not in UNDER_WAY:
        found += _newer(promotion.version)  # what a cycle finds before a worker acts undoes no decision
    if evidence.from_the_future(promotion.evidence, now):
        found.append("it is dated in the future: the clock was set back, so nobody knows how old it is")
    hours = evidence.age_hours(promotion.evidence, now)
    limit = evidence.policy_of(promotion.engine).evidence_hours
    if with_age and hours > limit:
        found.append(f"it is {hours:.0f} hours old, and {limit:g} are allowed")
    return tuple(found)


def staleness_of(candidate: Candidate, document: Mapping[str, Any]) -> tuple[str, ...]:
    """Return why fresh evidence is about a world that is gone: the candidate itself is too old for it."""
    newer = _newer(candidate) if isinstance(candidate, ModelVersion) else ()
    return (*_changes(candidate, document), *newer)


def candidate_of(promotion: Promotion) -> Candidate:
    """Return the row that would be promoted."""
    candidate = promotion.version or promotion.revision
    if candidate is None:  # the database has a constraint
        raise AssertionError(f"promotion {promotion.pk} has no candidate")
    return candidate


def _changes(candidate: Candidate, document: Mapping[str, Any]) -> Iterator[str]:
    yield from _commits(candidate, document)
    if not evidence.is_candidate(candidate):
        yield f"the candidate is {candidate.state} by now"
    workflow = candidate.workflow if isinstance(candidate, WorkflowRevision) else ""
    if not live.same(live.live(candidate.engine_id, document["kind"], workflow), document["live"]):
        yield "something else is live by now"
    if isinstance(candidate, ModelVersion):
        yield from _of_model(candidate)
    elif document["live"]["revision"] is None or document["live"]["revision"]["id"] != candidate.parent_id:
        yield "it was made for another revision than runs"


def _commits(candidate: Candidate, document: Mapping[str, Any]) -> Iterator[str]:
    head, seen = evidence.head_of(candidate.engine), document["commit"]
    if head is None:
        yield "the bot's repository can't be read"
    elif seen != head:
        yield f"the bot has a new commit, {head[:12]}"
    elif candidate.commit not in ("", head) and not _same_module(candidate, head):
        yield f"it was made from commit {candidate.commit[:12]}, and the bot is at {head[:12]}"


def _same_module(candidate: Candidate, head: str) -> bool:
    """Tell whether a revision's module has the content that was tested also at another commit."""
    if isinstance(candidate, ModelVersion) or not candidate.module_path:
        return False
    text = git.read(Path(candidate.engine.repository), head, candidate.module_path)
    return text is not None and hashlib.sha256(text.encode()).hexdigest() == candidate.module_hash


def _newer(version: ModelVersion) -> Iterator[str]:
    newer = ModelVersion.objects.filter(engine=version.engine_id, pk__gt=version.pk, state=version.state)
    if newer.exists():
        yield "there is a newer candidate"


def _of_model(version: ModelVersion) -> Iterator[str]:
    swapped = Q(applied_at__gt=version.created_at) | Q(rolled_back_at__gt=version.created_at)
    moved = Promotion.objects.filter(swapped, engine=version.engine_id, kind=Kind.MODEL)
    if moved.exclude(version=version.pk).exists():
        yield "it was compared with another champion than the present one"
