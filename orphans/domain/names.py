"""Which file a dotted name, a path in a command or a relative import means, by paths alone.

A module may be named from every folder that can stand on `sys.path`: from the folder above its topmost
package, and from every folder further up (namespace packages, tests run from the root of a checkout). A
package called `src`, or that holds a `manage.py`, is on `sys.path` itself: its modules have two names.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import Final

INIT: Final = "__init__.py"


def folder_of(path: str) -> str:
    """Return the folder of a repository-relative path; the root is the empty string."""
    return path.rpartition("/")[0]


def base_of(path: str) -> str:
    """Return the last part of a repository-relative path."""
    return path.rpartition("/")[2]


def stem_of(path: str) -> str:
    """Return the last part of a module's path without its ending."""
    return base_of(path).rpartition(".")[0]


def parts_of(path: str) -> tuple[str, ...]:
    """Return folders and stem; a package is its folders alone."""
    folders = tuple(path.split("/"))
    if folders[-1] == INIT:
        return folders[:-1]
    return (*folders[:-1], folders[-1].rpartition(".")[0])


def shared(left: str, right: str) -> int:
    """Return how many leading folders two paths have in common."""
    count = 0
    for one, other in zip(left.split("/")[:-1], right.split("/")[:-1], strict=False):
        if one != other:
            break
        count += 1
    return count


class Names:
    """The Python files of a checkout and the names by which they are imported."""

    def __init__(self, paths: Iterable[str]) -> None:
        self.paths = frozenset(paths)
        self.packages = frozenset(folder_of(each) for each in self.paths if base_of(each) == INIT)
        self._by_tail: dict[str, list[str]] = {}
        self._by_base: dict[str, list[str]] = {}
        self._found: dict[tuple[str, bool], list[str]] = {}
        self._canonical: dict[str, tuple[str, ...]] = {}
        self._sorted = sorted(self.paths)
        #: packages that are on `sys.path` themselves
        self.starts = set(filter(self._is_start, self.packages))
        self._parts: dict[str, tuple[str, ...]] = {}
        for path in self._sorted:
            parts = self._parts[path] = parts_of(path)
            if parts:
                self._by_tail.setdefault(parts[-1], []).append(path)
                self._by_base.setdefault(base_of(path), []).append(path)

    @cached_property
    def children(self) -> dict[str, list[str]]:
        """Modules directly in each folder, its own `__init__.py` left out, and its subpackages."""
        found: dict[str, list[str]] = {}
        for path in sorted(self.paths):
            is_package = base_of(path) == INIT
            folder = folder_of(folder_of(path)) if is_package else folder_of(path)
            if not (is_package and not folder_of(path)):
                found.setdefault(folder, []).append(path)
        return found

    @cached_property
    def _by_pair(self) -> dict[tuple[str, ...], list[str]]:
        """Modules by their last two names: of one alone, such as `models`, there may be hundreds."""
        found: dict[tuple[str, ...], list[str]] = {}
        for path in self._sorted:
            found.setdefault(self._parts[path][-2:], []).append(path)
        return found

    @cached_property
    def folders(self) -> frozenset[str]:
        """Every folder that has a Python file below it."""
        found: set[str] = set()
        for path in self.paths:
            folder = folder_of(path)
            while folder and folder not in found:
                found.add(folder)
                folder = folder_of(folder)
        return frozenset(found)

    @cached_property
    def _folders_by_tail(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for each in sorted(self.folders):
            found.setdefault(base_of(each), []).append(each)
        return found

    def folder(self, ending: str) -> str | None:
        """Return the first folder with Python files whose path ends with `ending`."""
        found = self._folders_by_tail.get(base_of(ending), ())
        return next((each for each in found if f"/{each}".endswith(f"/{ending}")), None)

    def alike(self, path: str) -> int:
        """Return how many files have this file's name."""
        return len(self._by_base.get(base_of(path), ()))

    def shadowed(self) -> set[str]:
        """Return the modules beside a package of the same name: the import finds the package."""
        return {path for path in self.paths if path[:-3] in self.packages and path.endswith(".py")}

    def canonical(self, path: str) -> tuple[str, ...]:
        """Return the module's name from the folder above its topmost package."""
        known = self._canonical.get(path)
        if known is None:
            known = self._canonical[path] = self._named(path)
        return known

    def _named(self, path: str) -> tuple[str, ...]:
        parts = self._parts[path]
        folder = "/".join(parts[:-1])
        count = 1
        while folder and folder in self.packages:
            count += 1
            folder = folder_of(folder)
        return parts[-count:]

    def dotted(self, path: str) -> str:
        """Return the module's canonical dotted name."""
        return ".".join(self.canonical(path))

    def ancestors(self, path: str) -> Iterator[str]:
        """Yield the `__init__.py` of every package that importing the module runs."""
        folder = folder_of(path) if base_of(path) != INIT else folder_of(folder_of(path))
        while folder and folder in self.packages:
            yield f"{folder}/{INIT}"
            folder = folder_of(folder)

    def find(self, dotted: str, near: str = "", *, loose: bool = False) -> str | None:
        """Return the file of exactly this module, the nearest to `near` when several have the name.

        Args:
            dotted: an absolute dotted name.
            near: the path of the file that names it.
            loose: also accept a name that starts inside of a package, as scripts that extend `sys.path` do.
        """
        key = (dotted, loose)
        found = self._found.get(key)
        if found is None:
            found = self._found[key] = self._all(tuple(dotted.split(".")), loose=loose)
        return self._nearest(found, near)

    def _all(self, words: tuple[str, ...], *, loose: bool) -> list[str]:
        known = self._by_pair.get(words[-2:]) if len(words) > 1 else self._by_tail.get(words[0])
        return [
            path
            for path in known or ()
            if self._parts[path][-len(words) :] == words and (loose or self.is_whole(path, len(words)))
        ]

    def _is_start(self, package: str) -> bool:
        return bool(package) and (f"{package}/manage.py" in self.paths or base_of(package) == "src")

    def is_whole(self, path: str, count: int) -> bool:
        """Tell whether the module's last `count` names are one by which it can be imported."""
        if count >= len(self.canonical(path)):
            return True
        return bool(self.starts) and "/".join(self._parts[path][:-count]) in self.starts

    def add_starts(self, found: Iterable[str]) -> None:
        """Take packages as being on `sys.path`; what was looked up before is forgotten."""
        self.starts.update(found)
        self._found.clear()

    def find_attribute(self, dotted: str, near: str = "", *, tails: int = 2) -> str | None:
        """Return the module of `pkg.mod`, `pkg.mod.Class` or `pkg.mod.Class.method`."""
        words = dotted.split(".")
        for cut in range(min(tails, len(words) - 1) + 1):
            found = self.find(".".join(words[: len(words) - cut]), near)
            if found is not None and (cut == 0 or len(words) - cut > 1 or cut == 1):
                return found
        return None

    def find_relative(self, name: str, near: str) -> str | None:
        """Return the file of `.mod` or `..pkg.mod.Class` as seen from the module at `near`."""
        level = len(name) - len(name.lstrip("."))
        folder = folder_of(near)
        for _ in range(level - 1):
            folder = folder_of(folder)
        words = [each for each in name[level:].split(".") if each]
        for cut in range(min(2, len(words)) + 1):
            found = self.at("/".join([*filter(None, [folder]), *words[: len(words) - cut]]))
            if found is not None and len(words) > cut:
                return found
        return None

    def at(self, place: str) -> str | None:
        """Return the package or module at a path without its ending."""
        for path in (f"{place}/{INIT}", f"{place}.py"):
            if path in self.paths:
                return path
        return None

    def find_path(self, text: str, near: str = "") -> str | None:
        """Return the file of `tools/gen.py` as written in a command or string of the file `near`."""
        wanted = [each for each in text.replace("\\", "/").split("/") if each not in ("", ".", "..")]
        if not wanted:
            return None
        exact = "/".join(wanted)
        ending = f"/{exact}"
        found = [each for each in self._by_base.get(wanted[-1], ()) if each == exact or each.endswith(ending)]
        if not found and len(wanted) > 2:
            return self.find_path("/".join(wanted[1:]), near)
        return exact if exact in found else self._nearest(found, near)

    def below(self, folder: str, *, deep: bool) -> list[str]:
        """Return the modules of a folder, with those of its subfolders when `deep`."""
        if not deep:
            return self.children.get(folder, [])
        start = f"{folder}/" if folder else ""
        first = bisect_left(self._sorted, start)
        last = bisect_left(self._sorted, f"{folder}0") if folder else len(self._sorted)
        return self._sorted[first:last]  # "0" is the character after "/"

    def _nearest(self, found: Sequence[str], near: str) -> str | None:
        if len(found) < 2:
            return found[0] if found else None
        shadows = self.packages
        return max(found, key=lambda path: (shared(path, near), path[:-3] not in shadows, -len(path), path))
