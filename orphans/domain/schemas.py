"""The schema of a workflow's input: a subset of JSON Schema, inferred from examples or given.

Known keywords: type, properties, required, additionalProperties (true or false), items, enum, minimum,
maximum, minLength, maxLength, minItems, maxItems, examples. Others are ignored, as JSON Schema says.
Source of the keywords: JSON Schema Validation 2020-12, sections 6 and 9.5.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

Json = Any
Schema = Mapping[str, Any]

DEPTH: Final = 24
EXAMPLES: Final = 20
TYPES: Final = ("null", "boolean", "integer", "number", "string", "array", "object")


def infer(examples: Sequence[Json]) -> dict[str, Any]:
    """Return a schema that all examples fit: types, fields, which fields all have, values seen.

    No examples give `{}`, which everything fits. Below `DEPTH` levels nothing more is said.
    """
    return _inferred(list(examples), DEPTH)


def _inferred(examples: list[Json], depth: int) -> dict[str, Any]:
    kinds = sorted({type_of(each) for each in examples})
    if kinds == ["integer", "number"]:
        kinds = ["number"]
    if len(kinds) != 1 or depth == 0:
        return {"type": kinds} if kinds and depth else {}
    match kinds[0]:
        case "object":
            return _object(examples, depth)
        case "array":
            inner = [item for each in examples for item in each[:EXAMPLES]]
            return {"type": "array", "items": _inferred(inner, depth - 1)}
        case "null" | "boolean" as kind:
            return {"type": kind}
        case kind:
            return {"type": kind, "examples": _distinct(examples)}


def _object(examples: list[dict[str, Json]], depth: int) -> dict[str, Any]:
    names = dict.fromkeys(name for each in examples for name in each)
    found = {name: [each[name] for each in examples if name in each] for name in names}
    return {
        "type": "object",
        "properties": {name: _inferred(values, depth - 1) for name, values in found.items()},
        "required": [name for name, values in found.items() if len(values) == len(examples)],
    }


def _distinct(examples: list[Json]) -> list[Json]:
    return list(dict.fromkeys(examples))[:EXAMPLES]


def type_of(value: Json) -> str:
    """Return the JSON type of a value; a whole float is a number, true is no integer."""
    names = {type(None): "null", bool: "boolean", int: "integer", float: "number", str: "string"}
    return names.get(type(value)) or ("array" if isinstance(value, list) else "object")


def fault(schema: Schema, value: Json, place: str = "") -> str | None:
    """Return where and why a value breaks the schema (`/a/0: must be integer`), or None when it fits."""
    reason = _own_fault(schema, value)
    if reason is not None:
        return f"{place or '/'}: {reason}"
    for name, inner, item in _parts(schema, value):
        if (found := fault(inner, item, f"{place}/{name}")) is not None:
            return found
    return None


def _parts(schema: Schema, value: Json) -> Iterator[tuple[str, Schema, Json]]:
    if isinstance(value, dict):
        known = schema.get("properties", {})
        yield from ((name, known[name], item) for name, item in value.items() if name in known)
    elif isinstance(value, list) and "items" in schema:
        yield from ((str(index), schema["items"], item) for index, item in enumerate(value))


def _own_fault(schema: Schema, value: Json) -> str | None:
    """Return what is wrong with the value itself, its parts left out."""
    kinds = types_of(schema)
    if kinds and not any(_is(kind, value) for kind in kinds):
        return f"must be {' or '.join(kinds)}"
    if "enum" in schema and not any(_same(value, each) for each in schema["enum"]):
        return "is none of the allowed values"
    if isinstance(value, dict):
        return _field_fault(schema, value)
    if isinstance(value, str):
        return _range_fault(schema, len(value), "Length")
    if isinstance(value, list):
        return _range_fault(schema, len(value), "Items")
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return _range_fault(schema, value, "") if number else None


def types_of(schema: Schema) -> tuple[str, ...]:
    """Return the types that a schema allows; none: all."""
    given = schema.get("type", ())
    return (given,) if isinstance(given, str) else tuple(given)


def _is(kind: str, value: Json) -> bool:
    own = type_of(value)
    whole = own == "number" and math.isfinite(value) and value == int(value)
    return own == kind or (kind == "number" and own == "integer") or (kind == "integer" and whole)


def _same(one: Json, other: Json) -> bool:
    return bool(one == other) and (type_of(one) == "boolean") == (type_of(other) == "boolean")


def _field_fault(schema: Schema, value: dict[str, Json]) -> str | None:
    missing = [name for name in schema.get("required", ()) if name not in value]
    if missing:
        return f"lacks {missing[0]}"
    if schema.get("additionalProperties") is False:
        more = [name for name in value if name not in schema.get("properties", {})]
        return f"has the unknown field {more[0]}" if more else None
    return None


def _range_fault(schema: Schema, number: float, word: str) -> str | None:
    low, high = (f"min{word}", f"max{word}") if word else ("minimum", "maximum")
    if low in schema and number < schema[low]:
        return f"is under the {low} of {schema[low]}"
    if high in schema and number > schema[high]:
        return f"is over the {high} of {schema[high]}"
    return None
