"""Repositories that want git to run a program: no question that is asked of them does."""

import os
import shutil
import stat
from pathlib import Path

import pytest

from engines import git
from engines.domain.errors import Conflict
from engines.git.command import GitError
from orphans.discovery import scan
from orphans.discovery.history import histories
from orphans.domain.git_call import SETTINGS, arguments, environment
from tests.engines.repositories import git as by_owner
from tests.engines.repositories import make_repository

FILES = {"pkg/__init__.py": "", "pkg/a.py": "import pkg.b\n", "pkg/b.py": "X = 1\n", "pkg/c.py": "Y = 2\n"}
PROGRAMS = (
    "core.fsmonitor", "core.pager", "core.editor", "core.sshCommand", "core.askPass", "core.gitProxy",
    "core.alternateRefsCommand", "core.hooksPath", "core.attributesFile", "diff.external", "diff.x.command",
    "diff.x.textconv", "diff.tool", "difftool.x.cmd", "merge.x.driver", "mergetool.x.cmd", "filter.x.clean",
    "filter.x.smudge", "filter.x.process", "gpg.program", "gpg.ssh.program", "gpg.x509.program",
    "gpg.ssh.defaultKeyCommand", "pager.log", "pager.diff", "pager.status", "pager.config",
    "credential.helper",
    "uploadpack.packObjectsHook", "sequence.editor", "interactive.diffFilter", "trailer.x.command",
    "remote.origin.uploadpack", "remote.origin.vcs", "protocol.ext.allow", "man.viewer",
    "browser.x.cmd", "sendemail.sendmailcmd", "alias.log", "alias.rev-parse", "init.templateDir",
    "submodule.x.update", "web.browser", "instaweb.httpd", "receive.procReceiveRefs", "blame.ignoreRevsFile",
    "commit.template", "maintenance.strategy", "fsck.skipList",
)  # fmt: skip
HOOKS = (
    "fsmonitor-watchman", "post-checkout", "post-commit", "post-index-change", "pre-auto-gc", "pre-commit",
    "reference-transaction", "post-rewrite", "update", "pre-receive", "applypatch-msg", "sendemail-validate",
)  # fmt: skip


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with a module that lost its importer."""
    root = make_repository(tmp_path_factory.mktemp("template") / "repo", FILES)
    (root / "pkg" / "a.py").write_text("import pkg.c\n")
    by_owner(root, "commit", "-q", "-am", "second")
    return root


@pytest.fixture
def repo(template: Path, tmp_path: Path) -> Path:
    """A copy to put traps into."""
    return Path(shutil.copytree(template, tmp_path / "repo"))


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    """A program that writes down its name when anybody runs it."""
    script = tmp_path / "canary"
    script.write_text(f"#!/bin/sh\nbasename \"$0\" >> '{tmp_path}/sprung'\ncat 2>/dev/null\n")
    script.chmod(0o755)
    return script


def called(canary: Path, name: str) -> Path:
    """Return the program under another name, so that the test tells which trap was sprung."""
    place = canary.parent / "traps" / name
    place.parent.mkdir(exist_ok=True)
    place.symlink_to(canary)
    return place


def sprung(canary: Path) -> list[str]:
    """Return the names under which the program was run."""
    mark = canary.parent / "sprung"
    return sorted(set(mark.read_text().split())) if mark.exists() else []


def ask(repo: Path) -> None:
    """Ask what engines ask, whatever it says."""
    for question in (git.is_checkout, git.is_dirty, git.branch, git.head):
        try:
            question(repo)
        except (GitError, Conflict):
            continue
    newest = git.head(repo)
    old = git.log(repo, newest)[-1].commit
    git.diff(repo, old, newest)
    git.files(repo, newest)
    git.read(repo, newest, "pkg/a.py")


def look(repo: Path) -> None:
    """Ask what scans ask; the answer must be the true one."""
    found = histories(repo, ["pkg/b.py"])["pkg/b.py"]
    assert [each.instead for each in found.removed_imports] == [("pkg.c",)]
    assert scan(repo, use_ruff=False).modules == len(FILES)


def trap(repo: Path, canary: Path, settings: tuple[str, ...]) -> None:
    """Put settings that name the program into the repository's own configuration."""
    lines = []
    for setting in settings:
        section, _, key = setting.rpartition(".")
        head, _, inner = section.partition(".")
        mark = "!" if head == "alias" else ""
        lines += [f'[{head} "{inner}"]' if inner else f"[{head}]", f"{key} = {mark}{called(canary, setting)}"]
    with (repo / ".git" / "config").open("a") as file:
        file.write("\n".join([*lines, ""]))
    (repo / ".git" / "info").mkdir(exist_ok=True)
    (repo / ".git" / "info" / "attributes").write_text("*.py diff=x filter=x merge=x\n")
    os.utime(repo / "pkg" / "a.py", (1, 1))


@pytest.mark.parametrize("part", range(4))
def test_no_setting_of_the_repository_runs_anything(repo: Path, canary: Path, part: int) -> None:
    trap(repo, canary, PROGRAMS[part::4])
    look(repo)
    ask(repo)
    assert sprung(canary) == []


def test_the_traps_are_sprung_by_a_careless_call(repo: Path, canary: Path) -> None:
    """The tests above can fail: git as anybody would call it falls into these."""
    trap(repo, canary, ("core.fsmonitor", "diff.external", "diff.x.textconv", "filter.x.clean"))
    (repo / "pkg" / "a.py").write_text("import pkg.b  # else\n")
    for words in (
        ("status",),
        ("diff",),
        ("log", "-p", "--ext-diff"),
        ("log", "-p", "--textconv", "--no-ext-diff"),
    ):
        by_owner(repo, *words)
    assert sprung(canary) == ["core.fsmonitor", "diff.external", "diff.x.textconv", "filter.x.clean"]


@pytest.mark.parametrize("value", ["/", "../..", "/nonexistent"])
def test_a_work_tree_elsewhere_is_not_looked_at(repo: Path, value: str) -> None:
    by_owner(repo, "config", "core.worktree", value)
    assert not git.is_checkout(repo)
    assert scan(repo, use_ruff=False).modules == len(FILES)


def test_no_hook_of_the_repository_runs(repo: Path, canary: Path) -> None:
    (repo / ".git" / "hooks").mkdir(exist_ok=True)
    for hook in HOOKS:
        (repo / ".git" / "hooks" / hook).symlink_to(called(canary, hook))
    look(repo)
    ask(repo)
    git.update_ref(repo, "menace/x", git.head(repo), None)
    assert sprung(canary) == []


@pytest.mark.parametrize("place", [".git/config.worktree", "elsewhere"])
def test_settings_in_other_files_run_nothing(repo: Path, canary: Path, place: str) -> None:
    by_owner(repo, "config", "extensions.worktreeConfig", "true")
    by_owner(repo, "config", "include.path", str(repo / place))
    traps = "\n".join(f"[core]\n{name} = {canary}" for name in ("fsmonitor", "pager", "sshCommand"))
    (repo / place).write_text(f'{traps}\n[diff]\nexternal = {canary}\n[diff "x"]\ntextconv = {canary}\n')
    (repo / ".gitattributes").write_text("*.py diff=x\n")
    look(repo)
    ask(repo)
    assert sprung(canary) == []


VARIABLES = (
    "GIT_EXTERNAL_DIFF", "GIT_PAGER", "PAGER", "GIT_SSH_COMMAND", "GIT_SSH", "GIT_ASKPASS", "SSH_ASKPASS",
    "GIT_EDITOR", "EDITOR", "VISUAL", "GIT_PROXY_COMMAND", "GIT_EXEC_PATH", "GIT_TEMPLATE_DIR", "GIT_DIR",
    "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM",
    "GIT_CONFIG_PARAMETERS", "GIT_TRACE", "GIT_TRACE2_EVENT", "GIT_REDIRECT_STDERR",
)  # fmt: skip


def test_our_environment_is_not_handed_on(repo: Path, canary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (canary.parent / "git").mkdir()
    (canary.parent / "git" / "config").write_text(f"[core]\nfsmonitor = {canary}\npager = {canary}\n")
    (canary.parent / ".gitconfig").write_text(f"[diff]\nexternal = {canary}\n")
    for variable in VARIABLES:
        monkeypatch.setenv(variable, str(called(canary, variable)))
    for variable in ("HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(variable, str(canary.parent))
    before = canary.read_bytes()
    look(repo)
    ask(repo)
    assert sprung(canary) == []
    assert canary.read_bytes() == before


def test_a_secret_of_ours_is_in_no_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SECRET_KEY", "c4n4ry")
    monkeypatch.setenv("DATABASE_URL", "postgresql://a:c4n4ry@b/c")
    given = environment("/usr/bin")
    assert "c4n4ry" not in str(given)
    assert set(given) & set(os.environ) <= {"PATH", "HOME", "LC_ALL"}
    assert (given["PATH"], given["HOME"]) == ("/usr/bin", "/nonexistent")


@pytest.mark.parametrize("setting", SETTINGS)
def test_every_setting_comes_before_the_words(setting: str) -> None:
    command = arguments("/somewhere", "log", "--", "x")
    assert command[command.index(setting) - 1] == "-c"
    assert command.index(setting) < command.index("-C")
    assert command[-5:] == ["-C", "/somewhere", "log", "--", "x"]
    assert "safe.directory=/somewhere" in command


NAMES = (
    "--output=sprung.py", "-O.py", "--ext-diff.py", "-p.py", ":(glob)**.py", ":!x.py", "*.py", "[a].py",
    "a b.py", "$(touch sprung).py", "`touch sprung`.py", "a;touch sprung.py", "a\nb.py", "a\tb.py",
    "\x1b[31mred.py",
    "quote'\".py", "ü\u202egpj.py", "|sprung.py", "&x.py", "%s%n.py", "HEAD.py", "@{-1}.py", "--.py", "-.py",
)  # fmt: skip


def test_a_file_of_any_name_is_a_file(repo: Path) -> None:
    for name in NAMES:
        (repo / name).write_text("Z = 3\n")
    by_owner(repo, "add", "-A")
    by_owner(repo, "commit", "-q", "-m", "third")
    before = sorted(repo.iterdir())
    found, newest = histories(repo, NAMES), git.head(repo)
    assert {name for name in NAMES if found[name].idle_days == 0} == set(NAMES)
    entries = {entry.path: entry for entry in git.files(repo, newest)}
    assert {git.read_entry(repo, entries[name]) for name in NAMES} == {"Z = 3\n"}
    assert scan(repo, use_ruff=False).modules == len(FILES) + len(NAMES)
    assert sorted(repo.iterdir()) == before


@pytest.mark.parametrize("name", ["../outside.py", "/etc/passwd", "", "pkg/../../x.py", "a\0b", "x" * 5000])
def test_a_path_out_of_the_repository_has_no_past(repo: Path, name: str) -> None:
    try:
        found = histories(repo, [name]).get(name)
    except ValueError:
        found = None  # NUL can't be handed to a program
    assert found is None or (found.former_paths == () and found.idle_days is None)


HEADS = (
    "ref: refs/heads/--upload-pack=x",
    "ref: ../../../etc/passwd",
    "ref: refs/heads/" + "a/" * 3000,
    "\0",
    "",
)


@pytest.mark.parametrize("head", HEADS)
def test_a_head_that_is_none_is_an_error_and_no_more(repo: Path, canary: Path, head: str) -> None:
    (repo / ".git" / "HEAD").write_text(head + "\n")
    with pytest.raises(GitError):
        git.head(repo)
    assert histories(repo, ["pkg/b.py"]) == {}
    assert scan(repo, use_ruff=False).modules == len(FILES)
    assert sprung(canary) == []


@pytest.mark.parametrize("kind", ["file", "link", "pipe", "loop"])
def test_a_git_folder_that_is_something_else(repo: Path, tmp_path: Path, kind: str) -> None:
    place = repo / ".git"
    shutil.move(place, tmp_path / "moved")
    if kind == "file":
        place.write_text(f"gitdir: {tmp_path}/nowhere\n")
    elif kind == "pipe":
        os.mkfifo(place)
    else:
        place.symlink_to(place if kind == "loop" else tmp_path / "nowhere")
    assert not git.is_checkout(repo)
    assert histories(repo, ["pkg/b.py"]) == {}
    assert scan(repo, use_ruff=False).modules == len(FILES)
    assert stat.S_ISFIFO(place.lstat().st_mode) is (kind == "pipe")
