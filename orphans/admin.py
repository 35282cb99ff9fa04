"""The orphans' rows in Django's admin. What the machine writes can be read, not edited: that would lie.

Scenario presets are written by their service, which checks and audits, as everywhere. Modules belong to no
team here, so all of this is for superusers alone.
"""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property

from orphans.domain.acting import Actor
from orphans.domain.presets import PresetError, read_preset
from orphans.models import (
    ModuleMapEntry,
    ModuleRun,
    OrphanModule,
    OrphanTally,
    ScanRun,
    ScenarioPreset,
    SelfTestRun,
)
from orphans.services.presets import create_preset, delete_preset, update_preset

if TYPE_CHECKING:
    Base = admin.ModelAdmin[Any]
    Pages = Paginator[Any]
    Form = forms.ModelForm[ScenarioPreset]
else:
    Base = admin.ModelAdmin
    Pages = Paginator
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


CAP = 5_000


class CappedPages(Pages):
    """Counts no further than 5,000 rows and pages no further either: filters reach the rest."""

    @cached_property
    def count(self) -> int:
        """Return the number of rows, at most the cap."""
        rows = self.object_list
        return int(rows.order_by()[:CAP].count()) if isinstance(rows, QuerySet) else len(list(rows))


class ReadOnly(Base):
    """Rows that only the services write; lists that stay quick at a million of them."""

    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    paginator = CappedPages
    list_per_page = 50
    list_max_show_all = 0
    ordering = ("-id",)
    sortable_by = ("id",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse."""
        return False


@admin.register(OrphanModule)
class OrphanModuleAdmin(ReadOnly):
    """Modules that nothing live reaches."""

    list_display = (
        "id",
        "subject",
        "path",
        "classification",
        "state",
        "confidence",
        "side_effects",
        "updated_at",
    )
    list_filter = ("classification", "state")
    search_fields = ("subject__exact", "path__exact")


@admin.register(ScanRun)
class ScanRunAdmin(ReadOnly):
    """Scans."""

    list_display = ("id", "subject", "source", "state", "modules", "found", "isolated", "seconds", "at")
    list_filter = ("state",)
    search_fields = ("subject__exact", "source__exact")


@admin.register(SelfTestRun)
class SelfTestRunAdmin(ReadOnly):
    """Sets of self-tests."""

    list_display = ("id", "subject", "source", "state", "total", "passed", "failed", "skipped", "created_at")
    list_filter = ("state",)
    search_fields = ("subject__exact", "source__exact")


@admin.register(ModuleRun)
class ModuleRunAdmin(ReadOnly):
    """Self-tests of single modules."""

    list_display = ("id", "batch_id", "subject", "path", "state", "reason", "side_effects", "wall_seconds")
    list_filter = ("state",)
    search_fields = ("subject__exact", "path__exact")


@admin.register(ModuleMapEntry)
class ModuleMapEntryAdmin(ReadOnly):
    """Entries of the module map, those that were taken out too."""

    list_display = (
        "id",
        "subject",
        "path",
        "group",
        "added_at",
        "added_label",
        "removed_at",
        "removed_label",
    )
    search_fields = ("subject__exact", "path__exact")


@admin.register(OrphanTally)
class OrphanTallyAdmin(ReadOnly):
    """Counts behind the gauges."""

    list_display = ("subject", "name", "count")
    search_fields = ("subject__exact",)
