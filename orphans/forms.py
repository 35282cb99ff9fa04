"""The form of a scenario preset: one field for each key, empty where the preset says nothing."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from django import forms
from django.forms import BoundField

from orphans.domain.errors import InvalidInput
from orphans.domain.preset_keys import KEYS, Key, written
from orphans.domain.presets import PresetError, read_preset

GROUPS: Final[Mapping[str, str]] = {
    "label": "Name of the scenario",
    "limits": "Limits",
    "network": "API and network",
    "inputs": "Inputs",
    "concurrency": "Bursts",
}
"""Group of keys → its heading, in the order of the form."""


class PresetForm(forms.Form):
    """A preset under a name. Values may have units; empty fields are left out."""

    name = forms.CharField(
        max_length=63,
        label="Name",
        help_text="Lower-case letters, digits, - and _; unique.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for key in KEYS.values():
            self.fields[key.name] = _field(key)

    def clean(self) -> dict[str, Any]:
        """Check the keys together; each refusal stands beside its field."""
        try:
            read_preset(self.keys())
        except PresetError as error:
            for name, reason in error.problems:
                self.add_error(name if name in self.fields else None, reason)
        return self.cleaned_data

    def keys(self) -> dict[str, str]:
        """Return the keys that were filled in, as text."""
        return {name: self.cleaned_data[name] for name in KEYS if self.cleaned_data.get(name)}

    def refuse(self, error: InvalidInput) -> None:
        """Put a service's refusal beside the field it names, else above the form."""
        self.add_error(error.field if error.field in self.fields else None, str(error))

    def groups(self) -> Iterator[tuple[str, list[BoundField]]]:
        """Yield each heading with its fields."""
        for group, heading in GROUPS.items():
            yield heading, [self[key.name] for key in KEYS.values() if key.group == group]


def _field(key: Key) -> forms.CharField:
    bounds = (
        "" if key.unit == "name" else f" {written(key, key.low)} to {written(key, key.high)}{_unit(key)}."
    )
    return forms.CharField(
        required=False, max_length=64, label=key.name, help_text=f"{key.meaning}{bounds}",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )  # fmt: skip


def _unit(key: Key) -> str:
    return "" if key.unit in ("count", "bytes", "share") else f" {key.unit}"
