"""Where scenario presets come from (files, the setting, rows, the canonical ones) and how rows change."""

import contextlib
import json
import os
import re
import stat
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from orphans.domain.acting import Acting
from orphans.domain.errors import Conflict, InvalidInput
from orphans.domain.preset_keys import Value
from orphans.domain.preset_profiles import generate_canonical_presets
from orphans.domain.presets import Preset, PresetError, read_all, read_preset, read_presets
from orphans.models import ScenarioPreset
from orphans.models.preset import PRESET_NAME
from orphans.signals import acted

MAX_FILE_BYTES: Final = 4 * 2**20
MAX_STORED: Final = 1000


# ------------------------------------------------------------------ files


def read_file(path: Path) -> list[Preset]:
    """Return the presets of a JSON file.

    Raises:
        InvalidInput: no regular file of at most 4 MiB, or a preset of it is refused.
    """
    try:
        return read_presets(_read_bytes(path).decode("utf-8"))
    except UnicodeDecodeError:
        raise InvalidInput(f"{path} is not UTF-8", field="file") from None
    except PresetError as error:
        raise InvalidInput(f"{path}: {error}", field="file") from None


def _read_bytes(path: Path) -> bytes:
    """Return the content of a regular file; pipes and devices are refused instead of waited for."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "no path"
        raise InvalidInput(f"{path} can't be read: {reason}", field="file") from None
    try:
        info = os.fstat(handle)
        if not stat.S_ISREG(info.st_mode) or info.st_size > MAX_FILE_BYTES:
            raise InvalidInput(f"{path} is no regular file of at most {MAX_FILE_BYTES} bytes", field="file")
        with os.fdopen(handle, "rb", closefd=False) as file:
            return file.read(MAX_FILE_BYTES)
    finally:
        os.close(handle)


def write_file(path: Path, presets: Iterable[Mapping[str, Value]]) -> None:
    """Write presets as a JSON list; readers see the old file or the new one, never a part.

    Raises:
        InvalidInput: the folder doesn't exist or can't be written.
    """
    text = json.dumps(list(presets), indent=2, allow_nan=False) + "\n"
    temporary = ""
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:40]}-")
        with os.fdopen(handle, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise InvalidInput(f"{path} can't be written: {error.strerror}", field="out") from None


# ------------------------------------------------------------------ finding


def configured() -> list[Preset]:
    """Return the presets of `SANDBOX_ENV_PRESETS`; none when it isn't set.

    Raises:
        InvalidInput: its file can't be read, or a preset is refused.
    """
    given = settings.SANDBOX.env_presets
    if given is None:
        return []
    if isinstance(given, Path):
        return read_file(given)
    try:
        return read_all(given)
    except PresetError as error:
        raise InvalidInput(f"SANDBOX_ENV_PRESETS: {error}", field="SANDBOX_ENV_PRESETS") from None


def canonical() -> dict[str, Preset]:
    """Return the canonical presets by name: profile and severity, such as `hostile_input_low`."""
    made = map(read_preset, generate_canonical_presets())
    return {f"{preset.name}_{preset.values['SEVERITY']}": preset for preset in made}


def for_runs() -> list[Preset]:
    """Return the presets that runs are tried under: those of the setting, else the canonical ones.

    Of the canonical ones `user_misuse` counts only with `SANDBOX_INCLUDE_USER_MISUSE`.
    """
    given = configured()
    if given:
        return given
    misuse = settings.SANDBOX.include_user_misuse
    return [preset for preset in canonical().values() if misuse or preset.name != "user_misuse"]


def find(name: str) -> Preset:
    """Return the stored preset of a name, or the canonical one.

    Raises:
        InvalidInput: there is none.
    """
    row = ScenarioPreset.objects.filter(name=name).first() if re.match(PRESET_NAME, name) else None
    if row is not None:
        return of_row(row)
    found = canonical().get(name)
    if found is None:
        raise InvalidInput(
            f"there is no preset {name[:80]!r}; `manage.py environment list` shows them", field="name"
        )
    return found


def of_row(row: ScenarioPreset) -> Preset:
    """Return a stored preset; InvalidInput when somebody wrote keys past the services."""
    return _read(row.keys)


def _read(keys: Any) -> Preset:
    try:
        return read_preset(keys)
    except PresetError as error:
        raise InvalidInput(str(error), field=_only_field(error)) from None


def _only_field(error: PresetError) -> str:
    names = {key for key, _ in error.problems}
    return names.pop() if len(names) == 1 else ""


# ------------------------------------------------------------------ rows


def create_preset(*, name: str, keys: Mapping[str, Any], actor: Acting) -> ScenarioPreset:
    """Keep a preset under a name.

    Raises:
        InvalidInput: the name or a key is refused, or the name is taken.
        Conflict: there are too many presets.
    """
    preset = _read(keys)
    _check_name(name)
    if ScenarioPreset.objects.count() >= MAX_STORED:
        raise Conflict(f"there are {MAX_STORED} presets already; delete one first")
    row = ScenarioPreset(name=name, created_label=actor.label[:150], **_columns(preset))
    try:
        with transaction.atomic():
            row.save(force_insert=True)
            _tell(actor, "preset.create", name, keys=preset.as_data())
    except IntegrityError:
        raise InvalidInput(f"there is a preset {name!r} already; choose another name", field="name") from None
    return row


def update_preset(pk: int, *, actor: Acting, keys: Mapping[str, Any], name: str = "") -> ScenarioPreset:
    """Replace the keys of a preset, and its name if one is given; nothing is written when both stay.

    Raises:
        InvalidInput: a key or the name is refused, or the name is taken.
        ScenarioPreset.DoesNotExist: there is no such preset.
    """
    preset = _read(keys)
    try:
        with transaction.atomic():
            row = ScenarioPreset.objects.select_for_update(no_key=True).get(pk=pk)
            before = {"name": row.name, "keys": row.keys}
            row.name = name or row.name
            _check_name(row.name)
            for column, value in _columns(preset).items():
                setattr(row, column, value)
            if before == {"name": row.name, "keys": row.keys}:
                return row
            row.updated_at = Now()
            row.save()
            _tell(actor, "preset.update", before["name"], before=before, renamed=row.name, keys=row.keys)
    except IntegrityError:
        raise InvalidInput(f"there is a preset {name!r} already; choose another name", field="name") from None
    row.refresh_from_db()
    return row


def delete_preset(pk: int, *, actor: Acting) -> None:
    """Forget a preset; what was measured under it stays.

    Raises:
        ScenarioPreset.DoesNotExist: there is no such preset.
    """
    with transaction.atomic():
        row = ScenarioPreset.objects.select_for_update().get(pk=pk)
        _tell(actor, "preset.delete", row.name, keys=row.keys)
        row.delete()


def _columns(preset: Preset) -> dict[str, Any]:
    return {"profile": preset.name, "category": preset.category, "keys": preset.as_data()}


def _check_name(name: str) -> None:
    if not re.match(PRESET_NAME.replace("$", r"\Z"), name):
        raise InvalidInput(
            f"{name[:80]!r} is no name for a preset; use lower-case letters, digits, - and _ (at most 63)",
            field="name",
        )


def _tell(actor: Acting, verb: str, name: str, **detail: Any) -> None:
    acted.send(sender=ScenarioPreset, actor=actor, verb=verb, target=f"preset:{name}", detail=detail)
