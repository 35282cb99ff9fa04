"""Git, asked carefully: the checkout belongs to somebody else, and so does everything in it."""

from engines.git.command import GitError
from engines.git.export import export
from engines.git.reading import (
    LogEntry,
    TreeEntry,
    branch,
    diff,
    files,
    git_folder,
    head,
    is_checkout,
    is_dirty,
    log,
    read,
    read_entry,
)
from engines.git.writing import NewCommit, clear_stale_lock, create, update_ref

__all__ = [
    "GitError",
    "LogEntry",
    "NewCommit",
    "TreeEntry",
    "branch",
    "clear_stale_lock",
    "create",
    "diff",
    "export",
    "files",
    "git_folder",
    "head",
    "is_checkout",
    "is_dirty",
    "log",
    "read",
    "read_entry",
    "update_ref",
]
