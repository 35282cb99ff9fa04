"""Inputs for a workflow function, made from its input's schema: valid, misused and hostile.

Misuse is what a hurried caller does: a wrong type, a field left out, null, nothing at all, a number out
of range. Every one of them breaks the schema. Hostile is what an attacker sends: injections, text that
is huge, nested, or unreadable in encodings. All are plain JSON; the same arguments give the same inputs.
"""

import copy
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from orphans.domain.payload_texts import EXTREMES, KEYS, TEXTS, nested
from orphans.domain.schemas import Json, Schema, fault, type_of, types_of

KINDS: Final = ("valid", "misuse", "hostile")
PROFILE_KINDS: Final = {"user_misuse": "misuse", "hostile_input": "hostile"}
MAX_COUNT: Final = 1000
ARRAY_LENGTH: Final = 3
DEPTH: Final = 24
OTHERS: Final[Mapping[str, Json]] = {
    "null": None, "boolean": True, "integer": 7, "number": 0.5, "string": "seven", "array": [], "object": {},
}  # fmt: skip
"""One value of each JSON type."""

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """One input."""

    #: one of `KINDS`
    kind: str
    #: what was done, such as `missing_field` or `sql`
    label: str
    #: where, as a JSON pointer; empty: the whole input
    place: str
    value: Json


def payloads(schema: Schema | None, profile: str, seed: int = 0, count: int = 20) -> list[Payload]:
    """Return `count` inputs of a profile: a kind, `user_misuse` or `hostile_input`.

    Without a schema (None) nothing is known of the input: misuse is then any value of any type.
    Kinds of misuse and attack take turns, so that a few inputs hold many kinds.

    Raises:
        ValueError: an unknown profile, or a count that is not from 0 to 1000.
    """
    kind = PROFILE_KINDS.get(profile, profile)
    if kind not in KINDS:
        raise ValueError(f"{profile!r} is no profile of inputs; known: {', '.join((*KINDS, *PROFILE_KINDS))}")
    if not 0 <= count <= MAX_COUNT:
        raise ValueError(f"count must lie between 0 and {MAX_COUNT}, not {count}")
    return [_one(schema or {}, kind, random.Random(f"{seed}:{kind}:{i}"), i) for i in range(count)]  # noqa: S311


def mixed(
    schema: Schema | None, *, hostile: float, misuse: float, count: int, seed: int = 0
) -> list[Payload]:
    """Return `count` inputs, so many percent of them hostile and misused, the rest valid, in random order.

    A share that is not zero gives at least one input of its kind.
    """
    numbers = {"hostile": _share(hostile, count), "misuse": _share(misuse, count)}
    numbers["misuse"] = min(numbers["misuse"], count - numbers["hostile"])
    numbers["valid"] = count - sum(numbers.values())
    made = [each for kind, number in numbers.items() for each in payloads(schema, kind, seed, number)]
    random.Random(f"{seed}:order").shuffle(made)  # noqa: S311 - nothing secret
    return made


def _share(percent: float, count: int) -> int:
    return min(count, max(1, round(percent / 100 * count))) if percent else 0


def _one(schema: Schema, kind: str, chance: random.Random, turn: int) -> Payload:
    base = valid(schema, chance)
    if kind == "valid":
        return Payload(kind=kind, label="valid", place="", value=base)
    makers = MISUSES if kind == "misuse" else ATTACKS
    order = [makers[(turn + step) % len(makers)] for step in range(len(makers))]
    for label, make in order:
        places = list(places_of(base, schema))
        chance.shuffle(places)
        for place, inner in places:
            for value in make(base, place, inner, chance):
                if kind == "hostile" or not schema or fault(schema, value) is not None:
                    return Payload(kind=kind, label=label, place=pointer(place), value=value)
    return Payload(kind=kind, label="any_type", place="", value=chance.choice(list(OTHERS.values())))


# ------------------------------------------------------------------ valid


def valid(schema: Schema, chance: random.Random, depth: int = DEPTH) -> Json:
    """Return a value that fits the schema; an unsatisfiable one gets the nearest thing to it."""
    if schema.get("enum"):
        return copy.deepcopy(chance.choice(list(schema["enum"])))
    kind = chance.choice(types_of(schema) or ("null",))
    if depth == 0:
        return copy.deepcopy(OTHERS[kind])
    match kind:
        case "object":
            return _valid_object(schema, chance, depth)
        case "array":
            length = _between(schema, "Items", ARRAY_LENGTH, chance)
            return [valid(schema.get("items", {}), chance, depth - 1) for _ in range(length)]
        case "string":
            return _valid_text(schema, chance)
        case "integer" | "number":
            return _valid_number(schema, kind, chance)
    return chance.random() < 0.5 if kind == "boolean" else None


def _valid_object(schema: Schema, chance: random.Random, depth: int) -> dict[str, Json]:
    known, required = schema.get("properties", {}), schema.get("required", ())
    wanted = [name for name in known if name in required or chance.random() < 0.5]
    wanted += [name for name in required if name not in known]
    return {name: valid(known.get(name, {}), chance, depth - 1) for name in wanted}


def _between(schema: Schema, word: str, usual: int, chance: random.Random) -> int:
    low = int(schema.get(f"min{word}", min(1, schema.get(f"max{word}", 1))))
    high = int(schema.get(f"max{word}", max(low, usual)))
    return chance.randint(low, min(max(high, low), low + usual))


def _fitting(schema: Schema) -> list[Json]:
    return [each for each in schema.get("examples", ()) if fault(schema, each) is None]


def _valid_text(schema: Schema, chance: random.Random) -> str:
    examples = _fitting({**schema, "type": "string"})
    if examples:
        return str(chance.choice(examples))
    length = _between(schema, "Length", 12, chance)
    return "".join(chance.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(length))


def _valid_number(schema: Schema, kind: str, chance: random.Random) -> Json:
    examples = _fitting({**schema, "type": kind})
    low = schema.get("minimum", min(examples, default=min(0, schema.get("maximum", 0))))
    high = schema.get("maximum", max(examples, default=max(100, low + 100)))
    if kind == "integer":
        return chance.randint(int(-(-low // 1)), int(high // 1)) if -(-low // 1) <= high // 1 else int(low)
    return min(float(high), low + (high - low) * chance.random())


# ------------------------------------------------------------------ places


def places_of(value: Json, schema: Schema, path: Path = ()) -> Iterator[tuple[Path, Schema]]:
    """Yield every place of a value with its part of the schema, the whole value first."""
    yield path, schema
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from places_of(inner, schema.get("properties", {}).get(name, {}), (*path, name))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from places_of(inner, schema.get("items", {}), (*path, index))


def pointer(path: Path) -> str:
    """Return a path as a JSON pointer (RFC 6901)."""
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in path)


def at(value: Json, path: Path) -> Json:
    """Return what stands at a place."""
    for part in path:
        value = value[part]
    return value


def put(value: Json, path: Path, new: Json) -> Json:
    """Return a copy with something else at a place."""
    if not path:
        return new
    changed = copy.deepcopy(value)
    at(changed, path[:-1])[path[-1]] = new
    return changed


# ------------------------------------------------------------------ misuse

Maker = Callable[[Json, Path, Schema, random.Random], Iterator[Json]]


def _wrong_type(base: Json, path: Path, schema: Schema, chance: random.Random) -> Iterator[Json]:
    own = type_of(at(base, path))
    others = [value for kind, value in OTHERS.items() if kind not in (own, "null")]
    chance.shuffle(others)
    yield from (put(base, path, copy.deepcopy(other)) for other in others)


def _missing_field(base: Json, path: Path, schema: Schema, chance: random.Random) -> Iterator[Json]:
    here = at(base, path)
    names = [name for name in schema.get("required", ()) if isinstance(here, dict) and name in here]
    chance.shuffle(names)
    for name in names:
        yield put(base, path, {key: value for key, value in here.items() if key != name})


def _null(base: Json, path: Path, schema: Schema, chance: random.Random) -> Iterator[Json]:
    if at(base, path) is not None:
        yield put(base, path, None)


def _empty(base: Json, path: Path, schema: Schema, chance: random.Random) -> Iterator[Json]:
    here = at(base, path)
    if here and isinstance(here, dict | list | str):
        yield put(base, path, type(here)())


def _out_of_range(base: Json, path: Path, schema: Schema, chance: random.Random) -> Iterator[Json]:
    step, here = chance.randint(1, 1000), at(base, path)
    beyond: list[Json] = []
    if "minimum" in schema:
        beyond.append(schema["minimum"] - step)
    if "maximum" in schema:
        beyond.append(schema["maximum"] + step)
    if "maxLength" in schema:
        beyond.append("x" * (schema["maxLength"] + step))
    if "maxItems" in schema and isinstance(here, list) and here:
        beyond.append(here * (schema["maxItems"] + 1))
    chance.shuffle(beyond)
    yield from (put(base, path, value) for value in beyond)


def _unknown_field(base: Json, path: Path, schema: Schema, chance: random.Random) -> Iterator[Json]:
    here = at(base, path)
    if isinstance(here, dict) and schema.get("additionalProperties") is False:
        yield put(base, path, {**here, "unexpected": True})


def _number_as_text(base: Json, path: Path, schema: Schema, chance: random.Random) -> Iterator[Json]:
    here = at(base, path)
    if type_of(here) in ("integer", "number"):
        yield put(base, path, str(here))


def _not_in_list(base: Json, path: Path, schema: Schema, chance: random.Random) -> Iterator[Json]:
    if "enum" in schema:
        yield put(base, path, "something else")


MISUSES: Final[list[tuple[str, Maker]]] = [
    ("wrong_type", _wrong_type),
    ("missing_field", _missing_field),
    ("null", _null),
    ("number_as_text", _number_as_text),
    ("empty", _empty),
    ("out_of_range", _out_of_range),
    ("unknown_field", _unknown_field),
    ("not_in_list", _not_in_list),
]

# ------------------------------------------------------------------ attacks


def _text_attack(text: str) -> Maker:
    def attack(base: Json, path: Path, schema: Schema, chance: random.Random) -> Iterator[Json]:
        """Put the text where text belongs; anywhere when nothing of the input is text."""
        has_text = any(isinstance(at(base, place), str) for place, _ in places_of(base, schema))
        if not has_text or isinstance(at(base, path), str):
            yield put(base, path, text)

    return attack


def _deep(base: Json, path: Path, schema: Schema, chance: random.Random) -> Iterator[Json]:
    yield put(base, path, nested(200))


def _wide(base: Json, path: Path, schema: Schema, chance: random.Random) -> Iterator[Json]:
    here = at(base, path)
    many: Any = (here or [0]) if isinstance(here, list) else [here]
    yield put(base, path, [many[0]] * 10_000)


def _extreme(base: Json, path: Path, schema: Schema, chance: random.Random) -> Iterator[Json]:
    if type_of(at(base, path)) in ("integer", "number"):
        yield put(base, path, chance.choice(EXTREMES))


def _strange_key(base: Json, path: Path, schema: Schema, chance: random.Random) -> Iterator[Json]:
    here = at(base, path)
    if isinstance(here, dict):
        yield put(base, path, {**here, chance.choice(KEYS): "x"})


ATTACKS: Final[list[tuple[str, Maker]]] = [
    *((label, _text_attack(text)) for label, text in TEXTS.items()),
    ("deep", _deep),
    ("wide", _wide),
    ("extreme_number", _extreme),
    ("strange_key", _strange_key),
]
