"""Files are written whole or not at all, and read only when they are files."""

import os
from pathlib import Path

import pytest

from engines.domain.errors import InvalidInput
from engines.files import read_bytes, read_json, write_atomically, write_json


def test_what_is_written_is_read(tmp_path: Path) -> None:
    write_json(tmp_path / "deep" / "state.json", {"b": [1, 2.5, None], "a": "ü"})
    assert read_json(tmp_path / "deep" / "state.json") == {"a": "ü", "b": [1, 2.5, None]}


def test_a_failed_write_leaves_the_old_file_and_no_rest(tmp_path: Path) -> None:
    place = tmp_path / "state.json"
    write_json(place, 1)
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json(place, float("nan"))
    with pytest.raises(TypeError):
        write_atomically(place, "text")  # type: ignore[arg-type]
    assert read_json(place) == 1
    assert [each.name for each in tmp_path.iterdir()] == ["state.json"]


def test_a_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("precious")
    (tmp_path / "state.json").symlink_to(tmp_path / "target")
    write_json(tmp_path / "state.json", 2)
    assert (tmp_path / "target").read_text() == "precious"
    assert not (tmp_path / "state.json").is_symlink()


def test_files_are_private(tmp_path: Path) -> None:
    write_atomically(tmp_path / "x", b"x")
    assert (tmp_path / "x").stat().st_mode & 0o777 == 0o600


def test_a_missing_file_is_none(tmp_path: Path) -> None:
    assert read_json(tmp_path / "none") is None
    (tmp_path / "file").write_text("")
    assert read_bytes(tmp_path / "file" / "below", 10) is None


@pytest.mark.parametrize("kind", ["fifo", "folder", "link", "large", "text", "deep"])
def test_what_is_no_json_file_is_refused_at_once(tmp_path: Path, kind: str) -> None:
    place = tmp_path / "x"
    if kind == "fifo":
        os.mkfifo(place)
    elif kind == "folder":
        place.mkdir()
    elif kind == "link":
        place.symlink_to("/etc/passwd")
    elif kind == "large":
        with place.open("wb") as file:
            file.truncate(2**30)
    else:
        place.write_text("[" * 100_000 if kind == "deep" else "no json")
    with pytest.raises(InvalidInput) as caught:
        read_json(place)
    assert str(place) in str(caught.value)
