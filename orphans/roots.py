"""`resolve_path`: find a file by name in the checkouts that the environment names.

Roots come from `MENACE_ROOTS`, `SANDBOX_REPO_PATHS`, `MENACE_ROOT` and `SANDBOX_REPO_PATH` (each a list
with the system's path separator, in this order); without any, the git checkout around the working
directory is the root. What is returned always lies inside a root, links resolved.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Final

DATA_VARIABLES: Final = ("SANDBOX_DATA_DIR", "MENACE_DATA_DIR")
"""Folders of our own state; an absolute name inside of them is accepted too."""
VARIABLES: Final = ("MENACE_ROOTS", "SANDBOX_REPO_PATHS", "MENACE_ROOT", "SANDBOX_REPO_PATH")
MAX_NAME: Final = 4096


class PathRefusedError(ValueError):
    """A name would lead out of every root; nothing was looked at."""


def repository_roots(
    *, root: str | os.PathLike[str] | None = None, environ: Mapping[str, str] | None = None
) -> tuple[Path, ...]:
    """Return the roots that names are looked up in, in order, each once.

    Raises:
        FileNotFoundError: a root that was named doesn't exist.
    """
    named = [str(root)] if root is not None else _named(os.environ if environ is None else environ)
    roots = [_folder(each) for each in named] or [_checkout_around(Path.cwd())]
    return tuple(dict.fromkeys(roots))


def _named(environ: Mapping[str, str]) -> list[str]:
    lists = (environ.get(variable, "").split(os.pathsep) for variable in VARIABLES)
    return [each.strip() for entries in lists for each in entries if each.strip()]


def _folder(name: str) -> Path:
    place = Path(name).expanduser().resolve()
    if not place.is_dir():
        raise FileNotFoundError(f"root {name} is no folder; check {', '.join(VARIABLES)}")
    return place


def _checkout_around(place: Path) -> Path:
    """Return the nearest folder upwards that holds `.git`; without one, the folder itself."""
    here = place.resolve()
    return next((each for each in (here, *here.parents) if (each / ".git").exists()), here)


def resolve_path(
    name: str | os.PathLike[str],
    *,
    root: str | os.PathLike[str] | None = None,
    repo_hint: str | os.PathLike[str] | None = None,
    must_exist: bool | None = None,
    environ: Mapping[str, str] | None = None,
) -> Path:
    """Return where `name` lies, looking through all roots.

    An existing file wins, in the order of the roots, by its exact place and otherwise by the only file
    whose path ends so. A name with a folder part whose file doesn't exist yet, such as a state file, is
    placed below the first root when its own folder, or a folder it may be made in, is there.

    Args:
        name: relative to a root, or absolute inside one.
        root: look here only, instead of in what the environment names.
        repo_hint: picks one of the roots, by path or by the name of its folder.
        must_exist: True refuses names of missing files, False allows all; None refuses bare names
            (`runner.py`) and allows names with a folder part (`sandbox_data/state.json`).
        environ: read instead of `os.environ`.

    Raises:
        PathRefusedError: the name leads out of every root, by `..`, absolutely or through a link.
        FileNotFoundError: it is in none of the roots, which the message names.
    """
    text = _checked(os.fspath(name))
    roots = _hinted(repository_roots(root=root, environ=environ), repo_hint)
    if Path(text).is_absolute():
        data = _data_folders(os.environ if environ is None else environ)
        return _absolute(Path(text), (*roots, *data), must_exist=must_exist)
    found = _exact(text, roots) or _by_ending(text, roots)
    if found is not None:
        return found
    if must_exist or (must_exist is None and len(PurePosixPath(text).parts) < 2):
        raise FileNotFoundError(f"{text} is in none of the roots {_listed(roots)}")
    return _inside(roots[0] / text, roots[0])


def _data_folders(environ: Mapping[str, str]) -> tuple[Path, ...]:
    named = (environ.get(variable, "") for variable in DATA_VARIABLES)
    return tuple(Path(each).resolve() for each in named if Path(each).is_absolute())


def _checked(text: str) -> str:
    if not text or len(text) > MAX_NAME or "\0" in text or text.startswith("~"):
        raise PathRefusedError(f"{text[:80]!r} is no usable name of a file")
    if ".." in PurePosixPath(text.replace("\\", "/")).parts:
        raise PathRefusedError(f"{text[:200]!r} would leave its root: '..' is not allowed")
    return text


def _hinted(roots: Sequence[Path], hint: str | os.PathLike[str] | None) -> Sequence[Path]:
    """Keep the root that the hint names."""
    if hint is None:
        return roots
    wanted = os.fspath(hint).rstrip("/")
    kept = [each for each in roots if wanted in (str(each), each.name) or Path(wanted).resolve() == each]
    if not kept:
        raise FileNotFoundError(f"no root is called {wanted[:200]!r}; roots are {_listed(roots)}")
    return kept[:1]


def _absolute(place: Path, roots: Sequence[Path], *, must_exist: bool | None) -> Path:
    real = _real(place)
    if not any(real.is_relative_to(each) for each in roots):
        raise PathRefusedError(f"{str(place)[:200]!r} is outside of the roots {_listed(roots)}")
    if must_exist and not real.exists():
        raise FileNotFoundError(f"{place} doesn't exist")
    return real


def _exact(text: str, roots: Sequence[Path]) -> Path | None:
    """Return the first root's file of exactly this name; a link out of that root is refused."""
    for each in roots:
        if (each / text).exists():
            return _inside(each / text, each)
    return None


def _by_ending(text: str, roots: Sequence[Path]) -> Path | None:
    """Return the file whose path ends with `text` when a root has exactly one such file."""
    ending = PurePosixPath(text).parts
    for each in roots:
        found = [
            place
            for place in _walk(each, ending[-1])
            if place.relative_to(each).parts[-len(ending) :] == ending
        ]
        if len(found) > 1:
            shown = ", ".join(str(place.relative_to(each)) for place in found[:5])
            raise FileNotFoundError(f"{text} is ambiguous in {each}: {shown}")
        if found:
            return found[0]
    return None


def _walk(root: Path, name: str) -> list[Path]:
    """Return regular files of that name below `root`, without following links or entering hidden folders."""
    found = []
    for folder, folders, files in os.walk(root, followlinks=False):
        folders[:] = sorted(each for each in folders if not each.startswith(".") and each != "__pycache__")
        place = Path(folder) / name
        if name in files and not place.is_symlink():
            found.append(place)
    return found


def _inside(place: Path, root: Path) -> Path:
    real = _real(place)
    if not real.is_relative_to(root):
        raise PathRefusedError(f"{str(place)[:200]!r} leads out of {root} through a link")
    return real


def _real(place: Path) -> Path:
    """Return a place with its links resolved."""
    try:
        return place.resolve()
    except (OSError, RuntimeError):  # no right to look, or a loop of links
        raise PathRefusedError(f"{str(place)[:200]!r} can't be followed") from None


def _listed(roots: Sequence[Path]) -> str:
    return ", ".join(map(str, roots))
