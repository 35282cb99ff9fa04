"""The rows of orphans in the admin: superusers read each, nobody edits one; presets go by their service."""

import json
from collections.abc import Callable

import pytest
from django.apps import apps
from django.db import connection, models
from django.test import Client
from django.test.utils import CaptureQueriesContext

from menace_site.models import AuditEntry
from orphans.admin import CAP, CappedPages
from orphans.models import ModuleMapEntry, OrphanModule, OrphanTally, ScenarioPreset
from tests.factories import make_preset, make_user
from tests.orphans.rows import make_batch, make_module, make_run, make_scan

pytestmark = pytest.mark.django_db
ROWS: dict[str, Callable[[], models.Model]] = {
    "orphanmodule": lambda: make_module(path="a.py"),
    "scanrun": make_scan,
    "selftestrun": make_batch,
    "modulerun": lambda: make_run(make_batch(), "a.py"),
    "modulemapentry": lambda: ModuleMapEntry.objects.create(subject="alpha", path="a.py", group=1),
    "orphantally": lambda: OrphanTally.objects.create(subject="alpha", name="scans", count=3),
}
PRESETS = "/admin/orphans/scenariopreset/"
KEYS = {"THREAD_BURST": 5}


@pytest.fixture
def admin(db: None, client: Client) -> Client:
    client.force_login(make_user("admin"))
    return client


def address(row: models.Model, end: str) -> str:
    return f"/admin/orphans/{row._meta.model_name}/{row.pk}/{end}"


def test_every_model_has_a_row_here() -> None:
    names = {model._meta.model_name for model in apps.get_app_config("orphans").get_models()}
    assert names == {*ROWS, "scenariopreset"}


@pytest.mark.parametrize("name", ROWS)
def test_a_row_is_shown_by_its_name_and_can_not_be_changed(admin: Client, name: str) -> None:
    row = ROWS[name]()
    page = admin.get(address(row, "change/"))
    assert page.status_code == 200
    assert str(row) in page.content.decode().replace("&gt;", ">")
    assert 'name="_save"' not in page.content.decode()
    before = type(row)._default_manager.filter(pk=row.pk).values().get()
    for end in ("change/", "delete/"):
        assert admin.post(address(row, end), {"subject": "mine", "post": "yes"}).status_code == 403
    assert admin.get(f"/admin/orphans/{name}/add/").status_code == 403
    assert type(row)._default_manager.filter(pk=row.pk).values().get() == before


@pytest.mark.parametrize("name", [*ROWS, "scenariopreset"])
def test_staff_that_is_no_superuser_sees_none_of_it(client: Client, name: str) -> None:
    row = make_preset() if name == "scenariopreset" else ROWS[name]()
    staff = make_user("approver")
    staff.is_staff = True
    staff.save()
    client.force_login(staff)
    for path in (f"/admin/orphans/{name}/", address(row, "change/")):
        assert client.get(path).status_code == 403
        assert client.post(path, {"post": "yes"}).status_code == 403


def test_a_list_costs_the_same_statements_however_long_it_is(admin: Client) -> None:
    asked = []
    for rows in (1, 60):
        OrphanModule.objects.bulk_create(
            OrphanModule(
                subject="alpha",
                path=f"{rows}/{number}.py",
                classification="orphan",
                found_as="orphan",
                confidence=0.5,
            )
            for number in range(rows)
        )
        with CaptureQueriesContext(connection) as context:
            assert admin.get("/admin/orphans/orphanmodule/").status_code == 200
        asked.append(sum("orphans_orphanmodule" in query["sql"] for query in context.captured_queries))
    assert asked == [2, 2], "a count up to the cap, and one page"


def test_counting_asks_the_database_for_no_more_than_the_cap() -> None:
    make_module()
    with CaptureQueriesContext(connection) as context:
        assert CappedPages(OrphanModule.objects.all(), 50).count == 1
    assert f"LIMIT {CAP}" in context.captured_queries[0]["sql"]


def test_a_preset_is_made_changed_and_deleted_by_the_service_and_audited(admin: Client) -> None:
    fields = {"name": "mine", "keys": json.dumps(KEYS)}
    assert admin.post(f"{PRESETS}add/", fields).status_code == 302
    preset = ScenarioPreset.objects.get()
    assert (preset.name, preset.category, preset.keys) == ("mine", "concurrency", KEYS)
    assert admin.post(address(preset, "change/"), {**fields, "name": "other"}).status_code == 302
    preset.refresh_from_db()
    assert preset.name == "other"
    assert admin.post(address(preset, "delete/"), {"post": "yes"}).status_code == 302
    assert not ScenarioPreset.objects.exists()
    verbs = list(AuditEntry.objects.order_by("id").values_list("verb", flat=True))
    assert [verb for verb in verbs if verb.startswith("preset.")] == [
        "preset.create",
        "preset.update",
        "preset.delete",
    ]


def test_several_presets_are_deleted_one_by_one_and_each_is_audited(admin: Client) -> None:
    chosen = [make_preset("one").pk, make_preset("two").pk]
    make_preset("kept")
    act = {"action": "delete_selected", "_selected_action": chosen, "post": "yes"}
    assert admin.post(PRESETS, act).status_code == 302
    assert list(ScenarioPreset.objects.values_list("name", flat=True)) == ["kept"]
    assert AuditEntry.objects.filter(verb="preset.delete").count() == 2


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ('{"NO_SUCH_KEY": 1}', "NO_SUCH_KEY"),
        ('{"THREAD_BURST": -1}', "THREAD_BURST"),
        ("[1, 2]", ""),
        ("{", "Enter a valid JSON"),
        ('"text"', ""),
    ],
)
def test_keys_that_make_no_preset_are_refused_with_the_reason(admin: Client, keys: str, told: str) -> None:
    page = admin.post(f"{PRESETS}add/", {"name": "mine", "keys": keys})
    assert page.status_code == 200
    errors = page.context["adminform"].form.errors["keys"]
    assert errors
    assert told in str(errors)
    assert not ScenarioPreset.objects.exists()
