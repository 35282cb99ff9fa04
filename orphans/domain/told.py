"""What one file tells, as values: what it imports, says, calls, and loads at run time."""

from typing import Any, NamedTuple, TypeAlias

from orphans.domain.folding import Pieces, Place

Context: TypeAlias = tuple[str, ...]


class Import(NamedTuple):
    """One name of one import statement."""

    level: int
    module: str
    name: str | None
    line: int


class Said(NamedTuple):
    """A string that isn't a docstring, with what it is said to."""

    text: str
    line: int
    #: names of the assignment, calls, keywords and keys around it, outermost first
    context: Context
    #: a number for each list, tuple, set or dict literal it stands in; 0 outside of any
    group: int

    def to_row(self) -> list[Any]:
        """Return it as a short JSON row."""
        return [self.text, self.line, self.context, self.group]

    @classmethod
    def from_row(cls, row: list[Any]) -> "Said":
        """Return what `to_row` wrote. Raises ValueError or TypeError when it is none."""
        text, line, context, group = row
        return cls(text, line, tuple(context), group)


class Loader(NamedTuple):
    """Code that imports what it names at run time."""

    line: int
    #: dotted name with holes; empty when modules are found by listing a folder
    pieces: Pieces = ()
    place: Place | None = None
    glob: str = "*"
    deep: bool = False
    #: the function that does this to its own parameter; its callers say to what
    helper: str | None = None


class Call(NamedTuple):
    """A call that may import a whole package, with the packages it names."""

    name: str
    names: tuple[str, ...]
    line: int


class Detail:
    """Everything the syntax of one file tells."""

    def __init__(self) -> None:
        self.imports: list[Import] = []
        self.strings: list[Said] = []
        self.loaders: list[Loader] = []
        self.calls: list[Call] = []
        #: calls and loops at the top level: a script
        self.executes = False
        #: defines a module-level `__getattr__`
        self.lazy = False
        #: has a main guard
        self.guarded = False
        #: has any statement but a docstring
        self.filled = False

    def to_row(self) -> list[Any]:
        """Return it as a short JSON row."""
        loaders = [
            [each.line, each.pieces, [each.place.path, each.place.module, each.place.loose, each.place.below]
             if each.place else None, each.glob, each.deep, each.helper]
            for each in self.loaders
        ]  # fmt: skip
        return [
            [[each.level, each.module, each.name, each.line] for each in self.imports],
            [each.to_row() for each in self.strings],
            loaders,
            [[each.name, each.names, each.line] for each in self.calls],
            [self.executes, self.lazy, self.guarded, self.filled],
        ]

    @classmethod
    def from_row(cls, row: list[Any]) -> "Detail":
        """Return what `to_row` wrote. Raises ValueError, TypeError or IndexError when it is none."""
        imports, strings, loaders, calls, flags = row
        found = cls()
        found.executes, found.lazy, found.guarded, found.filled = map(bool, flags)
        found.imports = [Import(*each) for each in imports]
        found.strings = [Said.from_row(each) for each in strings]
        found.loaders = [
            Loader(line, tuple(pieces), Place(*place) if place else None, glob, deep, helper)
            for line, pieces, place, glob, deep, helper in loaders
        ]
        found.calls = [Call(name, tuple(names), line) for name, names, line in calls]
        return found
