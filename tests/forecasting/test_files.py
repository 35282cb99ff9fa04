"""Files are written whole or not at all, whatever happens in between."""

from pathlib import Path

import pytest

from forecasting import files
from forecasting.files import write_whole


def names(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


def test_a_file_is_made_and_replaced(tmp_path: Path) -> None:
    place = tmp_path / "model.npz"
    for data in (b"first", b"second, and longer", b""):
        write_whole(place, data)
        assert place.read_bytes() == data
    assert names(tmp_path) == ["model.npz"]


def test_a_disk_that_is_full_leaves_the_old_file_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "model.npz"
    write_whole(place, b"old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)  # type: ignore[attr-defined]
    with pytest.raises(OSError, match="No space left"):
        write_whole(place, b"new")
    assert place.read_bytes() == b"old"
    assert names(tmp_path) == ["model.npz"]


def test_a_stop_in_the_middle_leaves_no_draft(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(files.os, "fsync", stopped)  # type: ignore[attr-defined]
    with pytest.raises(KeyboardInterrupt):
        write_whole(tmp_path / "model.npz", b"new")
    assert names(tmp_path) == []


def test_a_folder_in_the_way_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "model.npz").mkdir()
    with pytest.raises(IsADirectoryError):
        write_whole(tmp_path / "model.npz", b"new")
    assert names(tmp_path) == ["model.npz"]


def test_a_missing_folder_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_whole(tmp_path / "nowhere" / "model.npz", b"new")
    assert names(tmp_path) == []


def test_a_link_is_replaced_and_what_it_leads_to_is_kept(tmp_path: Path) -> None:
    (tmp_path / "precious").write_bytes(b"mine")
    (tmp_path / "model.npz").symlink_to(tmp_path / "precious")
    write_whole(tmp_path / "model.npz", b"new")
    assert (tmp_path / "precious").read_bytes() == b"mine"
    assert (tmp_path / "model.npz").read_bytes() == b"new"


def test_a_very_long_name_is_written_too(tmp_path: Path) -> None:
    place = tmp_path / ("m" * 250)
    write_whole(place, b"data")
    assert place.read_bytes() == b"data"


def test_only_the_owner_may_read_it(tmp_path: Path) -> None:
    write_whole(tmp_path / "model.npz", b"data")
    assert (tmp_path / "model.npz").stat().st_mode & 0o077 == 0
