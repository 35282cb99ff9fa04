"""Addresses of the engines' pages."""

from django.urls import path, re_path

from engines.views import bulk, compare, cycle, engine, exports, listing, logs, undo

ACT = r"(?P<act>cancel|pause|resume)"
KIND = r"(?P<kind>roi|metric)"
NAME = r"(?P<name>[a-z0-9][a-z0-9_-]{0,62})"

urlpatterns = [
    path("cycles/", listing.cycle_list, name="cycle-list"),
    path("cycles/news/", listing.cycle_news, name="cycle-news"),
    re_path(r"^cycles/export\.(?P<kind>csv|json)$", exports.cycle_export, name="cycle-export"),
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
    path("undo/", undo.undo, name="undo"),
    path("engines/new/", engine.engine_new, name="engine-new"),
    re_path(rf"^engines/{NAME}/$", engine.engine_detail, name="engine-detail"),
    re_path(rf"^engines/{NAME}/edit/$", engine.engine_edit, name="engine-edit"),
    re_path(rf"^engines/{NAME}/trigger/$", engine.engine_trigger, name="engine-trigger"),
    re_path(rf"^engines/{NAME}/charts/{KIND}\.json$", engine.engine_chart, name="engine-chart"),
    re_path(rf"^engines/{NAME}/charts/{KIND}/$", engine.engine_table, name="engine-table"),
    re_path(rf"^engines/{NAME}/metrics\.csv$", exports.metric_export, name="metric-export"),
]
