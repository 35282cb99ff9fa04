"""The site's rows in Django's admin. Tokens, acts and signs of life can be read, not edited."""

from django.apps import apps
from django.contrib import admin

from engines.admin.base import Quick, ReadOnly
from menace_site.models import ApiToken, AuditEntry, IdempotencyKey, Preference, SavedView, ServiceBeat

admin.site.site_header = "Menace"
admin.site.site_title = "Menace"
admin.site.index_title = "Administration"
admin.site.enable_nav_sidebar = False

PLURALS = {
    "engines.cycletally": "counts of ended cycles",
    "engines.workflowstages": "workflows under hard conditions",
    "engines.workflowgraphstate": "states of workflow graphs",
    "forecasting.cyclemetrics": "metrics of cycles",
    "forecasting.metricdaily": "metrics by day",
    "forecasting.moduleprogress": "progress of modules",
    "forecasting.roievent": "ROI events",
    "forecasting.roirollup": "ROI by hour, day and week",
    "menace_site.apitoken": "API tokens",
    "menace_site.auditentry": "audit entries",
    "menace_site.servicebeat": "signs of life",
    "orphans.modulemapentry": "entries of the module map",
    "orphans.orphantally": "counts of orphans",
    "orphans.selftestrun": "sets of self-tests",
}
"""How the admin calls several rows where an s does not do; nothing else shows these names."""

for label, plural in PLURALS.items():
    apps.get_model(label)._meta.verbose_name_plural = plural


@admin.register(ApiToken)
class ApiTokenAdmin(ReadOnly):
    """Tokens; they are made and revoked on the account page or with `manage.py token`."""

    list_display = (
        "prefix",
        "name",
        "user",
        "scopes",
        "created_at",
        "expires_at",
        "last_used_at",
        "revoked_at",
    )
    list_filter = ("revoked_at",)
    search_fields = ("prefix", "name", "user__username")
    list_select_related = ("user",)
    exclude = ("sha256",)


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnly):
    """Acts."""

    list_display = ("id", "at", "actor", "actor_kind", "verb", "target")
    list_filter = ("actor_kind",)
    search_fields = ("actor__exact", "target__exact", "verb__exact")
    sortable_by = ("id",)


@admin.register(ServiceBeat)
class ServiceBeatAdmin(ReadOnly):
    """Signs of life."""

    list_display = ("service", "name", "at", "detail")
    list_filter = ("service",)


@admin.register(IdempotencyKey)
class IdempotencyKeyAdmin(ReadOnly):
    """Answers to requests that a program may repeat."""

    list_display = ("id", "user", "key", "status", "at")
    search_fields = ("key__exact", "user__username")
    list_select_related = ("user",)
    exclude = ("body",)
    ordering = ("-id",)


@admin.register(Preference)
class PreferenceAdmin(Quick):
    """How people want pages to look."""

    list_display = ("user", "time_zone", "theme")
    search_fields = ("user__username",)
    list_select_related = ("user",)
    raw_id_fields = ("user",)


@admin.register(SavedView)
class SavedViewAdmin(ReadOnly):
    """Lists that people saved; they keep and drop them on the list itself."""

    list_display = ("user", "page", "name", "query", "usual")
    list_filter = ("page", "usual")
    search_fields = ("user__username", "name")
    list_select_related = ("user",)
