"""What git tells of a module's past, on checkouts of strangers."""

import os
import subprocess
import time
from pathlib import Path

import pytest

from orphans.discovery.history import histories

DAY = 86400
START = 1_700_000_000
ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    **{f"GIT_{role}_{word}": "a" for role in ("AUTHOR", "COMMITTER") for word in ("NAME", "EMAIL")},
}


class Checkout:
    """A repository under the test's hand; every commit is dated by the day."""

    def __init__(self, top: Path) -> None:
        self.top = top
        top.mkdir()
        self.git("init", "-q")

    def git(self, *words: str, at: int = START) -> str:
        dates = {"GIT_AUTHOR_DATE": f"{at} +0000", "GIT_COMMITTER_DATE": f"{at} +0000"}
        command = ["git", "-C", str(self.top), *words]
        done = subprocess.run(command, env=ENVIRONMENT | dates, text=True, capture_output=True, check=True)
        return done.stdout.strip()

    def commit(self, day: int, files: dict[str, str | None]) -> str:
        """Write and remove files, commit, and return the commit's name."""
        for name, text in files.items():
            place = self.top / name
            place.parent.mkdir(parents=True, exist_ok=True)
            if text is None:
                place.unlink()
            else:
                place.write_text(text)
        self.git("add", "-A")
        self.git("commit", "-q", "-m", f"day {day}", at=START + day * DAY)
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """A repository in which app/views.py went over from app/rows.py to app/tables.py on day 10."""
    repo = Checkout(tmp_path / "repo")
    repo.commit(0, {"app/__init__.py": "", "app/rows.py": "def draw(): ...\n"})
    repo.commit(1, {"app/views.py": "from app.rows import draw\n", "app/tables.py": "def draw(): ...\n"})
    repo.commit(10, {"app/views.py": "from app.tables import draw\n"})
    repo.commit(410, {"README": "still alive\n"})
    return repo


def test_it_counts_idle_days_up_to_the_newest_commit_of_the_checkout(checkout: Checkout) -> None:
    found = histories(checkout.top, ["app/rows.py", "app/views.py"])
    assert (found["app/rows.py"].idle_days, found["app/views.py"].idle_days) == (410, 400)


def test_it_names_the_commit_that_removed_the_last_import_and_what_came_instead(checkout: Checkout) -> None:
    removed = histories(checkout.top, ["app/rows.py"])["app/rows.py"].removed_imports
    assert [(each.importer, each.instead) for each in removed] == [("app/views.py", ("app.tables",))]
    assert removed[0].commit == checkout.git("rev-parse", "HEAD~1")
    assert removed[0].at == START + 10 * DAY


def test_an_import_that_only_moved_in_its_file_was_not_removed(checkout: Checkout) -> None:
    text = "import os\nfrom app.tables import draw\nprint(os, draw)\n"
    checkout.commit(411, {"app/views.py": text})
    checkout.commit(
        412, {"app/views.py": "from app.tables import draw as paint\nimport os\nprint(os, paint)\n"}
    )
    assert histories(checkout.top, ["app/tables.py"])["app/tables.py"].removed_imports == ()


def test_relative_imports_are_understood(checkout: Checkout) -> None:
    checkout.commit(420, {"app/pages.py": "from .tables import draw\nfrom . import rows\n"})
    checkout.commit(430, {"app/pages.py": "draw = rows = None\n"})
    found = histories(checkout.top, ["app/tables.py", "app/rows.py"])
    assert found["app/tables.py"].removed_imports[0].importer == "app/pages.py"
    assert found["app/rows.py"].removed_imports[0].importer == "app/pages.py"


def test_it_follows_renames(checkout: Checkout) -> None:
    text = "".join(f"def draw_{number}(value):\n    return value + {number}\n" for number in range(20))
    checkout.commit(411, {"app/grids.py": text})
    checkout.commit(412, {"app/grids.py": None, "app/legacy/grids.py": text})
    assert histories(checkout.top, ["app/legacy/grids.py"])["app/legacy/grids.py"].former_paths == (
        "app/grids.py",
    )


def test_a_module_that_was_never_committed_has_no_past(checkout: Checkout) -> None:
    (checkout.top / "app/fresh.py").write_text("x = 1\n")
    found = histories(checkout.top, ["app/fresh.py"])["app/fresh.py"]
    assert (found.idle_days, found.former_paths, found.removed_imports) == (None, (), ())


def test_a_namesake_elsewhere_is_another_module(checkout: Checkout) -> None:
    checkout.commit(420, {"lib/rows.py": "", "lib/use.py": "from lib.rows import x\n"})
    checkout.commit(421, {"lib/use.py": "x = 1\n"})
    removed = histories(checkout.top, ["app/rows.py"])["app/rows.py"].removed_imports
    assert {each.importer for each in removed} == {"app/views.py"}


@pytest.mark.parametrize("path", ["--output=x.py", ":(glob)**/*.py", "-x.py", "a\nb.py", ".*.py", "(.py"])
def test_paths_that_look_like_options_or_patterns_are_paths(checkout: Checkout, path: str) -> None:
    checkout.commit(420, {path: "x = 1\n"})
    assert histories(checkout.top, [path])[path].idle_days == 0
    assert not (checkout.top / "x.py").exists()


def test_no_program_of_the_repository_is_run(checkout: Checkout, tmp_path: Path) -> None:
    script = tmp_path / "canary.sh"
    script.write_text(f"#!/bin/sh\ntouch {tmp_path}/sprung\ncat 2>/dev/null\n")
    script.chmod(0o755)
    for name in ("core.fsmonitor", "core.pager", "diff.x.textconv", "diff.x.command", "filter.x.smudge"):
        checkout.git("config", name, str(script))
    checkout.git("config", "diff.external", str(script))
    checkout.git("config", "log.showSignature", "true")
    checkout.git("config", "gpg.program", str(script))
    (checkout.top / ".git/info/attributes").write_text("*.py diff=x filter=x\n")
    removed = histories(checkout.top, ["app/rows.py"])["app/rows.py"].removed_imports
    assert removed[0].instead == ("app.tables",)
    assert not (tmp_path / "sprung").exists()


def test_time_is_bounded(checkout: Checkout) -> None:
    started = time.monotonic()
    assert histories(checkout.top, ["app/rows.py"] * 50, seconds=0.0) == {}
    assert time.monotonic() - started < 5


def test_without_a_checkout_there_is_no_history(tmp_path: Path) -> None:
    (tmp_path / "rows.py").write_text("")
    assert histories(tmp_path, ["rows.py"]) == {}


def test_a_checkout_without_commits_has_no_history(tmp_path: Path) -> None:
    assert histories(Checkout(tmp_path / "empty").top, ["rows.py"]) == {}


def test_a_checkout_around_the_folder_is_not_asked(checkout: Checkout) -> None:
    assert histories(checkout.top / "app", ["rows.py"]) == {}
