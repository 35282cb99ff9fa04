"""What a setting takes, in words: for messages and for the documentation."""

import types
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from menace_site.sandbox_settings.fields import Delays, Names, Paths, Presets, Switch

SPECIAL: tuple[tuple[Any, str], ...] = (
    (Switch, "1 or 0 (also true/false, yes/no, on/off)"),
    (Names, "names separated by commas"),
    (Paths, "paths separated by the system's path separator"),
    (Delays, "numbers from 0 to 3600, separated by commas or as a JSON list"),
    (Presets, "the path of a JSON file, or a JSON list of objects"),
)
PLAIN: dict[Any, str] = {int: "a whole number", float: "a number", Path: "a path", SecretStr: "a secret text"}
BOUNDS = {"ge": "at least {:g}", "gt": "over {:g}", "le": "at most {:g}", "lt": "under {:g}"}


def allowed(field: FieldInfo) -> str:
    """Return what the setting takes, such as `a number over 0`."""
    for metadata in field.metadata:
        if pattern := getattr(metadata, "pattern", None):
            return f"a text of the form {pattern}"
    kind = _kind(field)
    limits = [
        text.format(value) for name, text in BOUNDS.items() if (value := _limit(field, name)) is not None
    ]
    return " ".join([kind, " and ".join(limits)]).strip()


def _kind(field: FieldInfo) -> str:
    annotation: Any = field.annotation
    for special, text in SPECIAL:
        inner, *marks = get_args(special)
        if inner == annotation and set(map(id, marks)) <= set(map(id, field.metadata)):
            return text
    if get_origin(annotation) in (Union, types.UnionType):
        annotation = next(part for part in get_args(annotation) if part is not type(None))
    if get_origin(annotation) is Literal:
        return "one of " + ", ".join(map(str, get_args(annotation)))
    return PLAIN.get(annotation, "a text")


def _limit(field: FieldInfo, name: str) -> float | None:
    found = (getattr(metadata, name, None) for metadata in field.metadata)
    return next((float(value) for value in found if value is not None), None)
