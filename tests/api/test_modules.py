"""The API of what changes of modules brought: reading it, and opening complete modules again."""

import pytest
from django.utils import timezone

from forecasting.models import ModuleProgress
from menace_site.models import AuditEntry
from tests.api.conftest import Api
from tests.factories import make_engine, make_team

pytestmark = pytest.mark.django_db


@pytest.fixture
def module() -> ModuleProgress:
    """A complete module of an engine that everybody sees."""
    make_engine("alpha")
    told = {"complete": True, "completed_at": timezone.now(), "completed_by": "cycle 7", "reason": "flat"}
    return ModuleProgress.objects.create(subject="alpha", path="a.py", samples=3, **told)


def test_modules_are_listed_by_engine_and_by_whether_they_are_complete(
    viewer: Api, module: ModuleProgress
) -> None:
    ModuleProgress.objects.create(subject="alpha", path="b.py")
    ModuleProgress.objects.create(subject=make_engine("hidden", team=make_team()).name, path="c.py")
    assert [row["path"] for row in viewer.get("modules/").json()["results"]] == ["b.py", "a.py"]
    rows = viewer.get("modules/", engine="alpha", complete="true").json()["results"]
    assert [(row["path"], row["reason"], row["roi_total"]) for row in rows] == [("a.py", "flat", None)]
    assert viewer.get("modules/", complete="maybe").status_code == 400
    shown = viewer.get(f"modules/{module.pk}/").json()
    assert (shown["completed_by"], shown["entropy_change"], shown["reopened_at"]) == ("cycle 7", None, None)


def test_an_operator_opens_a_module_again_once(operator: Api, module: ModuleProgress) -> None:
    address = f"modules/{module.pk}/reopen/"
    answer = operator.post(address, {"reason": "a new customer"})
    assert answer.status_code == 200
    assert (answer.json()["complete"], answer.json()["reopened_reason"]) == (False, "a new customer")
    assert AuditEntry.objects.get(verb="module.reopen").detail["path"] == "a.py"
    assert operator.post(address, {}).status_code == 409
