"""Addresses of the pages of the orphans app."""

from django.urls import path, re_path

from orphans.views import presets

PRESET = r"(?P<name>[a-z0-9][a-z0-9_-]{0,62})"

urlpatterns = [
    path("presets/", presets.preset_list, name="preset-list"),
    path("presets/-/new/", presets.preset_new, name="preset-new"),
    re_path(rf"^presets/{PRESET}/$", presets.preset_detail, name="preset-detail"),
    re_path(rf"^presets/{PRESET}/edit/$", presets.preset_edit, name="preset-edit"),
    re_path(rf"^presets/{PRESET}/delete/$", presets.preset_delete, name="preset-delete"),
]
