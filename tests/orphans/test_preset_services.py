"""Stored presets: only valid ones are kept, every change is audited; files are read whole or refused."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings

from menace_site.models import AuditEntry
from menace_site.sandbox_settings import SandboxSettings
from orphans.domain.acting import Actor
from orphans.domain.errors import Conflict, InvalidInput
from orphans.models import ScenarioPreset
from orphans.services import presets

ADA = Actor(label="ada", kind="person")
KEYS: dict[str, Any] = {"SCENARIO_NAME": "spike", "THREAD_BURST": 10, "MEMORY_LIMIT": "256"}


def kept(name: str = "mine", **keys: Any) -> ScenarioPreset:
    return presets.create_preset(name=name, keys=keys or KEYS, actor=ADA)


def configured_with(**environ: str) -> Any:
    return override_settings(SANDBOX=SandboxSettings.from_environ(environ))


# ------------------------------------------------------------------ rows


@pytest.mark.django_db
def test_a_preset_is_kept_as_it_is_written_down() -> None:
    row = kept()
    assert row.keys == {"SCENARIO_NAME": "spike", "MEMORY_LIMIT": "256Mi", "THREAD_BURST": 10}
    assert (row.profile, row.category, row.created_label) == ("spike", "concurrency", "ada")
    assert presets.of_row(ScenarioPreset.objects.get()).as_data() == row.keys


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "keys", "field", "words"),
    [
        ("mine", {"THREAD_BURST": -1}, "THREAD_BURST", "must lie between"),
        ("mine", {"A": 1, "B": 2}, "", "A: is not known; B: is not known"),
        ("mine", [], "", "must be an object"),
        ("Mine", KEYS, "name", "is no name for a preset"),
        ("mine\n", KEYS, "name", "is no name for a preset"),
        ("", KEYS, "name", "is no name for a preset"),
        ("taken", KEYS, "name", "already"),
    ],
)
def test_what_is_wrong_is_refused_by_field_and_nothing_is_kept(
    name: str, keys: Any, field: str, words: str
) -> None:
    kept("taken")
    with pytest.raises(InvalidInput, match=words) as caught:
        presets.create_preset(name=name, keys=keys, actor=ADA)
    assert caught.value.field == field
    assert ScenarioPreset.objects.count() == AuditEntry.objects.count() == 1


@pytest.mark.django_db
def test_every_change_is_audited() -> None:
    row = kept()
    presets.update_preset(row.pk, keys={"CPU_LIMIT": 2}, name="yours", actor=ADA)
    presets.delete_preset(row.pk, actor=ADA)
    told = list(AuditEntry.objects.order_by("id").values_list("verb", "target", "actor"))
    assert told == [
        ("preset.create", "preset:mine", "ada"),
        ("preset.update", "preset:mine", "ada"),
        ("preset.delete", "preset:yours", "ada"),
    ]
    assert AuditEntry.objects.order_by("id")[1].detail["before"]["keys"]["THREAD_BURST"] == 10
    assert not ScenarioPreset.objects.exists()


@pytest.mark.django_db
def test_a_change_that_changes_nothing_is_no_act() -> None:
    row = kept()
    again = presets.update_preset(row.pk, keys={**KEYS, "MEMORY_LIMIT": "256Mi"}, actor=ADA)
    assert AuditEntry.objects.count() == 1
    assert again.updated_at == ScenarioPreset.objects.get().updated_at


@pytest.mark.django_db
def test_a_change_to_a_taken_name_changes_nothing() -> None:
    kept("taken")
    row = kept()
    with pytest.raises(InvalidInput, match="already"):
        presets.update_preset(row.pk, keys={"CPU_LIMIT": 1}, name="taken", actor=ADA)
    row.refresh_from_db()
    assert (row.name, row.category) == ("mine", "concurrency")


@pytest.mark.django_db
def test_there_is_an_end_to_presets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presets, "MAX_STORED", 1)
    kept()
    with pytest.raises(Conflict, match="delete one first"):
        kept("second")


# ------------------------------------------------------------------ finding


@pytest.mark.django_db
def test_a_stored_preset_comes_before_a_canonical_one_of_its_name() -> None:
    assert presets.find("hostile_input_low").number("THREAT_INTENSITY") == 30
    kept("hostile_input_low", THREAT_INTENSITY=5)
    assert presets.find("hostile_input_low").number("THREAT_INTENSITY") == 5
    for name in ("no", "../x", "", "a" * 99, "mine\n"):
        with pytest.raises(InvalidInput, match="there is no preset"):
            presets.find(name)


def test_runs_are_tried_under_the_canonical_presets_misuse_only_when_asked_for() -> None:
    assert {each.name for each in presets.for_runs()} == {
        "high_latency_api", "hostile_input", "concurrency_spike", "schema_drift", "flaky_upstream",
    }  # fmt: skip
    with configured_with(SANDBOX_INCLUDE_USER_MISUSE="1"):
        assert "user_misuse" in {each.name for each in presets.for_runs()}


def test_the_setting_brings_presets_as_text_or_as_a_file(tmp_path: Path) -> None:
    path = tmp_path / "spike.json"
    presets.write_file(path, [{"THREAD_BURST": 3}])
    for given in ('{"THREAD_BURST": 3}', '[{"THREAD_BURST": 3}]', str(path)):
        with configured_with(SANDBOX_ENV_PRESETS=given):
            assert [each.as_data() for each in presets.for_runs()] == [{"THREAD_BURST": 3}]


@pytest.mark.parametrize("given", ['{"THREAD_BURST": -3}', "/nowhere/presets.json"])
def test_a_bad_setting_is_told_when_it_is_used(given: str) -> None:
    with configured_with(SANDBOX_ENV_PRESETS=given), pytest.raises(InvalidInput):
        presets.for_runs()


# ------------------------------------------------------------------ files


def test_what_is_written_is_read_again_and_nothing_else_is_left(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    path.write_text("old")
    presets.write_file(path, [{"CPU_LIMIT": 1}, KEYS])
    assert [each.category for each in presets.read_file(path)] == ["baseline", "concurrency"]
    assert [each.name for each in tmp_path.iterdir()] == ["out.json"]
    assert path.stat().st_mode & 0o777 == 0o644


def test_a_file_that_can_not_be_written_is_left_as_it_was(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="can't be written"):
        presets.write_file(tmp_path / "no" / "out.json", [{"CPU_LIMIT": 1}])
    (tmp_path / "folder").mkdir()
    with pytest.raises(InvalidInput, match="can't be written"):
        presets.write_file(tmp_path / "folder", [{"CPU_LIMIT": 1}])
    assert [each.name for each in tmp_path.iterdir()] == ["folder"]


def test_bad_files_are_refused_with_the_reason(tmp_path: Path) -> None:
    bad = {
        "text.json": (b"hello", "not JSON"),
        "bytes.json": (b'{"CPU_LIMIT": "\xff"}', "not UTF-8"),
        "key.json": (json.dumps([{"CPU_LIMIT": 1}, {"NO": 1}]).encode(), "2.NO: is not known"),
        "large.json": (b" " * (presets.MAX_FILE_BYTES + 1), "no regular file of at most"),
    }
    for name, (data, words) in bad.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(InvalidInput, match=words):
            presets.read_file(tmp_path / name)


def test_what_is_no_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path, tmp_path / "none", Path("/dev/zero"), Path("a\0b")):
        with pytest.raises(InvalidInput, match=r"can't be read|no regular file"):
            presets.read_file(path)
