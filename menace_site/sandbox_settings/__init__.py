"""Every setting of the project once: its variable, type, unit, default and one line of help."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self, TypeVar

from pydantic import ValidationError, model_validator

from engines.domain.errors import MenaceError
from menace_site.sandbox_settings import improvement, modules, reading, site
from menace_site.sandbox_settings.fields import Group, note_of
from menace_site.sandbox_settings.reading import BadSettings

__all__ = ["GROUPS", "BadSettings", "SandboxSettings", "or_stop"]

T = TypeVar("T")
IN_DATA_DIR = ("snapshot_dir", "snapshot_diff_dir", "checkpoint_dir", "codex_retry_queue")


class SandboxSettings(
    site.Places,
    site.Services,
    site.Web,
    site.Workers,
    improvement.Roi,
    improvement.Promotions,
    improvement.Coding,
    improvement.Snapshots,
    improvement.Alignment,
    improvement.Scaling,
    improvement.Synergy,
    modules.Sandbox,
    modules.Orphans,
    modules.SelfTests,
):
    """The environment, validated. `SandboxSettings(step_retries=0)` gives defaults but for what is named."""

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Self:
        """Read the variables of `environ`; raises BadSettings with a line for each bad value."""
        try:
            return cls(**reading.raw_values(cls.model_fields, environ))
        except ValidationError as error:
            raise BadSettings(reading.problems(error, cls.model_fields, environ)) from error

    @classmethod
    def misspelt(cls, environ: Mapping[str, str]) -> list[tuple[str, str]]:
        """Return the variables that look like misspelt settings, each with what was probably meant."""
        return list(reading.misspelt(cls.model_fields, environ))

    @model_validator(mode="before")
    @classmethod
    def _follow(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Give settings that follow another one its value, and folders their place in the data folder."""
        filled = dict(values)
        for name, leader in modules.MIRRORED.items():
            if leader in filled:
                filled.setdefault(name, filled[leader])
        data_dir = Path(filled.get("data_dir", cls.model_fields["data_dir"].default))
        for name in IN_DATA_DIR:
            folder = filled.get(name, cls.model_fields[name].default)
            filled[name] = folder if name in values and name != "codex_retry_queue" else data_dir / folder
        return filled

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        if self.alignment_warning_threshold > self.alignment_failure_threshold:
            raise ValueError("ALIGNMENT_WARNING_THRESHOLD must not be over ALIGNMENT_FAILURE_THRESHOLD")
        if self.min_engines > self.max_engines:
            raise ValueError("AUTOSCALE_MIN_ENGINES must not be over AUTOSCALE_MAX_ENGINES")
        return self

    def self_test_environ(self) -> dict[str, str]:
        """Return the `SELF_TEST_*` variables for a child process, mirrored from `SANDBOX_*` where not set."""
        fields = modules.SelfTests.model_fields
        values = {note_of(field).variables[0]: getattr(self, name) for name, field in fields.items()}
        return {
            name: f"{value:d}" if isinstance(value, bool) else str(value) for name, value in values.items()
        }


GROUPS: tuple[type[Group], ...] = tuple(base for base in SandboxSettings.__bases__ if issubclass(base, Group))
"""The groups of settings in the order of the documentation."""


def or_stop(read: Callable[[], T]) -> T:
    """Return what `read` returns; on bad settings print a line for each and end the process with code 2."""
    try:
        return read()
    except MenaceError as error:
        lines = getattr(error, "problems", [str(error)])
        sys.stderr.write("".join(f"menace: {line}\n" for line in lines))
        raise SystemExit(2) from None
