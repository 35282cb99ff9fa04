"""How one setting is declared, and how its text becomes a value."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator
from pydantic.fields import FieldInfo

WORDS = {
    "1": True,
    "true": True,
    "yes": True,
    "on": True,
    "0": False,
    "false": False,
    "no": False,
    "off": False,
}


class Group(BaseModel):
    """Settings that belong together; the first line of the docstring is the title."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, defer_build=True)


@dataclass(frozen=True)
class Note:
    """What a setting says of itself beyond its type."""

    #: the variables that set it; the first that is set counts
    variables: tuple[str, ...]
    unit: str = ""
    #: what the documentation shows in place of the default
    default: str = ""
    #: the part of the project that will use it; empty: in use now
    later: str = ""


def setting(
    default: Any,
    variable: str | tuple[str, ...],
    help_line: str,
    *,
    unit: str = "",
    shown: str = "",
    later: str = "",
    **limits: Any,
) -> Any:
    """Declare one setting: default, variable(s), a line of help, unit, limits (`ge`, `lt`, `pattern` …)."""
    variables = (variable,) if isinstance(variable, str) else variable
    note = Note(variables, unit=unit, default=shown, later=later)
    return Field(default, description=help_line, json_schema_extra={"note": note}, **limits)  # type: ignore[dict-item]


def note_of(field: FieldInfo) -> Note:
    """Return what `setting` kept."""
    extra = field.json_schema_extra
    note = extra.get("note") if isinstance(extra, dict) else None
    if not isinstance(note, Note):
        raise TypeError("declare settings by setting()")
    return note


def _switch(value: object) -> bool:
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower()
    if word not in WORDS:
        raise ValueError("not a switch")
    return WORDS[word]


def _split(separator: str) -> Callable[[object], object]:
    def split(value: object) -> object:
        if isinstance(value, str):
            return [part.strip() for part in value.split(separator) if part.strip()]
        return value

    return split


def _numbers(value: object) -> object:
    """Read a JSON list or numbers between commas."""
    if not isinstance(value, str):
        return value
    return json.loads(value) if value.lstrip().startswith("[") else _split(",")(value)


def _presets(value: object) -> object:
    """Read one preset or a list of them as JSON; anything else is the path of a file that holds them."""
    if not isinstance(value, str):
        return value
    if not value.lstrip().startswith(("[", "{")):
        return Path(value)
    data = json.loads(value)
    presets = data if isinstance(data, list) else [data]
    if not presets or not all(isinstance(preset, dict) for preset in presets):
        raise ValueError("not a list of presets")
    return presets


Switch = Annotated[bool, PlainValidator(_switch)]
Names = Annotated[list[str], BeforeValidator(_split(","))]
Paths = Annotated[list[Path], BeforeValidator(_split(os.pathsep))]
Delays = Annotated[list[Annotated[float, Field(ge=0, le=3600)]], BeforeValidator(_numbers)]
Presets = Annotated[list[dict[str, Any]] | Path | None, BeforeValidator(_presets)]
