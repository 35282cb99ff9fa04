"""The demo bots: whole, reproducible, brought once, never overwritten."""

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command
from pytest_django.fixtures import Settings

from engines import git
from engines.domain import manifest, manifest_check
from engines.domain.errors import Conflict
from engines.domain.results import CLI
from engines.models import Engine
from engines.services.demo import BOTS, SOURCE, bring_demo, history


@pytest.fixture
def data(settings: Settings, tmp_path: Path) -> Path:
    settings.DATA_DIR = tmp_path / "data"
    return tmp_path / "data"


@pytest.mark.parametrize("name", BOTS)
def test_the_history_holds_every_file(name: str, tmp_path: Path) -> None:
    commits = history(name)
    assert len(commits) >= 5
    held = {path for commit in commits for path in commit.files}
    shipped = {
        path.relative_to(SOURCE / name).as_posix()
        for path in (SOURCE / name).rglob("*")
        if path.is_file() and not {"__pycache__", ".pytest_cache"} & set(path.parts)
    }
    assert held == shipped


@pytest.mark.parametrize("name", BOTS)
def test_the_repository_is_the_same_on_every_machine(name: str, tmp_path: Path) -> None:
    assert git.create(tmp_path / "one", history(name)) == git.create(tmp_path / "two", history(name))
    assert not git.is_dirty(tmp_path / "one")


@pytest.mark.parametrize("name", BOTS)
def test_the_manifest_names_what_is_there(name: str) -> None:
    root = SOURCE / name
    found = manifest.parse({"pyproject.toml": (root / "pyproject.toml").read_text()})
    manifest_check.check(
        found,
        lambda path: (root / path).exists(),
        lambda path: (root / path).read_text() if (root / path).is_file() else None,
    )
    assert found.pipeline
    assert len(next(iter(found.workflows.values())).steps) == 4


@pytest.mark.parametrize("name", BOTS)
def test_the_bots_own_tests_pass(name: str, tmp_path: Path) -> None:
    git.create(tmp_path / name, history(name))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:django", "tests"],
        cwd=tmp_path / name, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


@pytest.mark.django_db
def test_a_second_time_changes_nothing(data: Path) -> None:
    first = bring_demo(CLI)
    assert [(each.name, each.created, each.registered) for each in first] == [
        ("alpha", True, True),
        ("beta", True, True),
    ]
    again = bring_demo(CLI)
    assert not any(each.created or each.registered for each in again)
    assert Engine.objects.filter(name__in=BOTS).count() == 2
    alpha = Engine.objects.get(name="alpha")
    assert (Path(alpha.repository), alpha.base_trials) == (data / "repos" / "alpha", 30)


@pytest.mark.django_db
def test_commits_of_the_user_are_kept(data: Path) -> None:
    place = bring_demo(CLI, names=("alpha",))[0].repository
    (place / "own.py").write_text("")
    who = ["-c", "user.name=U", "-c", "user.email=u@x"]
    for words in (["add", "-A"], [*who, "commit", "-qm", "mine"]):
        subprocess.run(["git", "-C", str(place), *words], check=True)
    commit = git.head(place)
    bring_demo(CLI)
    assert git.head(place) == commit


@pytest.mark.django_db
def test_a_folder_in_the_way_is_left_alone(data: Path) -> None:
    (data / "repos" / "alpha").mkdir(parents=True)
    (data / "repos" / "alpha" / "precious").write_text("x")
    with pytest.raises(Conflict, match="move it away"):
        bring_demo(CLI)
    assert (data / "repos" / "alpha" / "precious").exists()
    assert not Engine.objects.exists()


@pytest.mark.django_db
def test_the_command_says_what_it_did(data: Path) -> None:
    out = io.StringIO()
    call_command("demo", "--json", stdout=out)
    assert [(each["engine"], each["created"]) for each in json.loads(out.getvalue())] == [
        ("alpha", True),
        ("beta", True),
    ]
    out = io.StringIO()
    call_command("demo", "beta", stdout=out)
    assert out.getvalue() == f"beta: repository kept, engine kept ({data / 'repos' / 'beta'})\n"


@pytest.mark.django_db
def test_the_command_refuses_a_folder_in_the_way(data: Path) -> None:
    (data / "repos" / "alpha").mkdir(parents=True)
    with pytest.raises(Conflict, match="move it away"):
        call_command("demo", stdout=io.StringIO())
    assert not Engine.objects.exists()
