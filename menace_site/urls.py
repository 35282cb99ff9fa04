"""The whole map of the site on one page."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, path

from menace_site.health import health
from menace_site.metrics import metrics

urlpatterns: list[URLPattern | URLResolver] = [
    path("admin/", admin.site.urls),
    path("health", health, name="health"),
    path("metrics", metrics, name="metrics"),
]
