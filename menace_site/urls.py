"""The whole map of the site on one page."""

from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import URLPattern, URLResolver, include, path

from menace_site import errors, health, metrics, views, views_saved

urlpatterns: list[URLPattern | URLResolver] = [
    path("", views.home, name="home"),
    path("", include("engines.urls")),
    path("", include("orphans.urls")),
    path("cycles/<int:pk>/audit/", views.cycle_audit, name="cycle-audit"),
    path("orphans/<int:pk>/audit/", views.orphan_audit, name="orphan-audit"),
    path("promotions/<int:pk>/audit/", views.promotion_audit, name="promotion-audit"),
    path("engines/<slug:name>/audit/", views.engine_audit, name="engine-audit"),
    path("system/", views.system, name="system"),
    path("audit/", views.audit, name="audit"),
    path("views/", views_saved.view_save, name="view-save"),
    path("views/<int:pk>/usual/", views_saved.view_usual, name="view-usual"),
    path("views/<int:pk>/drop/", views_saved.view_drop, name="view-drop"),
    path("account/", views.account, name="account"),
    path("account/tokens/", views.token_new, name="token-new"),
    path("account/tokens/<int:pk>/revoke/", views.token_revoke, name="token-revoke"),
    path("login/", LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("logout/", login_not_required(LogoutView.as_view()), name="logout"),
    path("health", health.health, name="health"),
    path("metrics", metrics.metrics, name="metrics"),
    path("api/", include("menace_site.api.urls")),
    path("admin/", admin.site.urls),
]
handler400 = errors.bad_request
handler403 = errors.forbidden
handler404 = errors.not_found
handler500 = errors.broken
