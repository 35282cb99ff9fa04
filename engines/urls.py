"""Addresses of the engines' pages."""

from django.urls import path, re_path

from engines.views import bulk, compare, cycle, engine, exports, forecasts, listing, logs, stages, undo
from engines.views.orphans import bulk as orphan_bulk
from engines.views.orphans import module, progress, queue, revisions, scans, self_tests
from engines.views.promotions import decision, policy, rollback
from engines.views.promotions import listing as promotions

ACT = r"(?P<act>cancel|pause|resume)"
ORPHAN_ACT = r"(?P<act>test|retire|restore|integrate)"
PROMOTION_ACT = r"(?P<act>approve|reject|keep|reconsider)"
KIND = r"(?P<kind>roi|metric)"
NAME = r"(?P<name>[a-z0-9][a-z0-9_-]{0,62})"

urlpatterns = [
    path("cycles/", listing.cycle_list, name="cycle-list"),
    path("cycles/news/", listing.cycle_news, name="cycle-news"),
    re_path(r"^cycles/export\.(?P<kind>csv|json)$", listing.cycle_export, name="cycle-export"),
    re_path(rf"^cycles/bulk/{ACT}/$", bulk.cycle_bulk, name="cycle-bulk"),
    path("cycles/compare/", compare.cycle_compare, name="cycle-compare"),
    path("cycles/compare.csv", compare.cycle_compare_file, name="cycle-compare-file"),
    path("cycles/<int:pk>/", cycle.cycle_detail, name="cycle-detail"),
    path("cycles/<int:pk>/live/", cycle.cycle_live, name="cycle-live"),
    path("cycles/<int:pk>/logs/", logs.cycle_logs, name="cycle-logs"),
    path("cycles/<int:pk>/logs.txt", logs.cycle_logs_file, name="cycle-logs-file"),
    path("cycles/<int:pk>/retry/", cycle.cycle_retry, name="cycle-retry"),
    path("cycles/<int:pk>/<slug:step>.log", cycle.step_log, name="step-log"),
    re_path(rf"^cycles/(?P<pk>[0-9]{{1,18}})/{ACT}/$", cycle.cycle_act, name="cycle-act"),
    path("orphans/", queue.orphan_list, name="orphan-list"),
    path("orphans/news/", queue.orphan_news, name="orphan-news"),
    path("orphans/work/", queue.orphan_work_live, name="orphan-work"),
    re_path(r"^orphans/export\.(?P<kind>csv|json)$", queue.orphan_export, name="orphan-export"),
    re_path(rf"^orphans/bulk/{ORPHAN_ACT}/$", orphan_bulk.orphan_bulk, name="orphan-bulk"),
    path("orphans/scans/", scans.orphan_scans, name="orphan-scans"),
    path("orphans/scans/<int:pk>/", scans.orphan_scan_detail, name="orphan-scan-detail"),
    path("orphans/self-tests/", self_tests.self_test_list, name="orphan-self-tests"),
    path("orphans/self-tests/<int:pk>/", self_tests.self_test_detail, name="orphan-self-test"),
    path("orphans/self-tests/<int:pk>/cancel/", self_tests.self_test_cancel, name="orphan-self-test-cancel"),
    path("orphans/runs/<int:pk>/", module.orphan_run, name="orphan-run"),
    path("orphans/revisions/", revisions.revision_list, name="orphan-revisions"),
    path("orphans/revisions/<int:pk>/", revisions.revision_detail, name="orphan-revision"),
    path("orphans/revisions/<int:pk>/revert/", revisions.revision_revert, name="orphan-revision-revert"),
    path("orphans/<int:pk>/", module.orphan_detail, name="orphan-detail"),
    path("orphans/<int:pk>/live/", module.orphan_live, name="orphan-live"),
    path("orphans/<int:pk>/source/", module.orphan_source, name="orphan-source"),
    path("orphans/<int:pk>/twin/", module.orphan_twin, name="orphan-twin"),
    path("orphans/<int:pk>/reopen/", progress.orphan_reopen, name="orphan-reopen"),
    re_path(rf"^orphans/(?P<pk>[0-9]{{1,18}})/{ORPHAN_ACT}/$", orphan_bulk.orphan_act, name="orphan-act"),
    path("promotions/", promotions.promotion_list, name="promotion-list"),
    re_path(r"^promotions/export\.(?P<kind>csv|json)$", promotions.promotion_export, name="promotion-export"),
    path("promotions/<int:pk>/", decision.promotion_detail, name="promotion-detail"),
    path("promotions/<int:pk>/freshness/", decision.promotion_freshness, name="promotion-freshness"),
    path("promotions/<int:pk>/forecast.json", decision.promotion_chart, name="promotion-chart"),
    path("promotions/<int:pk>/rollback/", rollback.promotion_rollback, name="promotion-rollback"),
    re_path(
        rf"^promotions/(?P<pk>[0-9]{{1,18}})/{PROMOTION_ACT}/$", decision.promotion_act, name="promotion-act"
    ),
    path("forecasts/", forecasts.evaluation, name="evaluation"),
    path("forecasts/models/", forecasts.forecast_models, name="evaluation-models"),
    re_path(
        r"^forecasts/(?P<figure>errors|calibration|classes)\.json$",
        forecasts.evaluation_chart,
        name="evaluation-chart",
    ),
    path("undo/", undo.undo, name="undo"),
    path("engines/new/", engine.engine_new, name="engine-new"),
    re_path(rf"^engines/{NAME}/$", engine.engine_detail, name="engine-detail"),
    re_path(rf"^engines/{NAME}/edit/$", engine.engine_edit, name="engine-edit"),
    re_path(rf"^engines/{NAME}/forecasts/$", forecasts.engine_forecasts, name="engine-forecasts"),
    re_path(
        rf"^engines/{NAME}/forecasts/latest\.json$", forecasts.forecast_chart, name="engine-forecast-chart"
    ),
    re_path(rf"^engines/{NAME}/policy/$", policy.engine_policy, name="engine-policy"),
    re_path(rf"^engines/{NAME}/stages/$", stages.engine_stages, name="engine-stages"),
    re_path(rf"^engines/{NAME}/stages/cancel/$", stages.engine_stages_cancel, name="engine-stages-cancel"),
    re_path(rf"^engines/{NAME}/scan/$", orphan_bulk.orphan_scan, name="orphan-scan"),
    re_path(rf"^engines/{NAME}/trigger/$", engine.engine_trigger, name="engine-trigger"),
    re_path(rf"^engines/{NAME}/charts/{KIND}\.json$", engine.engine_chart, name="engine-chart"),
    re_path(rf"^engines/{NAME}/charts/{KIND}/$", engine.engine_table, name="engine-table"),
    re_path(rf"^engines/{NAME}/metrics\.csv$", exports.metric_export, name="metric-export"),
]
