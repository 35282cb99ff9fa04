"""What the bytes of one file tell without parsing it: cheap, for every file of a checkout.

Nothing here decides: a string or a word only says which files are worth a parse
(`orphans.domain.detail`) when a module has no plain importer.
"""

import re
from itertools import islice
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
_QUOTED: Final = re.compile(
    rb'"([A-Za-z_][\w-]*+(?:[./:][\w./:-]*+"| (?:(?<="import )|(?<="from ))'
    rb'|"(?<=[ns]")(?:(?<="plugin")|(?<="plugins")|(?<="addons")|(?<="extensions")))|\.[\w.:/-]*+")'
)
"""With one kind of quote a search begins at a single byte, which is five times as fast as at one of two.
What it finds ends in a quote; `_SPOKEN` and `_FOLDERS` are found on the way."""
_SPOKEN: Final = frozenset({b"import ", b"from "})
"""How a string begins that is code."""
_FOLDERS: Final = frozenset({b'plugin"', b'plugins"', b'addons"', b'extensions"'})
"""Quoted names of folders of plugins."""
_HEAD: Final = re.compile(rb"[ \t]*(?:from|import|cimport)[ \t]+([\w.]+)")
_BACKSLASH: Final = ord("\\")
_DASH_M: Final = re.compile(rb"""-(?=m)m["']?[ ,]+["']?([A-Za-z_][\w.]+)""")
_CODE: Final = re.compile(rb'"(?:from|import) +([A-Za-z_][\w.]*\w)(?: +import +(\w+))?')
_PY: Final = re.compile(rb"py(?:(?<=\.py)\b|(?<=runpy))")
"""The end of a path, or of the name of the module that runs others."""
_BACKWARDS: Final = re.compile(rb"[\w./-]+")
_GUARD: Final = re.compile(
    rb"""\n[ \t]*(?:el)?if[ \t(]+__name__\s*==\s*["']__main__|\n[ \t]*if[ \t(]*["']__main__["']\s*=="""
)

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
    rb"_(?:m(?:odules(?:\(|(?<=iter_modules))|odule(?:(?<=import_module)|\((?<=load_module\()))"
    rb"|p(?:lugins?\(|lugins|ackages(?:\(|(?<=walk_packages)))|LAZY|APPS"
    rb"|_(?:(?<=odules\(__)|(?<=lugins\(__)|import__|main__|getattr__(?<=\ndef __getattr__)"
    rb"|name__(?<=s\.__name__)|path__(?<=s\.__path__))"
    rb"|s(?:tring(?<=import_string)|tructure(?<=_import_structure)|pec(?<=find_spec)|ubmodules\()"
    rb"|from(?<=spec_from)|ext(?<=load_ext)(?:ension)?|l(?:oader(?<=lazy_loader)|azy(?: =|:|_imports))"
    rb"|import(?<=azy_import))"
)
"""Parts of words of code that may import what it names only at run time, or what it finds in a folder. A
search passes over other bytes than its first one ten times as fast as it tries something at it, and words
that go on with a letter are told apart at once; so all words with a common byte are looked for together."""
_OTHERS: Final = frozenset({b"_APPS", b"__main__", b"_plugins", b"__name__", b"__path__"})
"""What `_UNDERSCORED` finds that loads nothing."""
_NAMED: Final = frozenset({b"__import__", b"_module", b"_string", b"_spec", b"_ext"})
"""Parts of functions that import one module by its name."""
_UNSURE: Final = frozenset({b"_modules", b"_packages", b"_submodules(", b"_lazy =", b"_lazy:"})
"""What loads only together with other words."""
_SIGNS: Final = (b"pkgutil", b"runpy", b"FileLoader")
_LAZY: Final = re.compile(rb"z(?<=az)y(?:_|Module|Import|M|I)")
_HINTS: Final = frozenset({b"zy_", b"zyM", b"zyI"})
"""What `_LAZY` finds that loads only together with other words."""
_RARE: Final = re.compile(
    rb"c(?:over(?<=autodiscover)|an\((?<=\.scan\()|eFileLoader(?<=SourceFileLoader)|kages(?<=packages)|lude=)"
)
"""Words of `LISTS`, and of code that finds modules by a folder."""
_LISTED: Final = frozenset({b"ckages", b"clude="})
"""What `_RARE` finds that loads nothing."""
_PLURAL: Final = re.compile(rb"S(?:(?<=PLUGINS)|(?<=ODULES)|(?<=ACKAGES))")
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
    quoted = data.replace(b"'", b'"')
    strings = dict.fromkeys(_QUOTED.findall(quoted))
    words, rare = set(_UNDERSCORED.findall(data)), set(_RARE.findall(data))
    paths, runs = _paths(data)
    commands = [*_DASH_M.findall(data), *paths]
    if not strings.keys().isdisjoint(_SPOKEN):
        commands += _spelled(quoted)
    named = _listed(commands)
    return Facts(
        imports=_listed(_heads(data)),
        strings=_texts(strings),
        commands=named,
        guarded=b"__main__" in words and _GUARD.search(b"\n" + data) is not None,
        loads=runs or _finds(data, words, rare) or _puts_together(data, quoted, words),
        runs=bool(named) and any(word in data for word in RUNNERS),
        shebang=data.startswith(b"#!"),
        words=(*_lists(data, words, rare), *_opaque(data, words), *_plugged(data, words, strings)),
    )


def _texts(strings: dict[bytes, None]) -> tuple[str, ...]:
    """Return the names in quotes; each ends in its quote, and has no other."""
    names = (each for each in strings if each not in _SPOKEN and each not in _FOLDERS)
    kept = b"".join(islice(names, MAX_LISTED)).decode("ascii", "replace")
    return tuple(kept[:-1].split('"')) if kept else ()


def _lists(data: bytes, words: set[bytes], rare: set[bytes]) -> tuple[str, ...]:
    """Return the words of `LISTS` in the file."""
    may_list = (
        not words.isdisjoint((b"_APPS", b"_plugins", b"_plugins("))
        or not rare.isdisjoint(_LISTED)
        or b"imports=" in data
        or _PLURAL.search(data)
    )
    return tuple(word.decode() for word in LISTS if word in data) if may_list else ()


def _opaque(data: bytes, words: set[bytes]) -> tuple[str, ...]:
    """Return the words of a file that imports something by name."""
    if words <= _OTHERS or (b"import_module(" not in data and b"__import__(" not in data):
        return ()
    return (OPAQUE, UNKNOWN) if _IMPORTER.search(data) else (OPAQUE,)


def _plugged(data: bytes, words: set[bytes], strings: dict[bytes, None]) -> tuple[str, ...]:
    if words.isdisjoint((b"__name__", b"__path__")) and strings.keys().isdisjoint(_FOLDERS):
        return ()
    is_some = b"plugins" in data or b"addons" in data or b"extensions" in data
    return (PLUGGED,) if is_some and b"__" in data and _PLUGGED.search(data) else ()


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
        while start > 1 and data[start - 2] == _BACKSLASH:  # the line goes on
            start = data.rfind(b"\n", 0, start - 1) + 1
        head = _HEAD.match(data, start)
        if head is not None:
            found.append(head[1])
        end = data.find(b"\n", at)
        at = data.find(b"import", end) if end >= 0 else -1
    return found


def _finds(data: bytes, words: set[bytes], rare: set[bytes]) -> bool:
    """Tell whether code finds modules by a folder, or imports them on demand."""
    lazy = {match[0] for match in _LAZY.finditer(data)}
    if rare - _LISTED or lazy - _HINTS or words - _OTHERS - _NAMED - _UNSURE:
        return True
    if words.isdisjoint(_UNSURE):
        return False
    return bool(lazy) or not words.isdisjoint(_NAMED) or any(sign in data for sign in _SIGNS)


def _puts_together(data: bytes, quoted: bytes, words: set[bytes]) -> bool:
    """Tell whether code imports a module by a name that it puts together."""
    if words.isdisjoint(_NAMED):
        return False
    if b"import_module(" not in data and b"__import__(" not in data and b"import_string(" not in data:
        return False
    return _IMPORTER.search(data) is not None and any(each.search(quoted) for each in _COMPOSED)


def _paths(data: bytes) -> tuple[list[bytes], bool]:
    """Return the paths of Python files, and whether code uses `runpy`."""
    found, runs = [], False
    for each in _PY.finditer(data):
        at = each.start()
        if data[at - 1 : at] != b".":
            runs = runs or data.startswith((b".", b" import"), at + 2)
            continue
        before = _BACKWARDS.match(data[max(0, at - 121) : at - 1][::-1])
        if before is not None:
            found.append(before[0][::-1] + b".py")
    return found, runs


def _listed(found: list[bytes]) -> tuple[str, ...]:
    """Return what was found once each; the patterns let no line break through."""
    if not found:
        return ()
    unique = list(dict.fromkeys(found))[:MAX_LISTED]
    return tuple(b"\n".join(unique).decode("ascii", "replace").split("\n"))
