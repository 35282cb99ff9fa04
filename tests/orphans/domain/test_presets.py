"""Scenario presets: what is accepted, what is refused and with which words, what is made from a seed."""

import json
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orphans import environment_generator as generator
from orphans.domain.preset_keys import KEYS, Key, read_value, written
from orphans.domain.preset_profiles import ALIASES, BY_CATEGORY, NAMES, PROFILES, at_end
from orphans.domain.presets import CATEGORIES, PresetError, read_preset, read_presets

NUMERIC = [key for key in KEYS.values() if key.unit != "name"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def refusal(given: Any) -> str:
    with pytest.raises(PresetError) as caught:
        read_preset(given)
    return str(caught.value)


def accepted(given: Any) -> bool:
    """Tell whether a preset is accepted; one that isn't must say why, and nothing else may be raised."""
    try:
        return bool(read_preset(given).as_data())
    except PresetError as error:
        if not all(reason for _, reason in error.problems):
            raise
        return False


# ------------------------------------------------------------------ values and units


@pytest.mark.parametrize(
    ("key", "given", "value", "text"),
    [
        ("MEMORY_LIMIT", "256", 256 * 2**20, "256Mi"),
        ("MEMORY_LIMIT", "1.5Gi", 1536 * 2**20, "1536Mi"),
        ("MEMORY_LIMIT", "512M", 512_000_000, "500000Ki"),
        ("DISK_LIMIT", "70000B", 70_000, "70000B"),
        ("CPU_LIMIT", "500m", 0.5, 0.5),
        ("CPU_LIMIT", "1", 1.0, 1),
        ("NETWORK_LATENCY_MS", "0.2s", 200.0, 200),
        ("NETWORK_LATENCY_MS", 200, 200.0, 200),
        ("PACKET_LOSS", "5%", 0.05, 0.05),
        ("THREAT_INTENSITY", "30 %", 30.0, 30),
        ("BANDWIDTH_LIMIT", "500kbps", 0.5, 0.5),
        ("TIME_LIMIT", "2min", 120.0, 120),
        ("THREAD_BURST", "10", 10, 10),
        ("THREAD_BURST", 10.0, 10, 10),
        ("SCENARIO_NAME", "spike-2", "spike-2", "spike-2"),
    ],
)
def test_values_are_read_with_their_units(key: str, given: Any, value: Any, text: Any) -> None:
    assert read_value(KEYS[key], given) == value
    assert written(KEYS[key], value) == text


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"CPU_LIMT": 1}, "CPU_LIMT: is not known; did you mean CPU_LIMIT?"),
        ({"MEMORY_LIMIT": "5 s"}, "MEMORY_LIMIT: has the unit 's'"),
        ({"NETWORK_LATENCY_MS": "5Mi"}, "NETWORK_LATENCY_MS: has the unit 'Mi'"),
        ({"PACKET_LOSS": 5}, "PACKET_LOSS: must lie between 0 and 1, not 5"),
        ({"MEMORY_LIMIT": "1Mi"}, "MEMORY_LIMIT: must lie between 32Mi and 64Gi of bytes, not 1Mi"),
        ({"THREAD_BURST": 1.5}, "THREAD_BURST: must be a whole number, not 1.5"),
        ({"THREAD_BURST": -1}, "THREAD_BURST: must lie between 0 and 500"),
        ({"CPU_LIMIT": float("nan")}, "CPU_LIMIT: must be a finite number"),
        ({"CPU_LIMIT": 10**400}, "CPU_LIMIT: must be a finite number"),
        ({"CPU_LIMIT": "1e999"}, "CPU_LIMIT: must be a finite number"),
        ({"CPU_LIMIT": True}, "CPU_LIMIT: must be a number of cores, not true or false"),
        ({"CPU_LIMIT": None}, "CPU_LIMIT: must be a number of cores, not nothing"),
        ({"CPU_LIMIT": "one"}, "CPU_LIMIT: must be a number of cores, not 'one'"),
        ({"SCENARIO_NAME": "a\nb", "CPU_LIMIT": 1}, "SCENARIO_NAME: must be letters"),
        ({"SCENARIO_NAME": "x" * 64, "CPU_LIMIT": 1}, "SCENARIO_NAME: must be letters"),
        ({"SCENARIO_NAME": "idle"}, "changes nothing"),
        ({}, "changes nothing"),
        ([], "must be an object of keys, not list"),
    ],
)
def test_a_bad_key_is_refused_with_its_name_and_the_reason(given: Any, words: str) -> None:
    assert words in refusal(given)


@pytest.mark.parametrize(
    ("given", "key"),
    [
        ({"UPSTREAM_FAILURES": 3}, "UPSTREAM_FAILURES"),
        ({"UPSTREAM_REQUESTS": 3}, "UPSTREAM_REQUESTS"),
        ({"SCHEMA_MISMATCHES": 5, "SCHEMA_CHECKS": 4}, "SCHEMA_MISMATCHES"),
        ({"NETWORK_JITTER_MS": 20}, "NETWORK_JITTER_MS"),
        ({"NETWORK_JITTER_MS": 20, "NETWORK_LATENCY_MS": 10}, "NETWORK_JITTER_MS"),
        ({"MAX_THREADS": 4, "THREAD_BURST": 5}, "MAX_THREADS"),
        ({"MAX_THREADS": 5, "THREAD_BURST": 5, "ASYNC_TASK_BURST": 1}, "MAX_THREADS"),
        ({"CONCURRENCY_LEVEL": 4}, "CONCURRENCY_LEVEL"),
        ({"THREAT_INTENSITY": 60, "MISUSE_RATE": 41}, "MISUSE_RATE"),
        ({"SECURITY_LEVEL": 5, "API_LATENCY_MS": 1}, "API_LATENCY_MS"),
    ],
)
def test_keys_that_contradict_each_other_are_refused(given: Any, key: str) -> None:
    with pytest.raises(PresetError) as caught:
        read_preset(given)
    assert [name for name, _ in caught.value.problems] == [key]


def test_every_fault_is_told_at_once_with_the_place_in_the_list() -> None:
    with pytest.raises(PresetError) as caught:
        read_presets('[{"CPU_LIMIT": 1}, {"CPU_LIMIT": 0, "NO": 1}, 7]')
    assert [key for key, _ in caught.value.problems] == ["2.CPU_LIMIT", "2.NO", "3."]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not JSON"),
        ("[", "not JSON"),
        ("[]", "0 presets"),
        ('{"CPU_LIMIT": NaN}', "NaN is no number"),
        ('{"CPU_LIMIT": 1, "CPU_LIMIT": 2}', "CPU_LIMIT: stands twice"),
        ("[" * 100_000, "not JSON"),
        (json.dumps([{"CPU_LIMIT": 1}] * 1001), "1001 presets"),
    ],
)
def test_a_bad_text_is_refused(text: str, words: str) -> None:
    with pytest.raises(PresetError, match=words):
        read_presets(text)


@given(JSON)
def test_whatever_is_given_is_read_or_refused(data: Any) -> None:
    assert accepted(data) in (True, False)


@given(st.dictionaries(st.sampled_from(sorted(KEYS)), JSON))
def test_whatever_a_key_is_given_is_read_or_refused(data: dict[str, Any]) -> None:
    assert accepted(data) in (True, False)


@given(st.sampled_from(NUMERIC), st.data())
def test_what_is_written_is_read_again(key: Key, data: st.DataObject) -> None:
    numbers = st.integers(int(key.low) + 1, int(key.high)) if key.whole else st.floats(key.low, key.high)
    value = read_value(key, f"{data.draw(numbers)}{'B' if key.unit == 'bytes' else ''}")
    text = written(key, value)
    assert read_value(key, text) == value
    assert written(key, read_value(key, text)) == text


def test_what_belongs_to_no_faults_is_the_baseline() -> None:
    made = {
        "baseline": {"CPU_LIMIT": 1},
        "stress": {"API_LATENCY_MS": 5},
        "concurrency": {"THREAD_BURST": 5, "API_LATENCY_MS": 5},
        "security": {"THREAT_INTENSITY": 5, "THREAD_BURST": 5},
    }
    assert {name: read_preset(keys).category for name, keys in made.items()} == {n: n for n in CATEGORIES}


# ------------------------------------------------------------------ made presets


def test_the_canonical_presets_are_six_profiles_low_and_high() -> None:
    made = generator.generate_canonical_presets()
    assert [(each["SCENARIO_NAME"], each["SEVERITY"]) for each in made] == [
        (name, severity) for name in PROFILES for severity in ("low", "high")
    ]
    assert {each["CPU_LIMIT"] for each in made} == {1}
    assert {each["MEMORY_LIMIT"] for each in made} == {"512Mi"}
    spike = made[7]
    assert (spike["THREAD_BURST"], spike["ASYNC_TASK_BURST"], spike["MAX_THREADS"]) == (50, 100, 200)


@pytest.mark.parametrize("name", NAMES)
def test_a_profile_makes_presets_of_its_category(name: str) -> None:
    made = [read_preset(each) for each in generator.generate_presets(5, [name])]
    wanted = {category for category, profiles in BY_CATEGORY.items() if name in (category, *profiles)}
    assert {each.category for each in made} == wanted
    assert {each.name for each in made} <= {name, *BY_CATEGORY.get(name, ())}


@given(
    count=st.integers(1, 30), seed=st.integers(0, 2**63), names=st.sets(st.sampled_from(NAMES), min_size=1)
)
def test_every_made_preset_is_valid_and_lies_between_the_ends(count: int, seed: int, names: set[str]) -> None:
    made = generator.generate_presets(count, sorted(names), seed=seed)
    assert len(made) == count
    for each in made:
        preset = read_preset(each)
        assert preset.as_data() == each
        for key in PROFILES.get(preset.name, {}):
            low, high = (float(at_end(preset.name, end)[key]) for end in ("low", "high"))
            assert low <= preset.number(key) <= high


def test_the_same_seed_makes_the_same_presets_in_another_process() -> None:
    code = "import json, orphans.environment_generator as g; print(json.dumps(g.generate_presets(9, seed=4)))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(told.stdout) == generator.generate_presets(9, seed=4)
    assert generator.generate_presets(9, seed=5) != generator.generate_presets(9, seed=4)


def test_a_longer_list_begins_like_a_shorter_one() -> None:
    assert generator.generate_presets(20)[:6] == generator.generate_presets(6)


def test_misuse_is_made_only_when_asked_for() -> None:
    assert "user_misuse" not in {each["SCENARIO_NAME"] for each in generator.generate_presets(40)}
    asked = generator.generate_presets(user_misuse=True)
    assert [each["SCENARIO_NAME"] for each in asked] == ["baseline", *PROFILES]


def test_an_alias_means_its_profile() -> None:
    for alias, profile in ALIASES.items():
        assert generator.generate_presets(2, [alias]) == generator.generate_presets(2, [profile])


@pytest.mark.parametrize(
    ("count", "profiles", "words"),
    [
        (0, None, "count: must be a whole number from 1 to 1000, not 0"),
        (1001, None, "count"),
        (True, None, "count"),
        (1, [], "profiles: name at least one"),
        (1, ["spike"], "profiles: 'spike' is not known; known: high_latency_api"),
    ],
)
def test_a_wrong_wish_is_refused(count: Any, profiles: Any, words: str) -> None:
    with pytest.raises(PresetError, match=words):
        generator.generate_presets(count, profiles)
