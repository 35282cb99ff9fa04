"""What the bytes of one file tell without parsing it: cheap, for every file of a checkout.

Nothing here decides: a string or a word only says which files are worth a parse
(`orphans.domain.detail`) when a module has no plain importer.
"""

import re
from typing import Any, Final, NamedTuple

MAX_LISTED: Final = 4000
"""Distinct strings or imports kept of one file; generated tables have more, and name no modules."""

OPAQUE: Final = "import("
"""The word of a file that imports something by a name of its own."""
UNKNOWN: Final = "import(?"
"""The word of a file that imports something by another name than a literal one."""
PLUGGED: Final = "plugins"
"""The word of a file that makes the path, or takes the name, of a folder of plugins beside it."""
_PLUGGED: Final = re.compile(
    rb"""(?:join\([^\n]*,|/)\s*["'](?:plugins?|extensions|addons)["']\s*(?:\)|$|[,/])|\b(?:plugins|extensions|addons)\.__(?:name|path)__"""
)
_QUOTED: Final = re.compile(rb'"([A-Za-z_][\w-]*+[./:][\w./:-]*+|\.[\w.:/-]*+)"')
"""With one kind of quote a search begins at a single byte, which is five times as fast as at one of two."""
_HEAD: Final = re.compile(rb"[ \t]*(?:from|import|cimport)[ \t]+([\w.]+)")
_DASH_M: Final = re.compile(rb"""-(?=m)m["']?[ ,]+["']?([A-Za-z_][\w.]+)""")
_CODE: Final = re.compile(rb'"(?:from|import) +([A-Za-z_][\w.]*\w)(?: +import +(\w+))?')
_PY: Final = re.compile(rb"\.py\b")
_BACKWARDS: Final = re.compile(rb"[\w./-]+")
_GUARD: Final = re.compile(
    rb"""\n[ \t]*(?:el)?if[ \t(]+__name__\s*==\s*["']__main__|\n[ \t]*if[ \t(]*["']__main__["']\s*=="""
)

_FINDERS: Final = re.compile(
    rb"_(?:(?<=iter_)modules|(?<=walk_)packages|(?<=spec_)from|(?<=\ndef _)_getattr__|(?<=lazy_)loader"
    rb"|(?<=azy_)import|LAZY|lazy(?: =|:|_imports)|import_structure|(?<=load_)extension|(?:sub)?modules\("
    rb"|(?<=load_)module\(|plugins?\(|packages\()"
)
_FINDER_SIGNS: Final = (
    b"odules(__",
    b"lugins(__",
    b"autodiscover",
    b".scan(",
    b"runpy.",
    b"runpy import",
    b"SourceFileLoader",
)
_FINDER_LAZY: Final = re.compile(rb"z(?<=az)y(?:Module|Import)")
"""Code that finds modules by a folder, or imports them on demand."""
_IMPORTER: Final = re.compile(
    rb"(?:import_module|__import__|import_(?:from_)?string|find_spec)\(\s*(?![\"'][\w.]+[\"']\s*[,)])"
)
"""Code that imports something else than one literal name."""
_COMPOSED: Final = (
    re.compile(rb",\s*__(?:name|package)__"),
    re.compile(rb"package="),
    re.compile(
        rb'"(?:(?<=[fF]")[\w.]*\{[^"\n{}]+\}[\w.{}]*"|[\w.]*\."\s*\+|[\w.]*%[s(][\w.%()]*"\s*%'
        rb'|[\w.]*\{\w*\}[\w.{}]*"\.format|\."\.join|\.\w*"\s*[+,]|/", ?"\.")'
    ),
    re.compile(rb'\+\s*f?"\.[\w.]*"'),
    re.compile(rb'sep, ?"\."'),
)
"""Names that are put together, in a source with one kind of quote."""
_UNDERSCORED: Final = re.compile(
    rb"_(?:modules\(|(?<=load_)module\(|plugins?\(|plugins|packages\(|LAZY|APPS|_import__"
    rb"|(?<=\ndef _)_getattr__|(?<=import_)(?:module|string)|(?<=_import_)structure|(?<=find_)spec"
    rb"|(?<=spec_)from|(?<=load_)ext|_main__)"
)
_NO_LOADERS: Final = frozenset({b"_APPS", b"__main__", b"_plugins"})
"""What `_UNDERSCORED` finds besides parts of words of code that imports what it names only at run time."""
_SIGNS: Final = (b"odules(__", b"lugins(__", b"pkgutil", b"runpy", b"autodiscover", b".scan(", b"FileLoader")
_LAZY: Final = re.compile(rb"z(?<=az)y[_MI]")
"""With `_SIGNS` the other parts of such words."""
_ENDINGS: Final = (
    re.compile(rb"S(?:(?<=PLUGINS)|(?<=ODULES)|(?<=ACKAGES))"),
    re.compile(rb"=(?:(?<=clude=)|(?<=imports=))"),
)
"""A quick no for `LISTS`, for those without a `_`. A search that begins with one fixed byte passes over the
others ten times as fast as one that begins with any of several, so words are looked for from their rarest
byte, and all that share it together."""

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


class Facts(NamedTuple):
    """What one file's bytes tell."""

    #: names behind `import` and `from`, as written
    imports: tuple[str, ...] = ()
    #: quoted dotted names, `module:name`s and paths, as written
    strings: tuple[str, ...] = ()
    #: words after `-m`, and `.py` paths anywhere
    commands: tuple[str, ...] = ()
    #: ends in a main guard
    guarded: bool = False
    #: may import modules that it finds in a folder, or by names that it puts together
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
    commands = _listed([*_DASH_M.findall(data), *_paths(data)])
    underscored = set(_UNDERSCORED.findall(data))
    signs = any(sign in data for sign in _SIGNS) or _LAZY.search(data) is not None
    loads = signs or not underscored <= _NO_LOADERS
    quoted = data.replace(b"'", b'"')
    if b'"import ' in quoted or b'"from ' in quoted:
        commands = _listed([*map(str.encode, commands), *_spelled(quoted)])
    words = _words(data, underscored)
    if loads and (b"import_module(" in data or b"__import__(" in data):
        words = (*words, OPAQUE, *([UNKNOWN] if _IMPORTER.search(data) else ()))
    if b"plugins" in data or b"addons" in data or b"extensions" in data:
        words = (*words, PLUGGED) if b"__" in data and _PLUGGED.search(data) else words
    return Facts(
        imports=_listed(_heads(data)),
        strings=_listed(_QUOTED.findall(quoted)),
        commands=commands,
        guarded=b"__main__" in underscored and _GUARD.search(b"\n" + data) is not None,
        loads=loads and _is_loader(data, quoted, signs=signs),
        runs=bool(commands) and any(word in data for word in RUNNERS),
        shebang=data.startswith(b"#!"),
        words=words,
    )


def _words(data: bytes, underscored: set[bytes]) -> tuple[str, ...]:
    """Return the words of `LISTS` in the file."""
    may_list = (
        b"_APPS" in underscored
        or not underscored.isdisjoint((b"_plugins", b"_plugins("))
        or b"packages" in data
        or any(each.search(data) for each in _ENDINGS)
    )
    return tuple(word.decode() for word in LISTS if word in data) if may_list else ()


def _spelled(quoted: bytes) -> list[bytes]:
    """Return the dotted names that code in a one-line string imports."""
    return [
        name if b"." in name else name + b"." + word
        for name, word in _CODE.findall(quoted) if word or b"." in name
    ]  # fmt: skip


def _heads(data: bytes) -> list[bytes]:
    """Return the modules of the lines that hold the word `import`, found from the word backwards."""
    found = []
    at = data.find(b"import")
    while at >= 0:
        start = data.rfind(b"\n", 0, at) + 1
        while start > 1 and data[start - 2 : start - 1] == b"\\":  # the line goes on
            start = data.rfind(b"\n", 0, start - 1) + 1
        head = _HEAD.match(data, start)
        if head is not None:
            found.append(head[1])
        end = data.find(b"\n", at)
        at = data.find(b"import", end) if end >= 0 else -1
    return found


def _is_loader(data: bytes, quoted: bytes, *, signs: bool) -> bool:
    if _FINDERS.search(data) is not None or (signs and _has_finder_sign(data)):
        return True
    if b"import_module(" not in data and b"__import__(" not in data and b"import_string(" not in data:
        return False
    return _IMPORTER.search(data) is not None and any(each.search(quoted) for each in _COMPOSED)


def _has_finder_sign(data: bytes) -> bool:
    return any(word in data for word in _FINDER_SIGNS) or _FINDER_LAZY.search(data) is not None


def _paths(data: bytes) -> list[bytes]:
    found = []
    for each in _PY.finditer(data):
        before = _BACKWARDS.match(data[max(0, each.start() - 120) : each.start()][::-1])
        if before is not None:
            found.append(before[0][::-1] + b".py")
    return found


def _listed(found: list[bytes]) -> tuple[str, ...]:
    """Return what was found once each; the patterns let no line break through."""
    if not found:
        return ()
    unique = list(dict.fromkeys(found))[:MAX_LISTED]
    return tuple(b"\n".join(unique).decode("ascii", "replace").split("\n"))
