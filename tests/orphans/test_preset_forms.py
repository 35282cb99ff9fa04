"""The form of a preset, the mappings its pages show, and that the documents name every key."""

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orphans import panels
from orphans.domain.errors import InvalidInput
from orphans.domain.preset_effects import WORDS
from orphans.domain.preset_keys import KEYS
from orphans.domain.preset_profiles import NAMES, generate_presets
from orphans.domain.presets import PresetError, read_preset
from orphans.forms import GROUPS, PresetForm
from orphans.models import ScenarioPreset
from orphans.services import presets as services
from tests.factories import make_preset

HOWTO = (Path(__file__).parents[2] / "docs/howto/presets.md").read_text()
PROBE = dict.fromkeys(WORDS, True)


# ------------------------------------------------------------------ the form


def test_every_key_stands_in_exactly_one_group_of_the_form() -> None:
    shown = [bound.name for _, fields in PresetForm().groups() for bound in fields]
    assert sorted(shown) == sorted(KEYS)
    assert {key.group for key in KEYS.values()} == set(GROUPS)


def test_only_what_was_filled_in_becomes_a_key() -> None:
    form = PresetForm({"name": "a", "CPU_LIMIT": " 2 ", "MEMORY_LIMIT": "", "PACKET_LOSS": "5%"})
    assert form.is_valid(), form.errors
    assert form.keys() == {"CPU_LIMIT": "2", "PACKET_LOSS": "5%"}


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"CPU_LIMIT": "1"}, "name"),
        ({"name": "a", "CPU_LIMIT": "x" * 65}, "CPU_LIMIT"),
        ({"name": "a", "CPU_LIMIT": "-1"}, "CPU_LIMIT"),
        ({"name": "a", "NETWORK_JITTER_MS": "9"}, "NETWORK_JITTER_MS"),
        ({"name": "a"}, "__all__"),
        ({"name": "a", "SCENARIO_NAME": "x"}, "__all__"),
    ],
)
def test_a_refusal_stands_at_its_field(data: dict[str, str], field: str) -> None:
    form = PresetForm(data)
    assert not form.is_valid()
    assert field in form.errors


def test_refusals_of_a_service_stand_beside_their_field_or_above_the_form() -> None:
    form = PresetForm({"name": "a", "CPU_LIMIT": "1"})
    assert form.is_valid()
    form.refuse(InvalidInput("taken", field="name"))
    form.refuse(InvalidInput("no", field="elsewhere"))
    assert [list(form.errors[place]) for place in ("name", "__all__")] == [["taken"], ["no"]]


@given(st.dictionaries(st.sampled_from(sorted(KEYS)), st.text(max_size=20), max_size=6))
def test_whatever_is_typed_the_form_agrees_with_the_reader(typed: dict[str, str]) -> None:
    given = {key: text.strip() for key, text in typed.items() if text.strip()}
    try:
        read_preset(given)
        accepted = True
    except PresetError:
        accepted = False
    assert PresetForm({"name": "a", **typed}).is_valid() == accepted


# ------------------------------------------------------------------ mappings


@pytest.mark.django_db
def test_a_page_holds_the_presets_after_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(panels, "PRESETS_A_PAGE", 2)
    for name in "cabde":
        make_preset(name)
    seen: list[str] = []
    after = ""
    while True:
        page = panels.preset_page(after=after)
        seen += [row["name"] for row in page["rows"]]
        if not (after := page["next"]):
            break
    assert seen == list("abcde")


@pytest.mark.django_db
def test_a_page_is_filtered_by_category_and_beginning() -> None:
    make_preset("ab", THREAD_BURST=1)
    make_preset("ac", CPU_LIMIT=1)
    make_preset("b", THREAD_BURST=1)
    names = [row["name"] for row in panels.preset_page(category="concurrency", q="a")["rows"]]
    assert names == ["ab"]
    assert panels.preset_page(q="a%")["rows"] == []


def test_canonical_rows_are_filtered_by_category() -> None:
    rows = panels.canonical_rows(services.canonical(), "security")
    assert [row["name"] for row in rows] == [
        "hostile_input_low", "hostile_input_high", "user_misuse_low", "user_misuse_high",
    ]  # fmt: skip
    assert len(panels.canonical_rows(services.canonical())) == 12


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("probe", "idle"), [(PROBE, 0), ({**PROBE, "stub": False}, 1), ({}, 2)], ids=["all", "no stub", "nothing"]
)
def test_a_detail_counts_what_does_nothing(probe: dict[str, bool], idle: int) -> None:
    row = make_preset("mine", API_LATENCY_MS="1s", CPU_LIMIT=1)
    detail = panels.preset_detail(row, probe)
    assert (detail["idle"], detail["problem"]) == (idle, "")
    assert [(each["key"], each["value"]) for each in detail["effects"]] == [
        ("CPU_LIMIT", 1), ("API_LATENCY_MS", 1000),
    ]  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize("keys", [{"NO": 1}, [], {"CPU_LIMIT": None}, "text", 5])
def test_a_detail_of_broken_keys_says_so(keys: Any) -> None:
    row = make_preset("mine")
    ScenarioPreset.objects.update(keys=keys)
    row.refresh_from_db()
    detail = panels.preset_detail(row, PROBE)
    assert detail["effects"] == []
    assert detail["problem"]


# ------------------------------------------------------------------ documents


@pytest.mark.parametrize("name", KEYS)
def test_the_document_has_every_key_with_its_bounds(name: str) -> None:
    row = next(line for line in HOWTO.splitlines() if line.startswith("|") and f"`{name}`" in line)
    assert row.count("|") == 4


def test_the_document_names_no_key_and_no_profile_that_is_gone() -> None:
    named = set(re.findall(r"`([A-Z][A-Z_]{5,})`", HOWTO))
    assert named - set(KEYS) == {"SANDBOX_ENV_PRESETS", "SANDBOX_SCENARIO_NAME", "SANDBOX_STUB_URL"}
    assert [name for name in NAMES if f"`{name}`" not in HOWTO] == []


def test_the_fields_of_a_measurement_in_the_document_are_those_of_the_service() -> None:
    table = HOWTO.split("What comes back:")[1]
    named = set(re.findall(r"`([a-z_]+)`", "".join(re.findall(r"^\| (`.*?) \|", table, re.MULTILINE))))
    made = (
        Path(services.__file__).with_name("scenarios.py").read_text()
        + Path(services.__file__).parent.parent.joinpath("domain/scenario_report.py").read_text()
    )
    assert [name for name in sorted(named) if f'"{name}"' not in made] == []


@given(st.integers(0, 2**32), st.sampled_from(NAMES))
def test_a_made_preset_fills_a_form_that_is_accepted(seed: int, name: str) -> None:
    (made,) = generate_presets(1, [name], seed=seed)
    form = PresetForm({"name": "a", **{key: str(value) for key, value in made.items()}})
    assert form.is_valid(), form.errors
    assert read_preset(form.keys()).as_data() == made
