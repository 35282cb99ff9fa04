"""Brings the demo bots: each a git repository of its own below the data folder, registered as an engine."""

import fnmatch
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from django.conf import settings

from engines import git
from engines.domain.errors import Conflict
from engines.domain.results import Actor
from engines.models import Engine
from engines.services.registry import register_engine

SOURCE: Final = Path(__file__).resolve().parent.parent / "demo"
BOTS: Final = ("alpha", "beta")
_IGNORED: Final = ("__pycache__", ".pytest_cache")


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """What was done about one demo bot."""

    name: str
    repository: Path
    #: whether the repository was made now; an existing one is left as it is
    created: bool
    #: whether the engine was registered now
    registered: bool


def bring_demo(actor: Actor, *, names: tuple[str, ...] = BOTS) -> list[Brought]:
    """Make the demo repositories and engines that don't exist yet; whatever exists is not touched.

    Raises:
        Conflict: a folder that is no git checkout lies where a repository belongs.
    """
    return [_bring(name, actor) for name in names]


def _bring(name: str, actor: Actor) -> Brought:
    place = Path(settings.DATA_DIR) / "repos" / name
    created = _make(name, place)
    registered = not Engine.objects.filter(name=name).exists()
    if registered:
        register_engine(path=str(place), name=name, actor=actor)
    return Brought(name=name, repository=place, created=created, registered=registered)


def _make(name: str, place: Path) -> bool:
    """Build the repository beside its place and move it there whole; False when one is there already."""
    if place.exists():
        if git.is_checkout(place):
            return False
        raise Conflict(f"{place} is no git checkout; move it away to get the demo bot {name}")
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place.parent, prefix=".demo-") as folder:
        git.create(Path(folder) / name, history(name))
        (Path(folder) / name).replace(place)
    return True


def history(name: str) -> list[git.NewCommit]:
    """Return the commits of a demo bot; together they hold every file of its folder."""
    left = _files(SOURCE / name)
    commits = []
    for entry in tomllib.loads((SOURCE / "history.toml").read_text())[name]:
        taken = [
            path for path in left if any(fnmatch.fnmatchcase(path, pattern) for pattern in entry["files"])
        ]
        files = {path: left.pop(path).read_bytes() for path in taken}
        commits.append(
            git.NewCommit(message=entry["message"], author=entry["author"], at=entry["at"], files=files)
        )
    return commits


def _files(root: Path) -> dict[str, Path]:
    """Return the files of a demo bot by repository-relative path, without what running it leaves."""
    found = (each for each in sorted(root.rglob("*")) if each.is_file())
    kept = [each for each in found if not set(each.relative_to(root).parts) & set(_IGNORED)]
    return {each.relative_to(root).as_posix(): each for each in kept}
