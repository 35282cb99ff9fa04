"""The three roles as groups: viewer sees, operator acts on cycles, approver decides promotions as well."""

from typing import Any

from django.apps import AppConfig
from django.contrib.auth.models import Group, Permission
from django.db import connections
from django.db.models.signals import post_migrate
from django.dispatch import receiver

VIEWER, OPERATOR, APPROVER = "viewer", "operator", "approver"
SHOWN_APPS = ("engines",)
"""A viewer may see every model of these. The apps below don't know teams, so that their rows, which the admin
would show to everybody, are left to superusers there; pages and API show them by engine."""
EXTRA = {
    VIEWER: (),
    OPERATOR: ("operate_engine",),
    APPROVER: ("operate_engine", "decide_promotion"),
}
"""What each role may do besides seeing."""


def make_roles(using: str = "default") -> None:
    """Make the groups, or give them exactly their permissions again; safe to repeat.

    Permissions that somebody added to a group by hand are taken back: other rights belong in other groups.
    """
    shown = Permission.objects.using(using).filter(
        content_type__app_label__in=SHOWN_APPS, codename__startswith="view_"
    )
    for name, codenames in EXTRA.items():
        group, _ = Group.objects.using(using).get_or_create(name=name)
        extra = Permission.objects.using(using).filter(
            content_type__app_label="engines", codename__in=codenames
        )
        group.permissions.set([*shown, *extra])


@receiver(post_migrate, dispatch_uid="menace_site.roles")
def _after_migrate(sender: AppConfig, using: str, **_: Any) -> None:
    """Run once a migration, for the app that brings the groups; it comes after the shown apps."""
    if sender.label != "auth" or Group._meta.db_table not in connections[using].introspection.table_names():
        return
    make_roles(using)
