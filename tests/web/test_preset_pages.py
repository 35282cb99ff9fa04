"""The pages of scenario presets: what they show, refuse and keep."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from menace_site.models import AuditEntry
from orphans.domain.preset_keys import KEYS
from orphans.models import ScenarioPreset
from orphans.panels import PRESETS_A_PAGE
from orphans.services import presets as services
from tests.factories import make_preset

pytestmark = pytest.mark.django_db
LIST, NEW = "/presets/", "/presets/-/new/"


def text(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, answer.status_code
    return answer.content.decode()


def test_an_empty_list_says_what_to_do_and_shows_the_canonical_presets(operator: Client) -> None:
    page = text(operator, LIST)
    assert "No preset of your own" in page
    for name in services.canonical():
        assert f"<code>{name}</code>" in page
        assert f"{NEW}?from={name}" in page


def test_the_list_shows_what_is_kept_and_filters_it(viewer: Client) -> None:
    make_preset("spike", THREAD_BURST=5)
    make_preset("tight", MEMORY_LIMIT="64Mi")
    page = text(viewer, LIST)
    assert "spike" in page
    assert "MEMORY_LIMIT 64Mi" in page
    assert "tight" not in text(viewer, f"{LIST}?category=concurrency")
    assert "tight" not in text(viewer, f"{LIST}?q=sp")
    assert "spike" in text(viewer, f"{LIST}?category=nonsense")


def test_the_list_is_paged_by_name(viewer: Client) -> None:
    for number in range(PRESETS_A_PAGE + 2):
        make_preset(f"p{number:03}")
    first = text(viewer, LIST)
    assert f"p{PRESETS_A_PAGE - 1:03}" in first
    assert f"p{PRESETS_A_PAGE:03}" not in first
    second = text(viewer, f"{LIST}?after=p{PRESETS_A_PAGE - 1:03}")
    assert f"p{PRESETS_A_PAGE + 1:03}" in second
    assert 'rel="next"' not in second


def test_a_preset_shows_what_each_key_does_here(viewer: Client) -> None:
    make_preset("mixed", THREAD_BURST=5, CONCURRENCY_LEVEL=9, GPU_LIMIT=1)
    page = text(viewer, "/presets/mixed/")
    assert "5 threads call at once" in page
    assert "the bursts never have more than 5 calls under way" in page
    assert "no graphics processor" in page
    assert "2 keys do nothing on this machine" in page


def test_keys_written_past_the_services_are_told_and_break_no_page(operator: Client) -> None:
    make_preset("broken")
    ScenarioPreset.objects.update(keys={"THREAD_BURST": "<b>many</b>", "NO": 1})
    page = text(operator, "/presets/broken/")
    assert "This preset can't be used" in page
    assert "<b>many</b>" not in page + text(operator, LIST) + text(operator, "/presets/broken/edit/")


def test_a_preset_is_made_with_units_and_audited(operator: Client) -> None:
    form = {"name": "mine", "NETWORK_LATENCY_MS": "0.2s", "MEMORY_LIMIT": "256", "CPU_LIMIT": ""}
    answer = operator.post(NEW, form, follow=True)
    assert answer.redirect_chain == [("/presets/mine/", 302)]
    assert "mine is kept." in answer.content.decode()
    assert ScenarioPreset.objects.get().keys == {"MEMORY_LIMIT": "256Mi", "NETWORK_LATENCY_MS": 200}
    assert AuditEntry.objects.get().verb == "preset.create"


def test_a_form_can_begin_with_another_preset(operator: Client) -> None:
    page = text(operator, f"{NEW}?from=hostile_input_low")
    assert 'name="THREAT_INTENSITY" value="30"' in page
    assert "there is no preset" in text(operator, f"{NEW}?from=nothing")


def test_every_key_has_a_labelled_field_with_help(operator: Client) -> None:
    page = text(operator, NEW)
    for name, key in KEYS.items():
        assert f'<label for="id_{name}">{name}' in page
        assert key.meaning.split(";")[0].replace("'", "&#x27;") in page


def test_refusals_stand_beside_their_fields(operator: Client) -> None:
    answer = operator.post(NEW, {"name": "Mine", "MAX_THREADS": "4", "MEMORY_LIMIT": "5 s"})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert 'id="id_MEMORY_LIMIT-wrong">has the unit' in page
    answer = operator.post(NEW, {"name": "Mine", "CONCURRENCY_LEVEL": "4"})
    assert 'id="id_CONCURRENCY_LEVEL-wrong">has no effect without' in answer.content.decode()
    answer = operator.post(NEW, {"name": "Mine", "CPU_LIMIT": "4"})
    assert 'id="id_name-wrong">&#x27;Mine&#x27; is no name' in answer.content.decode()
    assert "changes nothing" in operator.post(NEW, {"name": "mine"}).content.decode()
    assert not ScenarioPreset.objects.exists()


def test_a_preset_is_changed_and_renamed(operator: Client) -> None:
    make_preset("old", THREAD_BURST=5, CPU_LIMIT=1)
    assert 'name="THREAD_BURST" value="5"' in text(operator, "/presets/old/edit/")
    answer = operator.post("/presets/old/edit/", {"name": "new", "THREAD_BURST": "6"})
    assert answer["Location"] == "/presets/new/"
    row = ScenarioPreset.objects.get()
    assert (row.name, row.keys) == ("new", {"THREAD_BURST": 6})


def test_a_taken_name_is_refused_beside_the_name(operator: Client) -> None:
    make_preset("taken")
    make_preset("mine")
    answer = operator.post("/presets/mine/edit/", {"name": "taken", "CPU_LIMIT": "1"})
    assert 'id="id_name-wrong">there is a preset' in answer.content.decode()


def test_a_preset_is_deleted(operator: Client) -> None:
    make_preset("gone")
    answer = operator.post("/presets/gone/delete/", follow=True)
    assert "gone was deleted" in answer.content.decode()
    assert not ScenarioPreset.objects.exists()
    assert operator.post("/presets/gone/delete/").status_code == 404


def test_a_viewer_looks_and_can_not_act(viewer: Client) -> None:
    make_preset("mine")
    for page in (text(viewer, LIST), text(viewer, "/presets/mine/")):
        assert "ask for the role of an operator" in page
    assert viewer.get(NEW).status_code == 403
    assert viewer.post("/presets/mine/delete/").status_code == 403
    assert ScenarioPreset.objects.exists()


def test_the_list_takes_few_statements(
    viewer: Client, django_assert_max_num_queries: Callable[..., object]
) -> None:
    for _ in range(30):
        make_preset()
    viewer.get(LIST)
    with django_assert_max_num_queries(8):  # type: ignore[attr-defined]
        viewer.get(LIST)


def test_the_admin_keeps_only_what_the_services_accept(admin: Client) -> None:
    add = reverse("admin:orphans_scenariopreset_add")
    page = admin.post(add, {"name": "mine", "keys": '{"CPU_LIMIT": -1, "NO": 2}'}).content.decode()
    assert "CPU_LIMIT: must lie between" in page
    assert "NO: is not known" in page
    admin.post(add, {"name": "mine", "keys": '{"CPU_LIMIT": "2"}'})
    row = ScenarioPreset.objects.get()
    change = reverse("admin:orphans_scenariopreset_change", args=[row.pk])
    admin.post(change, {"name": "mine", "keys": '{"THREAD_BURST": 4}'})
    admin.post(reverse("admin:orphans_scenariopreset_delete", args=[row.pk]), {"post": "yes"})
    verbs = list(AuditEntry.objects.order_by("id").values_list("verb", flat=True))
    assert verbs == ["preset.create", "preset.update", "preset.delete"]


def test_no_template_has_inline_script_or_style() -> None:
    for path in (Path(__file__).parents[2] / "templates/orphans").glob("preset*.html"):
        assert not {"<script", " style=", " onclick="} & set(path.read_text().split()), path
