"""Takes bots under care. A repository is checked whole before the first row is written."""

import re
from dataclasses import asdict
from pathlib import Path, PurePosixPath
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from engines import git
from engines.domain import manifest, manifest_check
from engines.domain.energy import checked
from engines.domain.errors import ManifestError, RegistrationError
from engines.domain.manifest import Manifest
from engines.domain.results import Actor
from engines.models import Engine
from engines.models.engine import NAME
from engines.services import state_file
from engines.signals import acted

TRUSTED_KINDS = frozenset({"cli", "python", "system"})
"""Actors who could read the file system anyway; people and tokens are kept to the allowed roots."""

MAX_SOURCE = 2_000_000
RESERVED = frozenset({"new"})
"""Names that would hide a page of the site."""

LIMITS: dict[str, tuple[float, float]] = {
    "base_cpu_seconds": (0.1, 86_400.0),
    "base_trials": (1, 100_000),
    "schedule_seconds": (10, 31_536_000),
    "seed": (0, 2**31 - 1),
    "roi_ema_alpha": (0.001, 1.0),
}
CHANGEABLE = frozenset({"enabled", "base_energy", "team", "state_path", *LIMITS})


def register_engine(
    *,
    path: str,
    actor: Actor,
    name: str | None = None,
    energy: float = 1.0,
    base_cpu_seconds: float | None = None,
    base_trials: int | None = None,
    schedule_seconds: int | None = None,
    seed: int = 0,
    team: Group | None = None,
    state_path: str = "",
) -> Engine:
    """Check a repository and take it under care.

    Raises RegistrationError or ManifestError, which name the field or key, the reason and the way out;
    nothing is kept then.
    """
    root = checkout(path, actor)
    found = read_manifest(root)
    wanted = {
        "base_energy": checked(energy),
        "base_cpu_seconds": base_cpu_seconds if base_cpu_seconds is not None else found.budget.cpu_seconds,
        "base_trials": base_trials if base_trials is not None else found.budget.trials,
        "schedule_seconds": _schedule(found) if schedule_seconds is None else schedule_seconds,
        "seed": seed,
    }
    _check_numbers(wanted)
    engine = Engine(
        name=_name(name or root.name, given=name is not None),
        repository=str(root),
        manifest=asdict(found),
        team=team,
        state_path=state_path,
        created_by_id=actor.user_id,
        **{"roi_ema_alpha": settings.SANDBOX.roi_ema_alpha, **wanted},
    )
    return _save(engine, actor)


def _schedule(found: Manifest) -> int | None:
    return None if found.every_seconds is None else round(found.every_seconds)


def _save(engine: Engine, actor: Actor) -> Engine:
    try:
        with transaction.atomic():
            if engine.schedule_seconds:
                engine.next_due_at = Now()
            engine.save(force_insert=True)
            state_file.import_state(engine)
            _audit(actor, "engine.register", engine, path=engine.repository)
    except IntegrityError:
        raise RegistrationError(
            f"an engine named {engine.name} exists already; give another name", field="name"
        ) from None
    engine.refresh_from_db()
    return engine


def checkout(path: str, actor: Actor) -> Path:
    """Return the absolute path of the git checkout, or raise RegistrationError with the reason."""
    root = _followed(path, actor)
    _refuse_outside(root, actor)
    if not _is_folder(root, path):
        raise RegistrationError(f"{path!r} is no folder on this machine", field="path")
    if not git.is_checkout(root):
        raise RegistrationError(f"{path!r} is no git checkout; run `git init` and commit first", field="path")
    try:
        git.head(root)
    except git.GitError as error:
        raise RegistrationError(f"{path!r} can't be used: {error}", field="path") from None
    return root


def _followed(path: str, actor: Actor) -> Path:
    """Return where the path leads, whatever is there."""
    if not path.strip() or "\0" in path or len(path) > 1000:
        raise RegistrationError("give the path of a git checkout on this machine", field="path")
    try:
        given = Path(path).expanduser()
        root = given.resolve()
    except (OSError, RuntimeError):  # no right to look, a loop of links, nobody's home
        raise RegistrationError(f"{path!r} can't be followed", field="path") from None
    if actor.kind not in TRUSTED_KINDS and not given.is_absolute():
        raise RegistrationError(f"{path!r} is not absolute; give the whole path, from /", field="path")
    return root


def _is_folder(root: Path, path: str) -> bool:
    try:
        return root.is_dir()
    except OSError as error:
        raise RegistrationError(f"{path!r} can't be looked at: {error.strerror}", field="path") from None


def _refuse_outside(root: Path, actor: Actor) -> None:
    roots = settings.SANDBOX.repository_roots
    if actor.kind in TRUSTED_KINDS or (not roots and not settings.PRODUCTION):
        return
    allowed = [*roots, Path(settings.DATA_DIR) / "repos"]
    if not any(root.is_relative_to(Path(each).resolve()) for each in allowed):
        raise RegistrationError(
            "that path lies outside the folders that repositories may come from; see MENACE_ROOTS",
            field="path",
        )


def read_manifest(root: Path) -> Manifest:
    """Return the checked manifest of the checkout's HEAD, which cycles work on, or raise ManifestError."""
    entries = {entry.path: entry for entry in git.files(root, git.head(root))}
    folders = {str(parent) for path in entries for parent in PurePosixPath(path).parents}

    def text(path: str) -> str | None:
        return git.read_entry(root, entries.get(path), MAX_SOURCE)

    texts: dict[str, str] = {
        file: _manifest_text(root, entries[file]) for file in manifest.FILES if file in entries
    }
    found = manifest.parse(texts)
    manifest_check.check(found, lambda path: path.rstrip("/") in entries.keys() | folders, text)
    return found


def _manifest_text(root: Path, entry: git.TreeEntry) -> str:
    text = git.read_entry(root, entry, MAX_SOURCE)
    if text is None:
        raise ManifestError(
            f"{entry.path} is no plain UTF-8 file of at most {MAX_SOURCE} bytes; commit one", file=entry.path
        )
    return text


def refresh_manifest(engine: Engine, *, actor: Actor) -> Engine:
    """Read the manifest of the engine's repository again; the old one stays when the new one is wrong."""
    found = read_manifest(checkout(engine.repository, Actor(kind="system")))
    Engine.objects.filter(pk=engine.pk).update(manifest=asdict(found))
    _audit(actor, "engine.refresh", engine)
    engine.refresh_from_db()
    return engine


def update_engine(engine_id: int, *, actor: Actor, **changes: Any) -> Engine:
    """Change settings of an engine: enabled, base_energy, budget, schedule, seed, team, alpha, state_path."""
    if unknown := set(changes) - CHANGEABLE:
        raise RegistrationError(f"{min(unknown)} can't be changed", field=min(unknown))
    _check_numbers(changes)
    if "base_energy" in changes:
        changes["base_energy"] = checked(changes["base_energy"])
    with transaction.atomic():
        engine = Engine.objects.select_for_update(no_key=True).get(pk=engine_id)
        for field, value in changes.items():
            setattr(engine, field, value)
        if "schedule_seconds" in changes:
            engine.next_due_at = Now() if engine.schedule_seconds else None
        engine.save()
        _audit(actor, "engine.update", engine, **{key: _plain(value) for key, value in changes.items()})
    engine.refresh_from_db()
    return engine


def _plain(value: Any) -> Any:
    return value if isinstance(value, bool | int | float | str | None) else str(value)


def _name(text: str, *, given: bool) -> str:
    """Return a valid name: the one given, or one made from the folder's."""
    name = text if given else re.sub(r"[^a-z0-9_-]+", "-", text.lower()).strip("-_")[:63]
    if name in RESERVED:
        raise RegistrationError(f"{name!r} is an address of the site; give another name", field="name")
    if not re.fullmatch(NAME, name):
        raise RegistrationError(
            f"{text!r} is no name for an engine; use lower-case letters, digits, - and _ (at most 63)",
            field="name",
        )
    return name


def _check_numbers(values: dict[str, Any]) -> None:
    for field, (low, high) in LIMITS.items():
        value = values.get(field)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise RegistrationError(f"{field} must be a number, not {value!r}", field=field)
        if not low <= value <= high:  # NaN isn't; the value may be too long to be written
            raise RegistrationError(f"{field} must lie between {low:g} and {high:g}", field=field)


def _audit(actor: Actor, verb: str, engine: Engine, **detail: Any) -> None:
    acted.send(sender=Engine, actor=actor, verb=verb, target=f"engine:{engine.name}", detail=detail)
