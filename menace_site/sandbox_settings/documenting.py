"""The page `docs/settings.md`, made from the declarations."""

from collections.abc import Mapping
from typing import Any

from pydantic.fields import FieldInfo

from menace_site.sandbox_settings import GROUPS
from menace_site.sandbox_settings.describing import allowed
from menace_site.sandbox_settings.fields import Note, note_of

HEAD = """# Settings

Every setting is an environment variable. All are read and checked once, at start: a bad value stops the start
with exit code 2 and a line that names the variable, its value and what it takes. An empty variable counts as
not set. A variable that looks like a misspelt setting is reported by `manage.py check` and by every command
that runs the checks. Relative paths start at the project's folder. `SELF_TEST_*` variables follow their
`SANDBOX_*` partner unless they are set themselves.

"in use" settings change something today. The others are read and checked, and take effect with the part of
the project that is named.

This page is made by `python scripts/settings_doc.py`; a test compares the two.
"""

TABLE = "| variable | takes | default | meaning | state |\n| --- | --- | --- | --- | --- |\n"


def markdown() -> str:
    """Return the whole page."""
    return HEAD + "".join(_group(group) for group in GROUPS)


def _group(group: Any) -> str:
    fields: Mapping[str, FieldInfo] = group.model_fields
    rows = "".join(_row(name, field) for name, field in fields.items())
    return f"\n## {group.__doc__.strip().splitlines()[0]}\n\n{TABLE}{rows}"


def _row(name: str, field: FieldInfo) -> str:
    note = note_of(field)
    variables = " or ".join(f"`{variable}`" for variable in note.variables)
    takes = allowed(field) + (f" ({note.unit})" if note.unit else "")
    state = f"waits for {note.later}" if note.later else "in use"
    cells = (f"{variables}<br>`{name}`", takes, _default(field, note), field.description or "", state)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


def _default(field: FieldInfo, note: Note) -> str:
    if note.default or field.default in (None, []):
        return note.default or "none"
    values = field.default if isinstance(field.default, list) else [field.default]
    return f"`{','.join(map(_text, values))}`"


def _text(value: object) -> str:
    if isinstance(value, bool):
        return f"{value:d}"
    return f"{value:g}" if isinstance(value, float) else str(value)
