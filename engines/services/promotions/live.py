"""What is live of an engine, as one document; promotions swap it, and roll-backs restore it byte by byte.

This module alone changes which model is the champion and which revision a workflow runs.
"""

import hashlib
from pathlib import Path

from django.conf import settings
from django.db.models import Q

from engines.domain.errors import Conflict
from engines.domain.promotion import Kind, canonical, plain
from engines.domain.results import Actor, Json
from engines.domain.states import VersionState
from engines.models import Engine, ModelVersion, Promotion, WorkflowRevision
from engines.services import workflows
from orphans.sandbox import artifact_path

Document = dict[str, Json]
VERSION_COLUMNS = ("id", "sha256", "size", "params", "metrics", "commit", "seed", "roi_gain")


def live(engine_id: int, kind: str, workflow: str = "") -> Document:
    """Return what is live: the champion, or the revision that a workflow runs; None where there is none."""
    if kind == Kind.MODEL:
        champion = ModelVersion.objects.filter(engine=engine_id, state=VersionState.CHAMPION).first()
        return {"champion": None if champion is None else version_data(champion)}
    active = WorkflowRevision.objects.active(engine_id).filter(workflow=workflow).first()
    return {"workflow": workflow, "revision": None if active is None else revision_data(active)}


def live_of(promotion: Promotion) -> Document:
    """Return what is live where the promotion would act, or acted."""
    workflow = promotion.revision.workflow if promotion.revision else ""
    return live(promotion.engine_id, promotion.kind, workflow)


def version_data(version: ModelVersion) -> Document:
    """Return what a version consists of, whatever became of it."""
    return {name: plain(getattr(version, name)) for name in VERSION_COLUMNS}


def revision_data(revision: WorkflowRevision) -> Document:
    """Return what a revision consists of, whatever became of it."""
    more = {"input": revision.input, "commit": revision.commit}
    document: Document = plain({**revision.as_data(), **more})
    return document


def same(one: Json, other: Json) -> bool:
    """Tell whether two documents have the same bytes."""
    return canonical(one) == canonical(other)


def lock(promotion: Promotion) -> None:
    """Keep everybody else from what the promotion acts on, until the transaction ends."""
    Engine.objects.select_for_update(no_key=True).get(pk=promotion.engine_id)
    if promotion.kind == Kind.MODEL:
        touched = Q(pk=promotion.version_id) | Q(state=VersionState.CHAMPION)
        rows = ModelVersion.objects.select_for_update().filter(touched, engine=promotion.engine_id)
        list(rows.order_by("pk").values_list("pk"))


def swap_in(promotion: Promotion, actor: Actor) -> None:
    """Make the candidate live; Conflict when it no longer is a candidate."""
    if promotion.revision_id is not None:
        workflows.activate(promotion.revision_id, actor=actor)
        return
    mine = ModelVersion.objects.filter(promotions=promotion)
    ModelVersion.objects.filter(engine=promotion.engine_id, state=VersionState.CHAMPION).update(
        state=VersionState.RETIRED
    )
    if mine.filter(state=VersionState.CANDIDATE).update(state=VersionState.CHAMPION) != 1:
        raise Conflict(f"version {promotion.version_id} is no candidate any more")


def swap_back(promotion: Promotion, actor: Actor) -> None:
    """Make live again what was live before; the candidate does not become one again."""
    if promotion.revision_id is not None:
        workflows.revert(promotion.revision_id, actor=actor)
        return
    ModelVersion.objects.filter(promotions=promotion).update(state=VersionState.RETIRED)
    champion = (promotion.before or {}).get("champion")
    if champion is not None:
        ModelVersion.objects.filter(pk=champion["id"], engine=promotion.engine_id).update(
            state=VersionState.CHAMPION
        )


def artifact(sha256: str) -> Path:
    """Return where a model's file lies."""
    return artifact_path(Path(settings.DATA_DIR) / "artifacts", sha256)


def missing_file(sha256: str, size: int) -> str:
    """Say why a model's file can't be used; empty when it is there. A version without a digest has none."""
    if not sha256:
        return ""
    place = artifact(sha256)
    try:
        if not place.is_file():
            return f"the file {sha256[:12]} of the model is not in the artifact store"
        found = place.stat().st_size
    except OSError as error:
        return _unreadable(sha256, error)
    return "" if found == size else f"the file {sha256[:12]} has another size than it had"


def _unreadable(sha256: str, error: OSError) -> str:
    return f"the file {sha256[:12]} of the model can't be read: {error.strerror or error}"


def wrong_file(sha256: str, size: int) -> str:
    """Say why a model's file can't be used, reading all of it; empty when it is the one that was judged."""
    missing = missing_file(sha256, size)
    if missing or not sha256:
        return missing
    try:
        with artifact(sha256).open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        return _unreadable(sha256, error)
    return "" if found == sha256 else f"the file {sha256[:12]} of the model was changed on the disk"
