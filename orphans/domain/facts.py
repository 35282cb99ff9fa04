"""What the bytes of one file tell without parsing it: cheap, for every file of a checkout.

Nothing here decides: a string or a word only says which files are worth a parse
(`orphans.domain.detail`) when a module has no plain importer.
"""

import re
from dataclasses import dataclass
from typing import Any, Final

MAX_LISTED: Final = 4000
"""Distinct strings or imports kept of one file; generated tables have more, and name no modules."""

OPAQUE: Final = "import("
"""The word of a file that imports something by a name of its own."""
_QUOTED: Final = re.compile(rb"""["']([A-Za-z_][\w-]*+[./:][\w./:-]*+|\.[\w./-]*+)["']""")
_HEAD: Final = re.compile(rb"\n[ \t]*(?:from|import|cimport)[ \t]+([\w.]+)")
_DASH_M: Final = re.compile(rb"""-m["']?[ ,]+["']?([A-Za-z_][\w.]+)""")
_PY: Final = re.compile(rb"\.py\b")
_BACKWARDS: Final = re.compile(rb"[\w./-]+")
_GUARD: Final = re.compile(
    rb"""\n[ \t]*(?:el)?if[ \t(]+__name__\s*==\s*["']__main__|\n[ \t]*if[ \t(]*["']__main__["']\s*=="""
)

FINDERS: Final = (
    b"iter_modules", b"walk_packages", b"spec_from", b"runpy", b"SourceFileLoader", b"\ndef __getattr__",
    b"autodiscover", b".scan(", b"lazy_loader", b"azyModule", b"azyImport", b"azy_import", b"_LAZY",
    b"_lazy =", b"_lazy:", b"_import_structure", b"load_extension", b"_modules(", b"_submodules(",
    b"_plugins(",
    b"_packages(", b"_lazy_imports",
)  # fmt: skip
"""Code that finds modules by a folder, or imports them on demand."""
_IMPORTER: Final = re.compile(
    rb"(?:import_module|__import__|import_(?:from_)?string|find_spec)\(\s*(?![\"'][\w.]+[\"']\s*[,)])"
)
"""Code that imports something else than one literal name."""
_COMPOSED: Final = re.compile(
    rb"""[fF]["'][\w.]*\{[^"'\n{}]+\}[\w.{}]*["']|["'][\w.]*\.["']\s*\+"""
    rb"""|\+\s*f?["']\.[\w.]*["']"""
    rb"""|["'][\w.]*%s[\w.]*["']\s*%"""
    rb"""|["'][\w.]*\{\w*\}[\w.{}]*["']\.format|["']\.["']\.join|["']\.\w*["']\s*[+,]"""
    rb"""|,\s*__(?:name|package)__|package="""
)
"""Names that are put together."""
LOADERS: Final = (
    b"import_module", b"__import__", b"import_string", b"pkgutil", b"spec_from", b"find_spec", b"runpy",
    b"\ndef __getattr__", b"azy_", b"azyM", b"azyI", b"_LAZY", b"autodiscover", b"load_ext", b".scan(",
    b"_modules(", b"_plugins(", b"_packages(", b"FileLoader", b"_import_structure",
)  # fmt: skip
"""Parts of words of code that imports what it names only at run time."""

RUNNERS: Final = (
    b"subprocess",
    b"open",
    b"os.system",
    b"runpy",
    b"run(",
    b"exec",
    b"spec_from",
    b"spawn",
    b"Loader",
)
"""Parts of words of code that runs or reads a file by its path."""

LISTS: Final = (
    b"_APPS",
    b"pytest_plugins",
    b"clude=",
    b"imports=",
    b"PLUGINS",
    b"ODULES",
    b"ACKAGES",
    b"packages",
)
"""Words of code that may list modules by names without a dot."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What one file's bytes tell."""

    #: names behind `import` and `from`, as written
    imports: tuple[str, ...] = ()
    #: quoted dotted names, `module:name`s and paths, as written
    strings: tuple[str, ...] = ()
    #: words after `-m`, and `.py` paths anywhere
    commands: tuple[str, ...] = ()
    #: ends in a main guard
    guarded: bool = False
    #: has a word of `LOADERS`
    loads: bool = False
    #: has a word of `RUNNERS`
    runs: bool = False
    #: begins with `#!`
    shebang: bool = False
    #: words of `LISTS` in the file
    words: tuple[str, ...] = ()

    @property
    def lists(self) -> bool:
        """Tell whether it may list modules by names without a dot."""
        return bool(self.words)

    def to_row(self) -> list[Any]:
        """Return it as a short JSON row."""
        flags = [self.guarded, self.loads, self.runs, self.shebang]
        number = sum(1 << at for at, flag in enumerate(flags) if flag)
        return [self.imports, self.strings, self.commands, number, self.words]

    @classmethod
    def from_row(cls, row: list[Any]) -> "Facts":
        """Return what `to_row` wrote. Raises ValueError or TypeError when it is none."""
        imports, strings, commands, flags, words = row
        return cls(
            tuple(map(str, imports)), tuple(map(str, strings)), tuple(map(str, commands)),
            bool(flags & 1), bool(flags & 2), bool(flags & 4), bool(flags & 8), tuple(map(str, words)),
        )  # fmt: skip


def facts_of(data: bytes) -> Facts:
    """Return what the bytes tell."""
    body = b"\n" + data
    commands = _listed([*(_DASH_M.findall(data) if b"-m" in data else ()), *_paths(data)])
    loads = any(word in data for word in LOADERS)
    words = tuple(word.decode() for word in LISTS if word in data)
    if loads and (b"import_module(" in data or b"__import__(" in data):
        words = (*words, OPAQUE)
    return Facts(
        imports=_listed(_HEAD.findall(body)),
        strings=_listed(_QUOTED.findall(data)),
        commands=commands,
        guarded=b"__main__" in data and _GUARD.search(body) is not None,
        loads=loads and _is_loader(data),
        runs=bool(commands) and any(word in data for word in RUNNERS),
        shebang=data.startswith(b"#!"),
        words=words,
    )


def _is_loader(data: bytes) -> bool:
    if any(word in data for word in FINDERS):
        return True
    if b"import_module(" not in data and b"__import__(" not in data and b"import_string(" not in data:
        return False
    return _IMPORTER.search(data) is not None and _COMPOSED.search(data) is not None


def _paths(data: bytes) -> list[bytes]:
    found = []
    for each in _PY.finditer(data):
        before = _BACKWARDS.match(data[max(0, each.start() - 120) : each.start()][::-1])
        if before is not None:
            found.append(before[0][::-1] + b".py")
    return found


def _listed(found: list[bytes]) -> tuple[str, ...]:
    unique = dict.fromkeys(found)
    return tuple(each.decode("ascii", "replace") for each in list(unique)[:MAX_LISTED])
