"""What one file tells, as values: what it imports, says, calls, and loads at run time."""

from dataclasses import dataclass, field
from typing import Any, TypeAlias

from orphans.domain.folding import Pieces, Place

Context: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Import:
    """One name of one import statement."""

    level: int
    module: str
    name: str | None
    line: int


@dataclass(frozen=True, slots=True)
class Said:
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


@dataclass(frozen=True, slots=True)
class Loader:
    """Code that imports what it names at run time."""

    line: int
    #: dotted name with holes; empty when modules are found by listing a folder
    pieces: Pieces = ()
    place: Place | None = None
    glob: str = "*"
    deep: bool = False
    #: the function that does this to its own parameter; its callers say to what
    helper: str | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """A call that may import a whole package, with the packages it names."""

    name: str
    names: tuple[str, ...]
    line: int


@dataclass(slots=True)
class Detail:
    """Everything the syntax of one file tells."""

    imports: list[Import] = field(default_factory=list)
    strings: list[Said] = field(default_factory=list)
    loaders: list[Loader] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    #: names that the top level binds, imports left out
    bound: set[str] = field(default_factory=set)
    #: calls and loops at the top level: a script
    executes: bool = False
    #: defines a module-level `__getattr__`
    lazy: bool = False
    #: has a main guard
    guarded: bool = False
    #: has any statement but a docstring
    filled: bool = False

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
            sorted(self.bound),
            [self.executes, self.lazy, self.guarded, self.filled],
        ]

    @classmethod
    def from_row(cls, row: list[Any]) -> "Detail":
        """Return what `to_row` wrote. Raises ValueError, TypeError or IndexError when it is none."""
        imports, strings, loaders, calls, bound, flags = row
        executes, lazy, guarded, filled = map(bool, flags)
        return cls(
            imports=[Import(*each) for each in imports],
            strings=[Said.from_row(each) for each in strings],
            loaders=[
                Loader(line, tuple(pieces), Place(*place) if place else None, glob, deep, helper)
                for line, pieces, place, glob, deep, helper in loaders
            ],
            calls=[Call(name, tuple(names), line) for name, names, line in calls],
            bound=set(bound),
            executes=executes,
            lazy=lazy,
            guarded=guarded,
            filled=filled,
        )
