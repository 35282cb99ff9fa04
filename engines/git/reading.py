"""Questions about a checkout. Nothing of it is executed and nothing is written."""

from dataclasses import dataclass
from pathlib import Path

from engines.domain.errors import Conflict
from engines.git.command import GitError, named, run


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """One commit."""

    commit: str
    author: str
    #: seconds since the epoch
    at: int
    subject: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeEntry:
    """One file of a commit."""

    #: "100644", "100755", "120000" (symbolic link) or "160000" (submodule)
    mode: str
    object: str
    #: 0 for submodules
    size: int
    path: str


def is_checkout(path: Path) -> bool:
    """Whether `path` is the top of a git checkout with files: not bare, not a folder inside one."""
    if not (path / ".git").exists():
        return False
    try:
        top = run(path, "rev-parse", "--show-toplevel").decode("utf-8", "surrogateescape").strip()
    except GitError:
        return False
    return bool(top) and Path(top).resolve() == path.resolve()


def head(path: Path) -> str:
    """Return the commit that HEAD names.

    Raises:
        GitError: nothing was committed yet, or it is no repository.
    """
    try:
        data = run(path, "rev-parse", "--verify", "--quiet", "--end-of-options", "HEAD^{commit}")
    except GitError as error:
        raise GitError(f"the repository has no commit yet ({error})") from None
    return named(data.decode("ascii", "replace").strip())


def branch(path: Path) -> str | None:
    """Return the checked-out branch; None when HEAD is detached."""
    try:
        name = run(path, "symbolic-ref", "--quiet", "--short", "HEAD").decode("utf-8", "replace").strip()
    except GitError:
        return None
    return name or None


def is_dirty(path: Path) -> bool:
    """Whether tracked files differ from HEAD.

    Raises:
        Conflict: the repository wants a program of its own to be run for that.
    """
    _refuse_filters(path)
    return bool(run(path, "status", "--porcelain", "--untracked-files=no", "--ignore-submodules=all").strip())


def _refuse_filters(path: Path) -> None:
    try:
        found = run(path, "config", "--get-regexp", r"^filter\..*\.(clean|smudge|process)$")
    except GitError:
        return
    if found.strip():
        raise Conflict("the repository's .git/config names filter programs, which are never run here")


def files(path: Path, commit: str) -> list[TreeEntry]:
    """Return all files of a commit, in git's order."""
    data = run(path, "ls-tree", "-r", "-l", "-z", "--full-tree", "--end-of-options", named(commit))
    return [_entry(line) for line in data.decode("utf-8", "surrogateescape").split("\0") if line]


def _entry(line: str) -> TreeEntry:
    facts, _, name = line.partition("\t")
    mode, _kind, object_name, size = facts.split()
    return TreeEntry(mode=mode, object=object_name, size=int(size) if size.isdigit() else 0, path=name)


def read(path: Path, commit: str, name: str, limit: int = 2**20) -> str | None:
    """Return the text of one file of a commit; None when missing, no plain file, over `limit` or no UTF-8."""
    return read_entry(path, next((each for each in files(path, commit) if each.path == name), None), limit)


def read_entry(path: Path, entry: TreeEntry | None, limit: int = 2**20) -> str | None:
    """Return the text of a file found by `files`; None as in `read`."""
    if entry is None or entry.mode not in ("100644", "100755") or entry.size > limit:
        return None
    try:
        return run(path, "cat-file", "blob", named(entry.object)).decode("utf-8")
    except UnicodeDecodeError:
        return None


def log(path: Path, commit: str, limit: int = 50) -> list[LogEntry]:
    """Return up to `limit` commits from `commit` backwards."""
    form = "--format=%H%x00%an%x00%ct%x00%s%x00"
    data = run(
        path, "log", f"--max-count={int(limit)}", "--no-mailmap", form, "--end-of-options", named(commit)
    )
    words = data.decode("utf-8", "replace").replace("\n", "").split("\0")[:-1]
    rows = zip(*(words[column::4] for column in range(4)), strict=True)
    return [
        LogEntry(commit=commit, author=author, at=int(at), subject=subject)
        for commit, author, at, subject in rows
    ]


def diff(path: Path, old: str, new: str) -> str:
    """Return the unified diff between two commits; binary files are only named."""
    options = ("--no-color", "--no-ext-diff", "--no-textconv", "--no-renames", "--ignore-submodules=all")
    data = run(path, "diff", *options, "--end-of-options", named(old), named(new), "--")
    return data.decode("utf-8", "replace")


def git_folder(path: Path) -> Path:
    """Return the folder with the repository's data, which for a linked worktree lies elsewhere."""
    return Path(run(path, "rev-parse", "--absolute-git-dir").decode("utf-8", "surrogateescape").strip())
