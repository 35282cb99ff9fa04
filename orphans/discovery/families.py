"""Modules that code finds by listing a folder, or by putting a name together at run time."""

import fnmatch
import re
from collections.abc import Iterator

from orphans.discovery.edges import targets
from orphans.discovery.survey import Survey
from orphans.domain.detail import detail_of
from orphans.domain.findings import Evidence
from orphans.domain.folding import HOLE, Pieces, Place
from orphans.domain.late import late
from orphans.domain.names import INIT, base_of, folder_of, parts_of, stem_of
from orphans.domain.rules import PLUGIN_FOLDERS
from orphans.domain.told import Call, Detail, Loader

Found = Iterator[tuple[str, Evidence]]
GATHERS = late(
    r"scan|discover|sub_?modules|modules|packages|plugins|extensions|walk|import_all|autoload|wire|load_all|blueprints"
)
PACKAGERS = {"find_packages", "find_namespace_packages", "init_modules", "find_modules_to_exclude"}
"""Calls of packaging, which list packages to ship them."""
_NAME = late(r"\.{0,2}[A-Za-z]\w*(?:\.[A-Za-z]\w*)+|\.{1,2}[A-Za-z]\w*")
"""A module by an absolute name with a dot, or by a relative one."""
_PLUGIN_PATH = late(
    rb"""(?:join\([^\n]*,|/)\s*["'](plugins?|extensions|addons)["']\s*(?:\)|$|[,/])|\b(plugins|extensions|addons)\.__(?:name|path)__""",
    re.MULTILINE,
)
"""A folder of plugins at the end of a path, or an imported one that is asked for its name."""
WIDE = 0.5
"""Above this share of plainly imported modules, a name put together means none of the rest."""


class Families:
    """Answers which modules the run-time loaders of a file mean."""

    def __init__(self, survey: Survey, plain: set[str]) -> None:
        """`plain` are the modules that imports alone lead to."""
        self.survey, self.plain = survey, plain
        #: folders under which something loads by any name, with the place
        self.wide: dict[str, Evidence] = {}
        #: functions that list or load what they are given
        self.helpers: dict[str, Loader] = {}
        #: the modules that define them, and the packages that may hand them on
        self.homes: set[str] = set()

    def of(self, path: str, seen: set[str]) -> Found:
        """Yield what the loaders of one live file mean, as far as it isn't in `seen`."""
        detail = self.survey.loading(path)
        if detail is None:
            return
        for loader in detail.loaders:
            if loader.helper is not None and not loader.pieces:
                self.helpers[loader.helper] = loader
                self.homes.update((path, *self.survey.names.ancestors(path)))
            if len(loader.pieces) == 1 and loader.pieces[0] is not None:
                yield from self._constant(path, loader.pieces[0], loader.line, seen)
            elif loader.place is not None:
                if not (loader.place.below and loader.helper):  # its callers say which folder
                    yield from self._listed(path, detail, loader, seen)
            elif any(re.search(r"[A-Za-z]{2}", each or "") for each in loader.pieces):
                yield from self._named(path, detail, loader, seen)
            elif loader.pieces == HOLE:
                yield from self._tables(path, detail, seen)
            elif loader.pieces == (None, ".", None):
                yield from self._pairs(path, detail, loader.line, seen)
        if b"attach_stub(" in self.survey.data(path):
            yield from self._stubbed(path, seen)
        if detail.lazy or self.survey.facts[path].loads:
            yield from self._lazy(path, detail, seen)
        yield from self.called(path, detail, seen)

    def _constant(self, path: str, text: str, line: int, seen: set[str]) -> Found:
        target = self.survey.names.find_attribute(text, path)
        if target is not None and target != path:
            yield from self._kept([target], seen, path, line, f"'{text}' is loaded by {path}")

    def called(self, path: str, detail: Detail, seen: set[str]) -> Found:
        """Yield what calls that gather a whole package mean."""
        for call in detail.calls:
            helper = self.helpers.get(call.name)
            if helper is None and (not GATHERS.search(call.name) or call.name in PACKAGERS):
                continue
            for name in call.names:
                yield from self._gathered(path, call, name, helper, seen)

    def _gathered(self, path: str, call: Call, name: str, helper: Loader | None, seen: set[str]) -> Found:
        for folder in self._packages(name, path, helper):
            yield from self._gathered_from(path, call, name, folder, helper, seen)

    def _gathered_from(
        self, path: str, call: Call, name: str, folder: str, helper: Loader | None, seen: set[str]
    ) -> Found:
        if call.name.startswith("autodiscover"):
            wanted = {"tasks", *call.names}
            inside = self.survey.names.below(folder, deep=False)
            found = [each for each in inside if _listed_name(each, folder) in wanted]
        else:
            deep = helper is None or helper.deep
            found = self.survey.names.below(folder, deep=deep)
        yield from self._kept(found, seen, path, call.line, f"{call.name}() gathers {name}")

    def _beside(self, path: str, name: str) -> str | None:
        """Return the folder of a name in a file's own folder, or in one of the two around it."""
        near = [f"{each}/{name}".strip("/") for each in _upwards(folder_of(path))][:3]
        return next((each for each in near if each in self.survey.names.folders), None)

    def plugged(self, path: str, seen: set[str]) -> Found:
        """Yield the modules of a folder of plugins that a file makes the path of, or takes the name of."""
        data = self.survey.data(path)
        for match in _PLUGIN_PATH.finditer(data):
            if b"__file__" not in data and not match[2]:
                continue
            folder = self._beside(path, (match[1] or match[2]).decode())
            if folder is not None:
                found = self.survey.names.below(folder, deep=False)
                line = data.count(b"\n", 0, match.start()) + 1
                yield from self._kept(found, seen, path, line, f"{path} looks for plugins in {folder}")

    def _packages(self, name: str, path: str, helper: Loader | None) -> list[str]:
        """Return the folders of packages that are given by name or by the end of their path."""
        names = self.survey.names
        package = self._module(name, path) if "/" not in name else None
        if package is not None:
            return [folder_of(package)] if base_of(package) == INIT else []
        ending = name.removeprefix("./").strip("/")
        if "/" not in name and (helper is None or "." in name):
            return []
        found = next(
            (
                f"{each}/{ending}".strip("/")
                for each in _upwards(folder_of(path))
                if f"{each}/{ending}".strip("/") in names.folders
            ),
            None,
        ) or names.folder(ending)
        if found is None or not name.endswith("/"):
            return [found] if found is not None else []
        return sorted(each for each in names.folders if folder_of(each) == found)

    def handed(self, path: str, detail: Detail, seen: set[str]) -> Found:
        """Yield the modules of packages that calls are given by name, in a file that lists packages."""
        for each in detail.strings:
            package = self._module(each.text, path) if _NAME.fullmatch(each.text) and each.context else None
            if package is not None and base_of(package) == INIT and each.context[-1] not in ("{}", "f"):
                found = self.survey.names.below(folder_of(package), deep=False)
                yield from self._kept(
                    found, seen, path, each.line, f"{path} lists packages, and names {each.text}"
                )

    def _module(self, name: str, path: str) -> str | None:
        names = self.survey.names
        return names.find_relative(name, path) if name.startswith(".") else names.find(name, path)

    def _listed(self, path: str, detail: Detail, loader: Loader, seen: set[str]) -> Found:
        folder = self._folder(path, loader.place) if loader.place is not None else None
        if folder is None or (self.survey.is_test(path) and not self.survey.in_tests(folder)):
            return
        for each in (
            self._below(folder, detail) if loader.place is not None and loader.place.below else [folder]
        ):
            yield from self._covered(path, detail, loader, each, seen)

    def _below(self, folder: str, detail: Detail) -> list[str]:
        """Return the folders in a folder that the file names; all of them when it names none."""
        inside = [each for each in self.survey.names.folders if folder_of(each) == folder]
        words = {each.text for each in detail.strings}
        return sorted(each for each in inside if base_of(each) in words) or sorted(inside)

    def _covered(self, path: str, detail: Detail, loader: Loader, folder: str, seen: set[str]) -> Found:
        """Yield the modules of one folder that a loader lists."""
        covered = [
            each for each in self.survey.names.below(folder, deep=loader.deep)
            if each != path and fnmatch.fnmatch(_listed_name(each, folder), loader.glob)
            and not self.survey.is_test_file(each)
        ]  # fmt: skip
        if loader.deep and len(covered) >= 10 and self._share(covered) > WIDE:
            words = {each.text.removesuffix(".py") for each in detail.strings}
            named = [
                each for each in covered if not words.isdisjoint((stem_of(each), base_of(folder_of(each))))
            ]
            yield from self._kept(named, seen, path, loader.line, f"listed and chosen by name by {path}")
            self.wide[folder] = Evidence(
                kind="loader", detail=f"lists {folder or 'the checkout'}", path=path, line=loader.line
            )
            return
        yield from self._kept(
            covered, seen, path, loader.line, f"listed in {folder or '.'} and loaded by {path}"
        )

    def _folder(self, path: str, place: Place) -> str | None:
        if place.module is not None:
            module = self._module(place.module, path)
            return folder_of(module) if module is not None and base_of(module) == INIT else None
        wanted = (place.path or "").strip("/")
        wanted = folder_of(wanted.partition("*")[0]) if "*" in wanted else wanted
        folders = self.survey.names.folders
        if not place.loose:
            wanted = folder_of(wanted) if wanted == path else wanted
            return wanted if wanted in folders or not wanted else None
        wanted = wanted.removeprefix("./")
        near = [f"{base}/{wanted}".strip("/") for base in _upwards(folder_of(path))]
        return next((each for each in near if wanted and each in folders), None)

    def _share(self, paths: list[str]) -> float:
        return sum(each in self.plain for each in paths) / len(paths) if paths else 0.0

    def _named(self, path: str, detail: Detail, loader: Loader, seen: set[str]) -> Found:
        members = self._members(path, loader)
        near = [each for each, word in members.items() if "." not in word]
        if loader.pieces[1:] == (
            None,
            ".",
            None,
        ):  # any module of any package: of those that nothing else uses
            shares: dict[str, list[str]] = {}
            for each in near:
                shares.setdefault(folder_of(each), []).append(each)
            near = [each for each in near if self._share(shares[folder_of(each)]) <= WIDE]
        words = self._table(detail)
        chosen = [each for each, word in members.items() if word in words]
        text = "".join("*" if each is None else each for each in loader.pieces)
        if chosen and loader.pieces[0] is not None:
            yield from self._kept(chosen, seen, path, loader.line, f"'{text}' and a table in {path} name it")
        elif not near or self._is_listed(path, detail, near):
            pass
        elif self._is_wide(loader, near) or self._is_attribute(path, detail, loader, near):
            folder = folder_of(near[0])
            self.wide[folder] = Evidence(
                kind="loader", detail=f"'{text}' is loaded", path=path, line=loader.line
            )
        else:
            yield from self._kept(near, seen, path, loader.line, f"'{text}' is loaded by {path}")
        yield from self._dotted(path, loader, words, seen)

    def _members(self, path: str, loader: Loader) -> dict[str, str]:
        """Return the modules whose name fits, with what is in the first hole; a last one may have dots."""
        is_tail = loader.pieces.count(None) == 1 and loader.pieces[-1] is None
        hole = r"(\w+(?:\.\w+)*)" if is_tail and str(loader.pieces[0]).endswith(".") else r"(\w+)"
        inner = "".join(hole if each is None else re.escape(each) for each in loader.pieces)
        found = self._fitting(path, inner, loader, loader.pieces)
        last = loader.pieces[-1] or ""
        if not found and re.fullmatch(r"\.[A-Z]\w*", last) and loader.pieces[0] is not None:
            found = self._fitting(
                path, inner.removesuffix(re.escape(last)), loader, loader.pieces[:-1]
            )  # a class
        return found

    def _fitting(self, path: str, inner: str, loader: Loader, pieces: Pieces) -> dict[str, str]:
        pattern = re.compile(rf"(?:.*\.)?{inner}")
        rarest = max((each or "" for each in pieces), key=len).strip(".").replace(".", "/")
        found: dict[str, str] = {}
        for each in self.survey.names.paths:
            if rarest not in each:  # a quick no for nearly all
                continue
            matched = pattern.fullmatch(".".join(parts_of(each)))
            if matched is not None and each != path and self._belongs(each, loader):
                found[each] = matched[1]
        return dict(sorted(found.items()))  # of several folders, the first one speaks for them

    def _belongs(self, path: str, loader: Loader) -> bool:
        """Refuse files that only happen to end alike: the literal start must be a whole name of theirs."""
        start = loader.pieces[0]
        if start is None or "." not in start:
            return not self.survey.is_test_file(path)
        first, parts = start.split(".")[0], parts_of(path)
        return first in parts and self.survey.names.is_whole(path, len(parts) - parts.index(first))

    def _dotted(self, path: str, loader: Loader, words: set[str], seen: set[str]) -> Found:
        """Take table entries that have dots themselves: `"sub.module"` behind `"pkg."`."""
        start = loader.pieces[0]
        if start is None or len(loader.pieces) > 2:
            return
        after = loader.pieces[-1] or ""
        for word in words:
            target = self.survey.names.find_attribute(f"{start}{word}{after}", path) if "." in word else None
            if target is not None:
                yield from self._kept(
                    [target], seen, path, loader.line, f"'{start}{word}' in a table of {path}"
                )

    def _is_listed(self, path: str, detail: Detail, members: list[str]) -> bool:
        """Tell whether the same file lists the folder by a pattern: then the pattern says which modules."""
        places = [each.place for each in detail.loaders if each.place is not None and each.glob != "*"]
        folders = {self._folder(path, each) for each in places}
        return bool(folders) and all(folder_of(each) in folders for each in members)

    def _is_wide(self, loader: Loader, members: list[str]) -> bool:
        """Tell whether it says nothing: any module of a package most of which is imported plainly."""
        start = loader.pieces[0] or ""
        whole = loader.pieces[-1] is None and start.endswith(".")
        if start.strip(".").rpartition(".")[2] in PLUGIN_FOLDERS:
            return False
        return whole and len(members) >= 4 and self._share(members) > WIDE

    def _is_attribute(self, path: str, detail: Detail, loader: Loader, members: list[str]) -> bool:
        """Tell whether it is how a package offers its modules as attributes: users import them by name."""
        own = f"{self.survey.names.dotted(path)}."
        return base_of(path) == INIT and detail.lazy and len(members) >= 4 and loader.pieces == (own, None)

    def _table(self, detail: Detail) -> set[str]:
        """Return the words of the literal tables of a file, also as they are made names of modules."""
        words = {each.text.lstrip(".") for each in detail.strings if each.group}
        changed = [each for each in words if not each.isidentifier() and len(each) < 100]
        ways = ((" ", "."), (" ", "_"), ("-", "_"), ("/", "."))
        return words.union(each.replace(*way) for each in changed for way in ways)

    def _pairs(self, path: str, detail: Detail, line: int, seen: set[str]) -> Found:
        """Take package and module that stand side by side in a table: `("pkg", "mod")`."""
        for one, other in zip(detail.strings, detail.strings[1:], strict=False):
            if one.group and one.group == other.group:
                target = self.survey.names.find(f"{one.text}.{other.text}", path)
                if target is not None:
                    why = f"'{one.text}' and '{other.text}' stand in a table of {path}"
                    yield from self._kept([target], seen, path, line, why)

    def _tables(self, path: str, detail: Detail, seen: set[str]) -> Found:
        """Take modules named without a dot in a table whose entries are imported as they are."""
        for each in detail.strings:
            if each.group and each.text.isidentifier():
                target = self.survey.names.find(each.text, path)
                if target is not None and not self.survey.is_test_file(target):
                    yield from self._kept(
                        [target], seen, path, each.line, f"'{each.text}' in a table of {path}"
                    )

    def _stubbed(self, path: str, seen: set[str]) -> Found:
        """Take what the stub beside a package imports, when the package loads its names by it."""
        stub = detail_of(self.survey.data(f"{path}i"), path, "", "")
        for one in stub.imports if stub is not None else ():
            found = list(targets(self.survey, path, one))
            yield from self._kept(found, seen, path, one.line, f"{path}i imports it, and {path} goes by that")

    def _lazy(self, path: str, detail: Detail, seen: set[str]) -> Found:
        """Take the children that a package with a lazy `__getattr__`, or relative strings, names."""
        is_lazy = base_of(path) == INIT and (detail.lazy or b"azy" in self.survey.data(path))
        for each in detail.strings:
            relative = re.fullmatch(r"\.{1,3}[A-Za-z_]\w*(?:\.\w+)*", each.text) is not None
            child = (
                is_lazy
                and re.fullmatch(r"[A-Za-z_]\w*(?:\.\w+)*", each.text) is not None
                and "__all__" not in each.context
            )
            if relative or child:
                target = self.survey.names.find_relative(each.text if relative else f".{each.text}", path)
                if target is not None and target != path:
                    yield from self._kept(
                        [target], seen, path, each.line, f"'{each.text}' in {path} is imported on demand"
                    )

    def _kept(self, found: list[str], seen: set[str], path: str, line: int, why: str) -> Found:
        for each in found:
            if each not in seen and not self.survey.is_test_file(each):
                yield each, Evidence(kind="loader", detail=why, path=path, line=line)


def _listed_name(path: str, folder: str) -> str:
    """Return the name that a listing of the folder shows, without its ending."""
    return base_of(folder_of(path)) if base_of(path) == INIT and folder_of(path) != folder else stem_of(path)


def _upwards(folder: str) -> Iterator[str]:
    yield folder
    while folder:
        folder = folder_of(folder)
        yield folder
