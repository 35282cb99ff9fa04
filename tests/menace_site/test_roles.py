"""Roles are groups with exactly these permissions."""

import pytest
from django.contrib.auth.models import Group, Permission

from menace_site.roles import EXTRA, make_roles

pytestmark = pytest.mark.django_db


def rights(name: str) -> set[str]:
    group = Group.objects.get(name=name)
    return set(group.permissions.values_list("codename", flat=True))


def test_migrations_make_the_three_roles() -> None:
    assert set(Group.objects.values_list("name", flat=True)) >= set(EXTRA)


def test_each_role_has_what_the_one_before_has_and_more() -> None:
    assert rights("viewer") < rights("operator") < rights("approver")
    assert rights("operator") - rights("viewer") == {"operate_engine"}
    assert rights("approver") - rights("operator") == {"decide_promotion"}


def test_a_viewer_sees_what_knows_teams_and_nothing_of_the_site_or_its_people() -> None:
    viewer = Group.objects.get(name="viewer").permissions.all()
    assert {right.codename.split("_")[0] for right in viewer} == {"view"}
    assert {right.content_type.app_label for right in viewer} == {"engines"}


def test_making_them_again_mends_and_changes_nothing_else() -> None:
    viewer = Group.objects.get(name="viewer")
    viewer.permissions.add(Permission.objects.get(codename="delete_engine"))
    Group.objects.get(name="operator").permissions.clear()
    make_roles()
    assert rights("viewer") < rights("operator")
    assert "delete_engine" not in rights("viewer")
    assert Group.objects.filter(name__in=EXTRA).count() == 3
