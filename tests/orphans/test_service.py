"""`SelfTestService` and `auto_include_modules` from plain Python."""

from pathlib import Path
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from engines.api import SelfTestService, auto_include_modules
from orphans.domain.states import RunState
from orphans.models import ModuleMapEntry, OrphanModule
from tests.engines.repositories import make_repository
from tests.orphans.test_flow import BOT, HELPER
from tests.orphans.test_self_tests import Says

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def checkout(settings: Settings, tmp_path: Path) -> Path:
    settings.DATA_DIR = tmp_path / "data"
    return make_repository(tmp_path / "bot", {**BOT, **HELPER})


def mapped() -> list[str]:
    rows = ModuleMapEntry.objects.filter(removed_at=None).order_by("path")
    return list(rows.values_list("path", flat=True))


def test_run_once_returns_results_and_what_passed(checkout: Path) -> None:
    service = SelfTestService(checkout, workers=2, execute=Says(helper=RunState.FAILED))

    results, passed = service.run_once()

    assert passed == ["isolated.py"]
    assert results["failed"] == ["helper.py"]
    assert results["integration"]["integrated"] == ["isolated.py"]
    assert mapped() == ["isolated.py"]


def test_it_can_test_without_taking_in(checkout: Path) -> None:
    results, passed = SelfTestService(checkout, include_orphans=False, execute=Says()).run_once()

    assert "integration" not in results
    assert (len(passed), mapped()) == (2, [])


def test_switches_that_are_not_given_follow_the_settings(checkout: Path, settings: Settings) -> None:
    settings.SANDBOX = settings.SANDBOX.model_copy(update={"self_test_recursive_orphans": False})
    asked = Says()

    SelfTestService(checkout, execute=asked).run_once()

    assert asked.asked == ["isolated.py"]


def test_auto_include_follows_helpers_only_when_recursive(checkout: Path) -> None:
    plain: Any = {"subject": "bot", "checkout": checkout, "execute": Says()}

    alone = auto_include_modules(["isolated.py"], source="one", recursive=False, **plain)
    both = auto_include_modules(["isolated.py"], source="two", recursive=True, **plain)

    assert alone.added == ("isolated.py",)
    assert both.added == ("helper.py",)
    assert mapped() == ["helper.py", "isolated.py"]


def test_without_validation_only_what_passed_before_is_taken(checkout: Path) -> None:
    included = auto_include_modules(
        ["isolated.py"], subject="bot", checkout=checkout, source="one", validate=False
    )

    assert included.added == ()
    assert mapped() == []
    assert set(OrphanModule.objects.values_list("state", flat=True)) == {"found"}
