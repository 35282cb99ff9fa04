"""The endpoints of scenario presets."""

import pytest

from menace_site.models import AuditEntry
from orphans.models import ScenarioPreset
from tests.api.conftest import Api
from tests.factories import make_preset

pytestmark = pytest.mark.django_db


def test_a_preset_is_kept_shown_changed_and_deleted(operator: Api) -> None:
    made = operator.post("presets/", {"name": "spike", "keys": {"THREAD_BURST": 5, "MEMORY_LIMIT": "256"}})
    assert (made.status_code, made.json()["keys"]) == (201, {"MEMORY_LIMIT": "256Mi", "THREAD_BURST": 5})
    assert made.json()["category"] == "concurrency"
    shown = operator.get("presets/spike/").json()
    assert shown == made.json()
    changed = operator.patch("presets/spike/", {"keys": {"CPU_LIMIT": 1}, "name": "calm"}).json()
    assert (changed["name"], changed["category"], changed["keys"]) == ("calm", "baseline", {"CPU_LIMIT": 1})
    assert operator.send("DELETE", "presets/calm/", "").status_code == 204
    assert operator.get("presets/calm/").status_code == 404
    actors = set(AuditEntry.objects.filter(target__startswith="preset:").values_list("actor_kind", flat=True))
    assert actors == {"token"}


def test_the_list_is_filtered_paged_and_lean(viewer: Api) -> None:
    for number in range(5):
        make_preset(f"p{number}", THREAD_BURST=number + 1)
    make_preset("base", CPU_LIMIT=1)
    page = viewer.get("presets/", category="concurrency", size=2).json()
    assert [row["name"] for row in page["results"]] == ["p0", "p1"]
    assert set(page["results"][0]) == {"id", "name", "profile", "category", "keys"}
    after = viewer.client.get(page["next"], headers=viewer.headers).json()
    assert [row["name"] for row in after["results"]] == ["p2", "p3"]
    lean = viewer.get("presets/", fields="name", order="-name").json()["results"]
    assert lean[:2] == [{"name": "p4"}, {"name": "p3"}]


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ({"name": "a", "keys": {"CPU_LIMIT": 0}}, "CPU_LIMIT", "must lie between"),
        ({"name": "a", "keys": {"CPU_LIMIT": "1 s"}}, "CPU_LIMIT", "has the unit 's'"),
        ({"name": "a", "keys": {"NO": 1}}, "NO", "is not known"),
        ({"name": "A b", "keys": {"CPU_LIMIT": 1}}, "name", ""),
        ({"name": "taken", "keys": {"CPU_LIMIT": 1}}, "name", "already"),
        ({"name": "a"}, "keys", "required"),
        ({"name": "a", "keys": [1]}, "keys", ""),
    ],
)
def test_a_refusal_names_the_key_and_the_reason(operator: Api, body: object, field: str, words: str) -> None:
    make_preset("taken")
    answer = operator.post("presets/", body)
    assert answer.status_code in (400, 422)
    assert (answer.json()["errors"][0]["field"], words in answer.json()["detail"]) == (field, True)
    assert ScenarioPreset.objects.count() == 1


@pytest.mark.parametrize("query", [{"category": "spike"}, {"categry": "stress"}, {"order": "keys"}])
def test_an_unknown_wish_of_a_list_is_refused(viewer: Api, query: dict[str, str]) -> None:
    assert viewer.get("presets/", **query).status_code == 400


def test_a_viewer_may_look_but_not_act(viewer: Api) -> None:
    make_preset("mine")
    assert viewer.get("presets/mine/").status_code == 200
    answers = [
        viewer.post("presets/", {"name": "b", "keys": {"CPU_LIMIT": 1}}),
        viewer.patch("presets/mine/", {"keys": {"CPU_LIMIT": 1}}),
        viewer.send("DELETE", "presets/mine/", ""),
    ]
    assert [answer.status_code for answer in answers] == [403, 403, 403]
    assert ScenarioPreset.objects.get().keys == {"THREAD_BURST": 5}
