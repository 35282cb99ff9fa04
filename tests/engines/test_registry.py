"""Taking repositories under care: what is refused, why, and that nothing is kept of it."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from engines.domain.errors import InvalidInput, ManifestError, RegistrationError
from engines.domain.results import CLI, Actor
from engines.models import Engine
from engines.services.registry import refresh_manifest, register_engine, update_engine
from menace_site.models import AuditEntry
from tests.engines.repositories import BOT, MANIFEST, git, make_repository
from tests.factories import make_engine

pytestmark = pytest.mark.django_db
WEB = Actor(label="ada", kind="person")


def test_a_repository_becomes_an_engine_with_its_manifest(tmp_path: Path) -> None:
    engine = register_engine(path=str(make_repository(tmp_path / "My Bot")), actor=CLI)

    assert engine.name == "my-bot"
    assert engine.manifest["pipeline"] == "bot:build"
    assert (engine.base_cpu_seconds, engine.base_trials) == (20, 4)
    assert AuditEntry.objects.get().verb == "engine.register"


def test_a_repository_without_manifest_is_welcome(tmp_path: Path) -> None:
    engine = register_engine(path=str(make_repository(tmp_path / "plain", {"a.py": "x = 1\n"})), actor=CLI)

    assert engine.manifest["pipeline"] is None


@pytest.mark.parametrize("kind", ["missing", "file", "no git", "no commit", "empty", "nul", "huge"])
def test_what_is_no_checkout_is_refused_with_the_field(tmp_path: Path, kind: str) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "folder").mkdir()
    make_repository(tmp_path / "fresh", {}, commit=False)
    paths = {
        "missing": str(tmp_path / "nowhere"),
        "file": str(tmp_path / "file"),
        "no git": str(tmp_path / "folder"),
        "no commit": str(tmp_path / "fresh"),
        "empty": "  ",
        "nul": "/tmp/a\0b",
        "huge": "/" + "a" * 5000,
    }

    with pytest.raises(RegistrationError) as caught:
        register_engine(path=paths[kind], actor=WEB)

    assert caught.value.field == "path"
    assert not Engine.objects.exists()
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize(
    ("files", "word"),
    [
        ({"pyproject.toml": MANIFEST}, "bot"),
        ({"pyproject.toml": MANIFEST, "bot.py": "def other(): ...\n"}, "build"),
        ({"pyproject.toml": "[tool.menace]\npipelime = 'a:b'\n"}, "pipelime"),
        ({"pyproject.toml": "[tool.menace\n"}, "pyproject.toml"),
        ({"pyproject.toml": MANIFEST.replace("1000.0", "inf"), "bot.py": BOT}, "unit_value"),
    ],
)
def test_a_bad_manifest_is_refused_and_named(tmp_path: Path, files: dict[str, str], word: str) -> None:
    with pytest.raises(ManifestError, match=word):
        register_engine(path=str(make_repository(tmp_path / "bot", files)), actor=WEB)

    assert not Engine.objects.exists()


def test_a_person_gives_absolute_paths_only(tmp_path: Path) -> None:
    with pytest.raises(RegistrationError, match="absolute"):
        register_engine(path="some/where", actor=WEB)


def test_in_production_repositories_come_from_the_roots_alone(tmp_path: Path, settings: Settings) -> None:
    settings.PRODUCTION = True
    settings.DATA_DIR = tmp_path / "data"
    outside = make_repository(tmp_path / "outside")
    (tmp_path / "data" / "repos").mkdir(parents=True)
    (tmp_path / "data" / "repos" / "link").symlink_to(outside)

    for path in (
        outside,
        tmp_path / "data" / "repos" / "link",
        tmp_path / "data" / "repos" / ".." / ".." / "outside",
    ):
        with pytest.raises(RegistrationError, match="MENACE_ROOTS"):
            register_engine(path=str(path), actor=WEB)

    inside = make_repository(tmp_path / "data" / "repos" / "inside")
    assert register_engine(path=str(inside), actor=WEB).name == "inside"


def test_a_taken_name_is_refused_and_keeps_the_first(tmp_path: Path) -> None:
    first = register_engine(path=str(make_repository(tmp_path / "bot")), actor=CLI)

    with pytest.raises(RegistrationError, match="exists already") as caught:
        register_engine(path=str(make_repository(tmp_path / "other")), name="bot", actor=CLI)

    assert caught.value.field == "name"
    assert Engine.objects.get() == first


@pytest.mark.parametrize("name", ["new", "Bot", "a b", "../x", "-a", "ä", "a" * 64])
def test_a_bad_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(RegistrationError) as caught:
        register_engine(path=str(make_repository(tmp_path / "bot")), name=name, actor=CLI)

    assert caught.value.field == "name"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("base_cpu_seconds", float("nan")),
        ("base_trials", 0),
        ("schedule_seconds", 1),
        ("seed", -1),
        ("energy", float("inf")),
    ],
)
def test_numbers_out_of_range_are_refused(tmp_path: Path, field: str, value: float) -> None:
    with pytest.raises(InvalidInput) as caught:
        register_engine(path=str(make_repository(tmp_path / "bot")), actor=CLI, **{field: value})  # type: ignore[arg-type]

    assert caught.value.field == field
    assert not Engine.objects.exists()


def test_a_new_engine_starts_from_its_state_file(tmp_path: Path) -> None:
    state = {
        "roi_history": [1.0, -1.0],
        "roi_delta_ema": 0.8,
        "success_history": [True, False],
        "momentum": 0.1,
        "last_run": "2026-01-01T00:00:00+00:00",
    }
    path = tmp_path / "state.json"
    path.write_text(json.dumps(state))

    engine = register_engine(path=str(make_repository(tmp_path / "bot")), actor=CLI, state_path=str(path))

    assert engine.roi_delta_ema == 0.8
    assert engine.success_history == [True, False]


def test_a_manifest_that_turned_bad_leaves_the_old_one(tmp_path: Path) -> None:
    root = make_repository(tmp_path / "bot")
    engine = register_engine(path=str(root), actor=CLI)
    (root / "pyproject.toml").write_text("[tool.menace]\npipeline = 'gone:build'\n")
    git(root, "commit", "-qam", "break it")

    with pytest.raises(ManifestError):
        refresh_manifest(engine, actor=CLI)

    engine.refresh_from_db()
    assert engine.manifest["pipeline"] == "bot:build"


def test_settings_of_an_engine_change_with_an_audit_row() -> None:
    engine = make_engine()

    changed = update_engine(engine.pk, actor=WEB, schedule_seconds=60, enabled=False)

    assert changed.next_due_at is not None
    assert AuditEntry.objects.get().detail == {"schedule_seconds": 60, "enabled": False}
    assert update_engine(engine.pk, actor=WEB, schedule_seconds=None).next_due_at is None


def test_a_column_that_is_no_setting_cannot_be_changed() -> None:
    engine = make_engine()

    with pytest.raises(RegistrationError, match="roi_delta_ema"):
        update_engine(engine.pk, actor=replace(WEB, kind="token"), roi_delta_ema=1.0)


def test_what_is_not_committed_does_not_count(tmp_path: Path) -> None:
    root = make_repository(tmp_path / "bot")
    (root / "pyproject.toml").write_text("[tool.menace\n")
    (root / "bot.py").unlink()

    engine = register_engine(path=str(root), actor=CLI)

    assert engine.manifest["pipeline"] == "bot:build"
