"""Folders are removed and added up whatever a run made of them."""

import os
from pathlib import Path

import pytest

from orphans.sandbox.scratch import remove_tree, scratch_folder
from orphans.sandbox.watching import tree_bytes


def deep(folder: Path, levels: int) -> None:
    """Make folders in folders, deeper than any path is long, with a file in the last one."""
    here = os.open(folder, os.O_RDONLY)
    for _ in range(levels):
        os.mkdir("deep", dir_fd=here)
        below = os.open("deep", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=here))
    os.close(here)


def test_a_tree_deeper_than_a_path_may_be_long_is_removed(tmp_path: Path) -> None:
    folder = tmp_path / "scratch"
    folder.mkdir()
    deep(folder, 1100)
    remove_tree(folder)
    assert list(tmp_path.iterdir()) == []


def test_closed_folders_links_and_pipes_are_removed_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir(mode=0o755)
    (tmp_path / "kept" / "file").write_text("x")
    with scratch_folder(tmp_path) as folder:
        (folder / "a" / "b").mkdir(parents=True)
        (folder / "a" / "b" / "link").symlink_to(tmp_path / "kept")
        (folder / "a" / "same").mkdir()
        (folder / "same").mkdir()
        os.mkfifo(folder / "a" / "pipe")
        for each in (folder / "a" / "b", folder / "a", folder):
            each.chmod(0)
    assert [each.name for each in tmp_path.iterdir()] == ["kept"]
    assert ((tmp_path / "kept").stat().st_mode & 0o777, (tmp_path / "kept" / "file").read_text()) == (
        0o755,
        "x",
    )


@pytest.mark.parametrize("make", [Path.touch, lambda place: place.symlink_to("/etc"), lambda place: None])
def test_what_is_no_folder_is_removed_too(tmp_path: Path, make: object) -> None:
    make(tmp_path / "it")  # type: ignore[operator]
    remove_tree(tmp_path / "it")
    assert list(tmp_path.iterdir()) == []
    assert Path("/etc").is_dir()


def test_files_are_added_up_and_links_are_not(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "file").write_bytes(b"x" * 10_000)
    (tmp_path / "link").symlink_to("/usr")
    assert 10_000 <= tree_bytes(str(tmp_path)) < 50_000
    assert tree_bytes(str(tmp_path / "nowhere")) == 0


def test_files_cannot_hide_behind_depth(tmp_path: Path) -> None:
    folder = tmp_path / "scratch"
    folder.mkdir()
    deep(folder, 250)
    assert tree_bytes(str(folder)) == float("inf")
    remove_tree(folder)
