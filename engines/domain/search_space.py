"""The search space that a bot's pipeline supplies: checked once, then walked to draw parameters.

Two ways to write the same thing, free to mix:

    {"kind": ("choice", {"forest": {"trees": ("int", 20, 200, "log")},
                         "kernel": {"c": ("float", 0.01, 100, "log")}})}

    {"kind": {"type": "choice", "choices": ["forest", "kernel"]},
     "trees": {"type": "int", "low": 20, "high": 200, "log": True, "when": {"kind": ["forest"]}},
     "c": {"type": "float", "low": 0.01, "high": 100, "log": True, "when": {"kind": ["kernel"]}}}

A parameter with a condition exists only where all its conditions hold.
"""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, Literal

from engines.domain.errors import InvalidInput

Scalar = str | int | float | bool | None
Params = dict[str, Scalar]

MAX_PARAMETERS: Final = 200
MAX_CHOICES: Final = 1000
MAX_DEPTH: Final = 20
_MAX_INT: Final = 2**53
_HUGE: Final = 1e300
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]{0,99}")
_KEYS: Final = {
    "float": {"type", "low", "high", "log", "when"},
    "int": {"type", "low", "high", "log", "when"},
    "choice": {"type", "choices", "when"},
}


@dataclass(frozen=True, slots=True)
class Condition:
    """A parameter exists only where the parameter `key` has one of `values`."""

    key: str
    values: tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One dimension; `key` is unique in the space, `name` what the estimator gets."""

    key: str
    name: str
    kind: Literal["float", "int", "choice"]
    low: float = 0.0
    high: float = 0.0
    log: bool = False
    choices: tuple[Scalar, ...] = ()
    when: tuple[Condition, ...] = ()

    def contains(self, value: Scalar) -> bool:
        """Return whether the parameter may have this value."""
        if self.kind == "choice":
            return any(same(value, choice) for choice in self.choices)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        whole = self.kind == "float" or isinstance(value, int)
        return whole and self.low <= value <= self.high

    def exists(self, drawn: Mapping[str, Scalar]) -> bool:
        """Return whether all conditions hold for the values drawn so far, by key."""
        return all(
            condition.key in drawn and any(same(drawn[condition.key], value) for value in condition.values)
            for condition in self.when
        )


@dataclass(frozen=True, slots=True)
class Space:
    """Parameters in an order in which conditions come after what they depend on."""

    parameters: tuple[Parameter, ...]

    def walk(self, draw: Callable[[Parameter], Scalar]) -> Params:
        """Return one configuration by name; `draw` is asked for every parameter that exists in it."""
        drawn: dict[str, Scalar] = {}
        named: Params = {}
        for parameter in self.parameters:
            if parameter.exists(drawn):
                drawn[parameter.key] = named[parameter.name] = draw(parameter)
        return named

    def keyed(self, params: Mapping[str, Any]) -> dict[str, Scalar] | None:
        """Return a configuration by key; None when it does not lie in the space."""
        drawn: dict[str, Scalar] = {}
        names = set()
        for parameter in self.parameters:
            if not parameter.exists(drawn):
                continue
            if parameter.name not in params or not parameter.contains(params[parameter.name]):
                return None
            drawn[parameter.key] = params[parameter.name]
            names.add(parameter.name)
        return drawn if names == set(params) else None

    def branches(self) -> Iterator[dict[str, Scalar]]:
        """Yield a part of a configuration for every choice that other parameters depend on."""
        depended = {condition.key for parameter in self.parameters for condition in parameter.when}
        for parameter in self.parameters:
            if parameter.key in depended and parameter.kind == "choice":
                parents = {c.key: c.values[0] for c in parameter.when}
                yield from ({**parents, parameter.key: choice} for choice in parameter.choices)


def parse(space: Any) -> Space:
    """Return the checked space.

    Raises InvalidInput whose `field` is the parameter, for an unknown type, limits in the wrong order or
    not finite, a log scale from 0, an empty or repeated choice, a condition on what isn't there.
    """
    if not isinstance(space, Mapping):
        raise InvalidInput("the search space must map names to parameters", field="space")
    found = list(islice(_parameters(space, "", ()), MAX_PARAMETERS + 1))
    if len(found) > MAX_PARAMETERS:
        raise InvalidInput(f"the search space has more than {MAX_PARAMETERS} parameters", field="space")
    ordered = _ordered(found)
    _require_distinct_names(ordered)
    return Space(tuple(ordered))


def _parameters(space: Mapping[Any, Any], path: str, when: tuple[Condition, ...]) -> Iterator[Parameter]:
    if len(when) > MAX_DEPTH:
        raise InvalidInput(f"the search space is nested more than {MAX_DEPTH} deep", field="space")
    for name, written in space.items():
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise InvalidInput(f"{str(name)[:100]!r} is no name of a parameter", field="space")
        yield from _parameter(name, path, _as_mapping(name, written), when)


def _parameter(
    name: str, path: str, written: Mapping[str, Any], when: tuple[Condition, ...]
) -> Iterator[Parameter]:
    kind = written.get("type")
    if not isinstance(kind, str) or kind not in _KEYS:
        raise _wrong(name, f'type must be "float", "int" or "choice", not {kind!r}')
    unknown = sorted(str(key) for key in set(written) - _KEYS[kind])
    if unknown:
        raise _wrong(name, f"unknown keys {', '.join(unknown)}")
    conditions = (*when, *_conditions(name, written.get("when", {})))
    if kind != "choice":
        yield _number(name, path + name, kind, written, conditions)
        return
    options = written.get("choices")
    key = path + name
    yield Parameter(key, name, "choice", choices=_choices(name, options), when=conditions)
    if isinstance(options, Mapping):
        for label, inner in options.items():
            if not isinstance(inner, Mapping):
                raise _wrong(name, f"what belongs to the choice {label!r} must be a search space")
            yield from _parameters(inner, f"{key}={label}/", (*conditions, Condition(key, (label,))))


def _as_mapping(name: str, written: Any) -> Mapping[str, Any]:
    """Return the long way of writing a parameter."""
    if isinstance(written, Mapping):
        return written
    if not isinstance(written, tuple | list) or not written:
        raise _wrong(name, 'write it as ("float", low, high), ("int", low, high) or ("choice", [...])')
    kind, *rest = written
    if kind == "choice":
        if len(rest) != 1:
            raise _wrong(name, "a choice takes one list or mapping")
        return {"type": kind, "choices": rest[0]}
    if len(rest) not in (2, 3) or (len(rest) == 3 and rest[2] not in ("log", "linear")):
        raise _wrong(name, 'a number takes low, high and then "log" or "linear"')
    return {"type": kind, "low": rest[0], "high": rest[1], "log": rest[2:] in (["log"], ("log",))}


def _number(
    name: str,
    key: str,
    kind: Any,
    written: Mapping[str, Any],
    when: tuple[Condition, ...],
) -> Parameter:
    low, high = (_limit(name, kind, written.get(side)) for side in ("low", "high"))
    log = written.get("log", False)
    if low > high:
        raise _wrong(name, f"low {low} lies above high {high}")
    if not isinstance(log, bool):
        raise _wrong(name, f"log is true or false, not {log!r}")
    if log and low <= 0:
        raise _wrong(name, f"a log scale can't start at {low}")
    return Parameter(key, name, kind, low, high, log, when=when)


def _limit(name: str, kind: str, limit: Any) -> float:
    if isinstance(limit, bool) or not isinstance(limit, int | float) or not abs(limit) < _HUGE:
        raise _wrong(name, f"limits must be finite numbers, not {limit!r}")
    if kind == "int" and (limit != int(limit) or abs(limit) > _MAX_INT):
        raise _wrong(name, f"limits of whole numbers must be whole numbers, not {limit!r}")
    return float(limit)


def _choices(name: str, written: Any) -> tuple[Scalar, ...]:
    if not isinstance(written, list | tuple | Mapping) or not 1 <= len(written) <= MAX_CHOICES:
        raise _wrong(name, f"choices must be a list of 1 to {MAX_CHOICES} values")
    values = tuple(written)
    for position, value in enumerate(values):
        if not _is_scalar(value):
            raise _wrong(
                name, f"a choice must be a text, a finite number, true, false or none, not {value!r}"
            )
        if any(same(value, other) for other in values[:position]):
            raise _wrong(name, f"the choice {value!r} is there twice")
    return values


def _conditions(name: str, written: Any) -> Iterator[Condition]:
    if not isinstance(written, Mapping):
        raise _wrong(name, "when must map a parameter to a list of its values")
    for key, values in written.items():
        several = values if isinstance(values, list | tuple) else [values]
        if not isinstance(key, str) or not several or not all(map(_is_scalar, several)):
            raise _wrong(name, "when must map a parameter to a list of its values")
        yield Condition(key, tuple(several))


def _ordered(found: list[Parameter]) -> list[Parameter]:
    """Sort so that conditions come after what they depend on; refuse those on nothing or in a circle."""
    by_key = {parameter.key: parameter for parameter in found}
    for parameter in found:
        for condition in parameter.when:
            _require_possible(parameter, condition, by_key)
    ordered: list[Parameter] = []
    done: set[str] = set()
    while waiting := [parameter for parameter in found if parameter.key not in done]:
        free = [p for p in waiting if all(condition.key in done for condition in p.when)]
        if not free:
            raise _wrong(waiting[0].name, "conditions go round in a circle")
        ordered += free
        done |= {parameter.key for parameter in free}
    return ordered


def _require_possible(parameter: Parameter, condition: Condition, by_key: Mapping[str, Parameter]) -> None:
    parent = by_key.get(condition.key)
    if parent is None:
        raise _wrong(parameter.name, f"depends on {condition.key!r}, which is not in the space")
    for value in condition.values:
        if not parent.contains(value):
            raise _wrong(parameter.name, f"depends on {condition.key} = {value!r}, which it can't be")


def _require_distinct_names(ordered: list[Parameter]) -> None:
    """Two parameters of one name must never exist together."""
    by_name: dict[str, list[Parameter]] = {}
    for parameter in ordered:
        for other in by_name.setdefault(parameter.name, []):
            if not _exclusive(parameter, other):
                raise _wrong(parameter.name, "is defined twice for the same configuration")
        by_name[parameter.name].append(parameter)


def _exclusive(one: Parameter, other: Parameter) -> bool:
    return any(
        a.key == b.key and not any(same(v, w) for v in a.values for w in b.values)
        for a in one.when
        for b in other.when
    )


def _is_scalar(value: Any) -> bool:
    return (
        value is None
        or isinstance(value, str | bool | int)
        or (isinstance(value, float) and math.isfinite(value))
    )


def same(one: Any, other: Any) -> bool:
    """Compare without taking 1 for True."""
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def _wrong(name: str, why: str) -> InvalidInput:
    return InvalidInput(f"search space, {name}: {why[:300]}", field=name)
