"""From an environment to values, to messages about bad ones, and to guesses at misspelt names."""

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import SecretStr, ValidationError
from pydantic.fields import FieldInfo

from engines.domain.errors import InvalidInput
from menace_site.sandbox_settings.describing import allowed
from menace_site.sandbox_settings.fields import note_of

PREFIXES = (
    "ALIGNMENT_", "AUTOSCALE_", "CHECKPOINT_", "CODEX_", "ENABLE_", "ENTROPY_", "MENACE_", "ROI_", "SANDBOX_",
    "SELF_TEST_", "SIMPLIFY_PROMPT_", "SNAPSHOT_", "SYNERGY_",
)  # fmt: skip
LIKENESS = 0.85
Fields = Mapping[str, FieldInfo]


class BadSettings(InvalidInput):
    """Some variables have values that can't be used; `problems` has a line for each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def raw_values(fields: Fields, environ: Mapping[str, str]) -> dict[str, Any]:
    """Return the text of each setting that the environment sets; an empty variable counts as not set."""
    found = {name: _first(note_of(field).variables, environ) for name, field in fields.items()}
    return {name: environ[variable] for name, variable in found.items() if variable}


def _first(variables: tuple[str, ...], environ: Mapping[str, str]) -> str | None:
    return next((variable for variable in variables if environ.get(variable, "").strip()), None)


def problems(error: ValidationError, fields: Fields, environ: Mapping[str, str]) -> list[str]:
    """Return one line for each bad variable: its name, its value and what is allowed."""
    names = dict.fromkeys(str(detail["loc"][0]) for detail in error.errors() if detail["loc"])
    lines = [_line(fields[name], environ) for name in names if name in fields]
    whole = [
        str(detail["ctx"]["error"]) for detail in error.errors() if not detail["loc"] and "ctx" in detail
    ]
    return [line for line in lines if line] + whole


def _line(field: FieldInfo, environ: Mapping[str, str]) -> str:
    variable = _first(note_of(field).variables, environ)
    if variable is None:  # it only follows another one, which has a line of its own
        return ""
    value = "(secret)" if SecretStr in _parts(field.annotation) else repr(environ[variable])
    return f"{variable}={value} is not allowed; it takes {allowed(field)}"


def _parts(annotation: Any) -> tuple[Any, ...]:
    return getattr(annotation, "__args__", (annotation,))


def misspelt(fields: Fields, environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield each variable that looks like a misspelt setting, with the setting that was probably meant."""
    known = [variable for field in fields.values() for variable in note_of(field).variables]
    for variable in sorted(environ):
        if variable.startswith(PREFIXES) and variable not in known:
            for near in difflib.get_close_matches(variable, known, n=1, cutoff=LIKENESS):
                yield variable, near
