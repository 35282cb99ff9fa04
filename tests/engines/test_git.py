"""Git on checkouts of strangers: questions answered, traps not sprung."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engines import git
from engines.domain.errors import Conflict, NotConfigured
from engines.git.command import GitError, run

PLAIN_ENV = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_AUTHOR_NAME": "a",
    "GIT_AUTHOR_EMAIL": "a@b",
    "GIT_COMMITTER_NAME": "a",
    "GIT_COMMITTER_EMAIL": "a@b",
}


def sh(place: Path, *words: str, data: str = "") -> str:
    """Run git as its owner would."""
    done = subprocess.run(
        ["git", "-C", str(place), *words],
        env=PLAIN_ENV,
        input=data,
        text=True,
        capture_output=True,
        check=True,
    )
    return done.stdout.strip()


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A repository with two commits."""
    first = git.NewCommit(
        message="One",
        author="Ann Lee",
        at="2024-01-01T00:00:00+00:00",
        files={"a.txt": b"1\n", "d/b.py": b"x=1\n"},
    )
    second = git.NewCommit(
        message="Two", author="Bo Ek", at="2024-01-02T00:00:00+00:00", files={"a.txt": b"2\n"}
    )
    git.create(tmp_path / "repo", [first, second])
    return tmp_path / "repo"


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    """A script that leaves a mark when anybody runs it; the mark lies beside it."""
    script = tmp_path / "canary.sh"
    script.write_text(f"#!/bin/sh\ntouch {tmp_path}/sprung\ncat 2>/dev/null\n")
    script.chmod(0o755)
    return script


def sprung(canary: Path) -> bool:
    return (canary.parent / "sprung").exists()


# ------------------------------------------------------------------ questions


def test_a_checkout_is_known(repo: Path, tmp_path: Path) -> None:
    assert git.is_checkout(repo)
    assert not git.is_checkout(repo / "d")
    assert not git.is_checkout(tmp_path)
    assert not git.is_checkout(tmp_path / "none")


def test_head_branch_and_log(repo: Path) -> None:
    commit = git.head(repo)
    assert git.branch(repo) == "main"
    assert [(entry.subject, entry.author, entry.at) for entry in git.log(repo, commit)] == [
        ("Two", "Bo Ek", 1704153600),
        ("One", "Ann Lee", 1704067200),
    ]
    assert git.log(repo, commit, limit=1)[0].commit == commit


def test_the_same_commits_get_the_same_names(tmp_path: Path) -> None:
    commit = git.NewCommit(message="m", author="A", at="2024-01-01T00:00:00+02:00", files={"f": b"x"})
    assert git.create(tmp_path / "one", [commit]) == git.create(tmp_path / "two", [commit])


def test_a_detached_head_has_no_branch(repo: Path) -> None:
    sh(repo, "checkout", "-q", "--detach")
    assert git.branch(repo) is None


def test_nothing_committed_is_said(tmp_path: Path) -> None:
    sh(tmp_path, "init", "-q", "empty")
    with pytest.raises(GitError, match="no commit yet"):
        git.head(tmp_path / "empty")


def test_dirt_is_seen(repo: Path) -> None:
    assert not git.is_dirty(repo)
    (repo / "a.txt").write_text("changed\n")
    assert git.is_dirty(repo)


def test_files_are_read_from_the_commit(repo: Path) -> None:
    (repo / "a.txt").write_text("changed\n")
    commit = git.head(repo)
    assert git.read(repo, commit, "a.txt") == "2\n"
    assert git.read(repo, commit, "gone.txt") is None
    assert git.read(repo, commit, "a.txt", limit=1) is None


def test_binary_and_links_are_no_text(repo: Path) -> None:
    (repo / "raw").write_bytes(b"\xff\xfe")
    (repo / "link").symlink_to("/etc/passwd")
    sh(repo, "add", "-A")
    sh(repo, "commit", "-qm", "x")
    assert git.read(repo, git.head(repo), "raw") is None
    assert git.read(repo, git.head(repo), "link") is None


def test_a_diff_names_what_changed(repo: Path) -> None:
    new, old = (entry.commit for entry in git.log(repo, git.head(repo)))
    assert "-1\n+2\n" in git.diff(repo, old, new)


def test_a_checkout_of_another_owner_can_be_asked(repo: Path) -> None:
    told = run(repo, "rev-parse", "HEAD", extra={"GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"})
    assert told.decode().strip() == git.head(repo)


# ------------------------------------------------------------------ traps in the repository's settings


@pytest.mark.parametrize(
    "setting",
    [
        "core.fsmonitor",
        "core.pager",
        "core.editor",
        "core.sshCommand",
        "diff.external",
        "gpg.program",
        "core.askPass",
        "diff.x.textconv",
        "pager.log",
        "pager.diff",
        "credential.helper",
        "uploadpack.packObjectsHook",
        "core.alternateRefsCommand",
    ],
)
def test_no_setting_runs_a_program(repo: Path, canary: Path, tmp_path: Path, setting: str) -> None:
    sh(repo, "config", setting, str(canary))
    (repo / ".git" / "info").mkdir(exist_ok=True)
    (repo / ".git" / "info" / "attributes").write_text("*.txt diff=x\n")
    everything(repo, tmp_path / "out")
    assert not sprung(canary)


def test_no_hook_runs(repo: Path, canary: Path, tmp_path: Path) -> None:
    hooks = repo / ".git" / "hooks"
    hooks.mkdir()
    for name in ("reference-transaction", "post-index-change", "post-checkout", "fsmonitor-watchman"):
        (hooks / name).symlink_to(canary)
    everything(repo, tmp_path / "out")
    git.update_ref(repo, "menace/x", git.head(repo), None)
    assert not sprung(canary)


@pytest.mark.parametrize("kind", ["clean", "smudge", "process"])
def test_no_filter_runs(repo: Path, canary: Path, tmp_path: Path, kind: str) -> None:
    sh(repo, "config", f"filter.x.{kind}", str(canary))
    (repo / ".gitattributes").write_text("*.txt filter=x\n")
    (repo / "a.txt").write_text("other\n")
    os.utime(repo / "a.txt", (1, 1))
    git.export(repo, git.head(repo), tmp_path / "out")
    assert (tmp_path / "out" / "a.txt").read_text() == "2\n"
    with pytest.raises(Conflict, match="filter programs"):
        git.is_dirty(repo)
    assert not sprung(canary)


@pytest.mark.parametrize("allowed", ["protocol.ext.allow", "protocol.file.allow", "protocol.allow"])
def test_a_missing_object_is_not_fetched(repo: Path, canary: Path, tmp_path: Path, allowed: str) -> None:
    """A partial clone names a remote to fetch from; `ext::` remotes are programs."""
    commit = git.head(repo)
    blob = next(entry.object for entry in git.files(repo, commit) if entry.path == "a.txt")
    for key, value in {
        "remote.origin.url": f"ext::{canary}",
        "remote.origin.promisor": "true",
        "remote.origin.partialclonefilter": "blob:none",
        "extensions.partialClone": "origin",
        "core.repositoryformatversion": "1",
        allowed: "always",
    }.items():
        sh(repo, "config", key, value)
    (repo / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    with pytest.raises(GitError):
        git.export(repo, commit, tmp_path / "out")
    assert not sprung(canary)


def test_a_work_tree_elsewhere_is_no_checkout(repo: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    sh(repo, "config", "core.worktree", str(tmp_path / "elsewhere"))
    assert not git.is_checkout(repo)


def test_our_environment_does_not_steer_git(
    repo: Path, canary: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = git.head(repo)
    for name, value in {
        "GIT_DIR": "/nonexistent",
        "GIT_WORK_TREE": "/",
        "GIT_EXTERNAL_DIFF": str(canary),
        "GIT_PAGER": str(canary),
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "core.fsmonitor",
        "GIT_CONFIG_VALUE_0": str(canary),
    }.items():
        monkeypatch.setenv(name, value)
    assert git.head(repo) == commit
    everything(repo, tmp_path / "out")
    assert not sprung(canary)


def everything(repo: Path, out: Path) -> None:
    """Ask every question there is."""
    git.is_checkout(repo)
    new, old = (entry.commit for entry in git.log(repo, git.head(repo)))
    git.branch(repo)
    git.is_dirty(repo)
    git.diff(repo, old, new)
    git.read(repo, new, "a.txt")
    git.export(repo, new, out)


# ------------------------------------------------------------------ names that are options


@pytest.mark.parametrize(
    "name",
    [
        "HEAD",
        "main",
        "--output=/tmp/x",
        "-O",
        "HEAD^{tree}",
        "a" * 39,
        "A" * 40,
        "a" * 40 + "\n",
        "@",
        ":/x",
        "0123456789abcdef0123456789abcdef0123456z",
    ],
)
def test_only_full_names_are_taken(repo: Path, tmp_path: Path, name: str) -> None:
    for ask in (
        lambda: git.files(repo, name),
        lambda: git.log(repo, name),
        lambda: git.diff(repo, name, git.head(repo)),
        lambda: git.export(repo, name, tmp_path / "out"),
        lambda: git.update_ref(repo, "x", name, None),
    ):
        with pytest.raises(GitError, match="40 hexadecimal"):
            ask()


@pytest.mark.parametrize(
    "name",
    [
        "",
        "-d",
        "--stdin",
        "../x",
        "a..b",
        "a//b",
        "/a",
        "a/",
        "a.lock",
        "a.lock/b",
        "x y",
        "@{-1}",
        ".a",
        "a/.b",
        "a\n",
        "a" * 300,
    ],
)
def test_only_plain_branches_are_taken(repo: Path, name: str) -> None:
    with pytest.raises(GitError, match="branch name"):
        git.update_ref(repo, name, git.head(repo), None)


# ------------------------------------------------------------------ exporting


def test_an_export_has_no_repository_in_it(repo: Path, tmp_path: Path) -> None:
    (repo / "run.sh").write_text("#!/bin/sh\n")
    (repo / "run.sh").chmod(0o755)
    (repo / "d" / "near").symlink_to("../a.txt")
    sh(repo, "add", "-A")
    sh(repo, "commit", "-qm", "x")
    assert git.export(repo, git.head(repo), tmp_path / "out") == 4
    assert not (tmp_path / "out" / ".git").exists()
    assert (tmp_path / "out" / "d" / "near").read_text() == "2\n"
    assert os.access(tmp_path / "out" / "run.sh", os.X_OK)
    assert not os.access(tmp_path / "out" / "a.txt", os.X_OK)


def test_an_older_commit_can_be_exported(repo: Path, tmp_path: Path) -> None:
    old = git.log(repo, git.head(repo))[1].commit
    git.export(repo, old, tmp_path / "out")
    assert (tmp_path / "out" / "a.txt").read_text() == "1\n"


@pytest.mark.parametrize("goal", ["/etc/passwd", "../../x", "..", "d/../../x", "/"])
def test_a_link_out_of_the_tree_is_refused(repo: Path, tmp_path: Path, goal: str) -> None:
    (repo / "link").symlink_to(goal)
    sh(repo, "add", "-A")
    sh(repo, "commit", "-qm", "x")
    with pytest.raises(GitError, match="leaves the repository"):
        git.export(repo, git.head(repo), tmp_path / "out")


def test_a_link_out_by_way_of_another_is_refused(repo: Path, tmp_path: Path) -> None:
    (repo / "deep").mkdir()
    (repo / "deep" / "down").mkdir()
    (repo / "deep" / "down" / "file").write_text("x")
    (repo / "here").symlink_to("deep/down")
    (repo / "zout").symlink_to("here/../../../x")
    sh(repo, "add", "-A")
    sh(repo, "commit", "-qm", "x")
    with pytest.raises(GitError, match="leaves the repository"):
        git.export(repo, git.head(repo), tmp_path / "out")


@pytest.mark.parametrize("name", ["..", ".git", ".GIT", "git~1", "."])
def test_a_crafted_tree_is_refused(repo: Path, tmp_path: Path, name: str) -> None:
    """Such trees come by push to a server without checks; `git add` would never make them."""
    blob = sh(repo, "hash-object", "-w", "--stdin", data="evil")
    body = b"100644 " + name.encode() + b"\0" + bytes.fromhex(blob)
    tree = subprocess.run(
        ["git", "-C", str(repo), "hash-object", "-w", "-t", "tree", "--literally", "--stdin"],
        env=PLAIN_ENV, input=body, capture_output=True, check=True,
    ).stdout.decode().strip()  # fmt: skip
    commit = sh(repo, "commit-tree", tree, "-m", "x")
    with pytest.raises(GitError):
        git.export(repo, commit, tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["repo"]


def test_a_file_below_a_link_of_the_same_name_goes_nowhere(repo: Path, tmp_path: Path) -> None:
    """A tree that holds a link `x` to elsewhere and a folder `x` with a file."""
    blob = sh(repo, "hash-object", "-w", "--stdin", data="evil")
    goal = sh(repo, "hash-object", "-w", "--stdin", data=str(tmp_path))
    inner = sh(repo, "mktree", data=f"100644 blob {blob}\tplanted\n")
    body = b"120000 x\0" + bytes.fromhex(goal) + b"40000 x\0" + bytes.fromhex(inner)
    tree = subprocess.run(
        ["git", "-C", str(repo), "hash-object", "-w", "-t", "tree", "--literally", "--stdin"],
        env=PLAIN_ENV, input=body, capture_output=True, check=True,
    ).stdout.decode().strip()  # fmt: skip
    commit = sh(repo, "commit-tree", tree, "-m", "x")
    with pytest.raises((GitError, OSError)):
        git.export(repo, commit, tmp_path / "out")
    assert not (tmp_path / "planted").exists()


def test_a_submodule_is_an_empty_folder(repo: Path, tmp_path: Path) -> None:
    sh(repo, "update-index", "--add", "--cacheinfo", f"160000,{git.head(repo)},sub")
    sh(repo, "commit", "-qm", "x")
    git.export(repo, git.head(repo), tmp_path / "out")
    assert list((tmp_path / "out" / "sub").iterdir()) == []


# ------------------------------------------------------------------ writing


def test_a_branch_moves_only_from_where_it_was_expected(repo: Path) -> None:
    new, old = (entry.commit for entry in git.log(repo, git.head(repo)))
    git.update_ref(repo, "menace/cycle-1", old, None)
    with pytest.raises(Conflict):
        git.update_ref(repo, "menace/cycle-1", new, None)
    with pytest.raises(Conflict):
        git.update_ref(repo, "menace/cycle-1", new, new)
    git.update_ref(repo, "menace/cycle-1", new, old)
    assert sh(repo, "rev-parse", "menace/cycle-1") == new


def test_the_lock_of_a_killed_git_is_removed(repo: Path) -> None:
    lock = repo / ".git" / "index.lock"
    lock.write_text("")
    assert not git.clear_stale_lock(repo), "it is too young"
    os.utime(lock, (1, 1))
    assert git.clear_stale_lock(repo)
    assert not lock.exists()
    assert not git.clear_stale_lock(repo)


def test_the_lock_of_a_living_git_stays(repo: Path) -> None:
    lock = repo / ".git" / "index.lock"
    code = f"import time; f = open({str(lock)!r}, 'w'); print('open', flush=True); time.sleep(60)"
    holder = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    try:
        assert holder.stdout is not None
        holder.stdout.readline()
        os.utime(lock, (1, 1))
        assert not git.clear_stale_lock(repo)
        assert lock.exists()
    finally:
        holder.kill()
        holder.communicate()


def test_a_stale_lock_on_a_branch_does_not_block_it(repo: Path) -> None:
    lock = repo / ".git" / "refs" / "heads" / "x.lock"
    lock.write_text("")
    os.utime(lock, (1, 1))
    git.update_ref(repo, "x", git.head(repo), None)
    assert sh(repo, "rev-parse", "x") == git.head(repo)


# ------------------------------------------------------------------ limits


def test_output_is_capped(repo: Path) -> None:
    with pytest.raises(GitError, match="more than 10 bytes"):
        run(repo, "log", limit=10)


def test_time_is_capped(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engines.git.command.TIMEOUT", 0.3)
    started = time.monotonic()
    with pytest.raises(GitError):
        run(repo, "-c", "alias.wait=!sleep 30", "wait")
    assert time.monotonic() - started < 10


def test_a_machine_without_git_is_told(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(NotConfigured, match="git is not installed"):
        git.head(repo)
