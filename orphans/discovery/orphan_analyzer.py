"""Single questions about one module of a checkout, for those who don't want a whole scan."""

from collections.abc import Callable
from pathlib import Path, PurePosixPath

from orphans.discovery.walk import Tree, walk
from orphans.domain.legacy import legacy_evidence
from orphans.domain.redundancy import Twin, find_twins


def analyze_redundancy(module: str | Path, repo: str | Path) -> bool:
    """Return whether another module of the checkout contains this one; see `find_twin`."""
    return find_twin(module, repo) is not None


def find_twin(module: str | Path, repo: str | Path) -> Twin | None:
    """Return the module of the checkout that contains this one; None without one.

    Args:
        module: its path in the checkout, or an absolute one.
        repo: the checkout's folder.

    Unlike a scan this doesn't ask who is live: of two copies each is the other's twin.

    Raises:
        FileNotFoundError: the module is no file of the checkout.
        ValueError: it lies outside of it.
    """
    tree, path = _found(module, repo)
    others = {each: _reader(tree, each) for each in tree.python if each != path}
    return find_twins({path: tree.read(path)}, others).get(path)


def is_legacy(module: str | Path, repo: str | Path) -> bool:
    """Return whether the module was retired by its own words or its place; arguments as for `find_twin`."""
    tree, path = _found(module, repo)
    return legacy_evidence(tree.read(path), path) is not None


def _found(module: str | Path, repo: str | Path) -> tuple[Tree, str]:
    top = Path(repo).resolve()
    path = PurePosixPath((top / module).resolve().relative_to(top)).as_posix()
    tree = walk(top)
    if path not in tree.python:
        raise FileNotFoundError(f"{path} is no module of {top}")
    return tree, path


def _reader(tree: Tree, path: str) -> Callable[[], bytes | None]:
    def read() -> bytes | None:
        try:
            return tree.read(path)
        except OSError:
            return None

    return read
