"""Forms of the account page."""

from datetime import timedelta
from typing import Any

from django import forms
from django.utils import timezone

from menace_site.theme import zones
from menace_site.tokens import SCOPES

SCOPE_WORDS = {
    "read": "read: see",
    "operate": "operate: act on engines and cycles",
    "approve": "approve: decide promotions",
}
COLOURS = [("", "the system's"), ("light", "light"), ("dark", "dark")]
LIVES = [("7", "7 days"), ("30", "30 days"), ("90", "90 days"), ("365", "a year"), ("", "no end")]


class PreferenceForm(forms.Form):
    """How pages look."""

    time_zone = forms.ChoiceField(choices=[], required=False, label="Time zone")
    theme = forms.ChoiceField(choices=COLOURS, required=False, label="Colours")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["time_zone"]
        if isinstance(field, forms.ChoiceField):
            field.choices = [("", "the browser's"), *((zone, zone) for zone in zones())]


class TokenForm(forms.Form):
    """A new API token."""

    name = forms.CharField(max_length=100, help_text="What will use it.")
    scopes = forms.MultipleChoiceField(
        choices=[(scope, SCOPE_WORDS[scope]) for scope in SCOPES],
        initial=["read"],
        widget=forms.CheckboxSelectMultiple,
    )
    days = forms.ChoiceField(choices=LIVES, initial="90", required=False, label="Lives for")

    def arguments(self) -> dict[str, Any]:
        """Return the arguments of the token service."""
        days = self.cleaned_data["days"]
        expires_at = timezone.now() + timedelta(days=int(days)) if days else None
        return {
            "name": self.cleaned_data["name"],
            "scopes": self.cleaned_data["scopes"],
            "expires_at": expires_at,
        }
