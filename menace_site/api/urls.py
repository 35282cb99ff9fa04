"""The map of the API on one page; every address also answers without its last slash."""

from django.contrib.auth.decorators import login_required
from django.urls import re_path

from menace_site.api import forecasts, foresight, modules, orphans, presets, promotions, synergy, views

NAME = rf"(?P<name>{views.Engines.lookup_value_regex})"
PK = r"(?P<pk>[0-9]{1,18})"

ENGINE_LIST = views.Engines.as_view({"get": "list", "post": "create"})
ENGINE = views.Engines.as_view({"get": "retrieve", "patch": "partial_update"})
CYCLE_LIST = views.Cycles.as_view({"get": "list", "post": "create"})
CYCLE = views.Cycles.as_view({"get": "retrieve"})
PRESET_LIST = presets.Presets.as_view({"get": "list", "post": "create"})
PRESET = presets.Presets.as_view({"get": "retrieve", "patch": "partial_update", "delete": "destroy"})
SCAN_LIST = orphans.Scans.as_view({"get": "list", "post": "create"})
TOKEN_LIST = views.Tokens.as_view({"get": "list", "post": "create"})

urlpatterns = [
    re_path(r"^$", login_required(views.Docs.as_view()), name="api-docs"),
    re_path(r"^schema/?$", views.Schema.as_view(), name="api-schema"),
    re_path(r"^engines/?$", ENGINE_LIST, name="api-engine-list"),
    re_path(rf"^engines/{NAME}/?$", ENGINE, name="api-engine"),
    re_path(
        rf"^engines/{NAME}/metrics/?$", views.Engines.as_view({"post": "metrics"}), name="api-engine-metrics"
    ),
    re_path(
        rf"^engines/{NAME}/history/?$", views.Engines.as_view({"get": "history"}), name="api-engine-history"
    ),
    re_path(
        rf"^engines/{NAME}/versions/?$",
        views.Engines.as_view({"get": "versions"}),
        name="api-engine-versions",
    ),
    re_path(
        rf"^engines/{NAME}/forecasts/?$",
        forecasts.Forecasts.as_view({"get": "list"}),
        name="api-engine-forecasts",
    ),
    re_path(
        rf"^engines/{NAME}/policy/?$",
        promotions.Policies.as_view({"get": "retrieve", "patch": "partial_update"}),
        name="api-engine-policy",
    ),
    *(
        re_path(
            rf"^engines/{NAME}/{act}/?$", foresight.Foresight.as_view({"get": act}), name=f"api-engine-{act}"
        )
        for act in ("graph", "verdicts")
    ),
    re_path(
        rf"^engines/{NAME}/synergy/?$",
        synergy.Synergy.as_view({"get": "retrieve"}),
        name="api-engine-synergy",
    ),
    re_path(
        rf"^engines/{NAME}/stages/?$",
        foresight.Foresight.as_view({"get": "stages", "post": "run_stages"}),
        name="api-engine-stages",
    ),
    re_path(
        rf"^engines/{NAME}/stages/cancel/?$",
        foresight.Foresight.as_view({"post": "cancel_stages"}),
        name="api-engine-stages-cancel",
    ),
    re_path(r"^cycles/?$", CYCLE_LIST, name="api-cycle-list"),
    re_path(rf"^cycles/{PK}/?$", CYCLE, name="api-cycle"),
    re_path(rf"^cycles/{PK}/cancel/?$", views.Cycles.as_view({"post": "cancel"}), name="api-cycle-cancel"),
    re_path(rf"^cycles/{PK}/pause/?$", views.Cycles.as_view({"post": "pause"}), name="api-cycle-pause"),
    re_path(rf"^cycles/{PK}/resume/?$", views.Cycles.as_view({"post": "resume"}), name="api-cycle-resume"),
    re_path(rf"^cycles/{PK}/retry/?$", views.Cycles.as_view({"post": "retry"}), name="api-cycle-retry"),
    re_path(r"^presets/?$", PRESET_LIST, name="api-preset-list"),
    re_path(rf"^presets/{NAME}/?$", PRESET, name="api-preset"),
    re_path(r"^orphans/?$", orphans.Orphans.as_view({"get": "list"}), name="api-orphan-list"),
    re_path(r"^orphans/acts/?$", orphans.Orphans.as_view({"post": "acts"}), name="api-orphan-acts"),
    re_path(rf"^orphans/{PK}/?$", orphans.Orphans.as_view({"get": "retrieve"}), name="api-orphan"),
    re_path(r"^scans/?$", SCAN_LIST, name="api-scan-list"),
    re_path(rf"^scans/{PK}/?$", orphans.Scans.as_view({"get": "retrieve"}), name="api-scan"),
    re_path(r"^self-tests/?$", orphans.SelfTests.as_view({"get": "list"}), name="api-self-test-list"),
    re_path(rf"^self-tests/{PK}/?$", orphans.SelfTests.as_view({"get": "retrieve"}), name="api-self-test"),
    re_path(
        rf"^self-tests/{PK}/runs/?$", orphans.SelfTests.as_view({"get": "runs"}), name="api-self-test-runs"
    ),
    re_path(
        rf"^self-tests/{PK}/cancel/?$",
        orphans.SelfTests.as_view({"post": "cancel"}),
        name="api-self-test-cancel",
    ),
    re_path(r"^module-runs/?$", orphans.ModuleRuns.as_view({"get": "list"}), name="api-module-run-list"),
    re_path(rf"^module-runs/{PK}/?$", orphans.ModuleRuns.as_view({"get": "retrieve"}), name="api-module-run"),
    re_path(r"^modules/?$", modules.Modules.as_view({"get": "list"}), name="api-module-list"),
    re_path(rf"^modules/{PK}/?$", modules.Modules.as_view({"get": "retrieve"}), name="api-module"),
    re_path(
        rf"^modules/{PK}/reopen/?$", modules.Modules.as_view({"post": "reopen"}), name="api-module-reopen"
    ),
    re_path(r"^revisions/?$", orphans.Revisions.as_view({"get": "list"}), name="api-revision-list"),
    re_path(rf"^revisions/{PK}/?$", orphans.Revisions.as_view({"get": "retrieve"}), name="api-revision"),
    re_path(
        rf"^revisions/{PK}/revert/?$",
        orphans.Revisions.as_view({"post": "revert"}),
        name="api-revision-revert",
    ),
    re_path(r"^evaluation/?$", forecasts.Evaluation.as_view({"get": "retrieve"}), name="api-evaluation"),
    re_path(
        r"^evaluation/models/?$",
        forecasts.Evaluation.as_view({"get": "models"}),
        name="api-evaluation-models",
    ),
    re_path(r"^promotions/?$", promotions.Promotions.as_view({"get": "list"}), name="api-promotion-list"),
    re_path(
        rf"^promotions/{PK}/?$", promotions.Promotions.as_view({"get": "retrieve"}), name="api-promotion"
    ),
    re_path(
        rf"^promotions/{PK}/preview/?$",
        promotions.Promotions.as_view({"get": "preview"}),
        name="api-promotion-preview",
    ),
    *(
        re_path(
            rf"^promotions/{PK}/{act}/?$",
            promotions.Promotions.as_view({"post": act}),
            name=f"api-promotion-{act}",
        )
        for act in ("approve", "reject", "reconsider", "rollback", "keep")
    ),
    re_path(r"^sandbox/?$", orphans.Sandbox.as_view({"get": "retrieve"}), name="api-sandbox"),
    re_path(r"^audit/?$", views.Audit.as_view({"get": "list"}), name="api-audit"),
    re_path(r"^tokens/?$", TOKEN_LIST, name="api-token-list"),
    re_path(rf"^tokens/{PK}/revoke/?$", views.Tokens.as_view({"post": "revoke"}), name="api-token-revoke"),
    re_path(r"^me/?$", views.Me.as_view({"get": "retrieve"}), name="api-me"),
    re_path(r"^health/?$", views.Health.as_view({"get": "retrieve"}), name="api-health"),
    re_path(r"^", views.Unknown.as_view(), name="api-unknown"),
]
