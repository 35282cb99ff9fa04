"""Scenario presets in Django's admin: checked, written and audited by the services, as everywhere."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest

from orphans.domain.acting import Actor
from orphans.domain.presets import PresetError, read_preset
from orphans.models import ScenarioPreset
from orphans.services.presets import create_preset, delete_preset, update_preset

if TYPE_CHECKING:
    Base = admin.ModelAdmin[ScenarioPreset]
    Form = forms.ModelForm[ScenarioPreset]
else:
    Base = admin.ModelAdmin
    Form = forms.ModelForm


class KeysForm(Form):
    """A preset's name and its keys as JSON."""

    class Meta:
        model = ScenarioPreset
        fields = ("name", "keys")

    def clean_keys(self) -> Any:
        """Refuse keys that make no preset, each with its reason."""
        try:
            return read_preset(self.cleaned_data["keys"]).as_data()
        except PresetError as error:
            raise ValidationError([f"{key}: {reason}" for key, reason in error.problems]) from None


@admin.register(ScenarioPreset)
class ScenarioPresetAdmin(Base):
    """Scenario presets."""

    form = KeysForm
    fields = ("name", "keys")
    list_display = ("name", "profile", "category", "created_label", "updated_at")
    list_filter = ("category",)
    search_fields = ("name", "profile")
    list_per_page = 50
    list_max_show_all = 0
    show_full_result_count = False

    def save_model(self, request: HttpRequest, obj: ScenarioPreset, form: Any, change: bool) -> None:
        """Write through the service, which audits."""
        values = {"name": form.cleaned_data["name"], "keys": form.cleaned_data["keys"]}
        if change:
            update_preset(obj.pk, actor=_actor(request), **values)
        else:
            obj.pk = create_preset(actor=_actor(request), **values).pk

    def delete_model(self, request: HttpRequest, obj: ScenarioPreset) -> None:
        """Delete through the service, which audits."""
        delete_preset(obj.pk, actor=_actor(request))

    def delete_queryset(self, request: HttpRequest, queryset: "QuerySet[ScenarioPreset]") -> None:
        """Delete each through the service."""
        for pk in list(queryset.values_list("pk", flat=True)):
            delete_preset(pk, actor=_actor(request))


def _actor(request: HttpRequest) -> Actor:
    user = request.user
    return Actor(user_id=user.pk, label=user.get_username(), kind="person")
