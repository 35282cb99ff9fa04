"""`resolve_path`: several roots, hints, and no way out of them."""

import os
from pathlib import Path

import pytest

from orphans.roots import PathRefusedError, repository_roots, resolve_path

Two = tuple[Path, Path, dict[str, str]]


@pytest.fixture
def two(tmp_path: Path) -> Two:
    """Two roots: `main` and `alt`; returns (main, alt, environ)."""
    for name in ("main", "alt"):
        (tmp_path / name / "pkg").mkdir(parents=True)
        (tmp_path / name / "both.py").write_text(name)
    (tmp_path / "alt" / "only_alt.py").write_text("")
    (tmp_path / "main" / "pkg" / "deep.py").write_text("")
    main, alt = tmp_path / "main", tmp_path / "alt"
    return main, alt, {"MENACE_ROOTS": f"{main}{os.pathsep}{alt}"}


def test_the_first_root_wins(two: Two) -> None:
    main, _, environ = two
    assert resolve_path("both.py", environ=environ) == main / "both.py"


def test_a_file_that_only_the_second_root_has_is_found_there(two: Two) -> None:
    _, alt, environ = two
    assert resolve_path("only_alt.py", environ=environ) == alt / "only_alt.py"


@pytest.mark.parametrize("by", ["path", "name", "slash"])
def test_a_hint_picks_a_root(two: Two, by: str) -> None:
    _, alt, environ = two
    hints: dict[str, str | Path] = {"path": alt, "name": "alt", "slash": f"{alt}/"}
    assert resolve_path("both.py", repo_hint=hints[by], environ=environ) == alt / "both.py"


def test_an_unknown_hint_names_the_roots(two: Two) -> None:
    main, _, environ = two
    with pytest.raises(FileNotFoundError, match=str(main)):
        resolve_path("both.py", repo_hint="/repo/nowhere", environ=environ)


def test_a_path_is_found_by_its_ending(two: Two) -> None:
    main, _, environ = two
    assert resolve_path("deep.py", environ=environ) == main / "pkg" / "deep.py"


def test_an_ending_that_fits_twice_is_refused(two: Two) -> None:
    main, _, environ = two
    (main / "other").mkdir()
    (main / "other" / "deep.py").write_text("")
    with pytest.raises(FileNotFoundError, match="ambiguous"):
        resolve_path("deep.py", environ=environ)


def test_a_missing_file_names_the_roots_that_were_tried(two: Two) -> None:
    main, alt, environ = two
    with pytest.raises(FileNotFoundError, match=f"{main}, {alt}"):
        resolve_path("nowhere.py", environ=environ)


def test_a_state_file_that_is_not_there_yet_has_a_place(two: Two) -> None:
    main, _, environ = two
    assert (
        resolve_path("sandbox_data/alpha_state.json", environ=environ)
        == main / "sandbox_data/alpha_state.json"
    )


def test_must_exist_decides(two: Two) -> None:
    main, _, environ = two
    with pytest.raises(FileNotFoundError):
        resolve_path("sandbox_data/alpha_state.json", must_exist=True, environ=environ)
    assert resolve_path("new.py", must_exist=False, environ=environ) == main / "new.py"


def test_an_absolute_data_folder_is_accepted(two: Two, tmp_path: Path) -> None:
    _, _, environ = two
    place = tmp_path / "state" / "alpha_state.json"
    with pytest.raises(PathRefusedError):
        resolve_path(place, environ=environ)
    assert resolve_path(place, environ=environ | {"SANDBOX_DATA_DIR": str(place.parent)}) == place


@pytest.mark.parametrize(
    "name",
    [
        "../alt/both.py",
        "pkg/../../alt/both.py",
        "..",
        "/etc/passwd",
        "~/x",
        "~root/.ssh/id_rsa",
        "a\0b",
        "",
        "..\\..\\x",
        "x" * 5000,
    ],
)
def test_ways_out_are_refused(two: Two, name: str) -> None:
    with pytest.raises(PathRefusedError):
        resolve_path(name, environ=two[2])


def test_a_link_out_of_the_root_is_refused(two: Two, tmp_path: Path) -> None:
    main, _, environ = two
    (tmp_path / "secret").write_text("")
    (main / "link").symlink_to(tmp_path / "secret")
    (main / "folder").symlink_to(tmp_path)
    for name in ("link", "folder/secret", "folder/new/file"):
        with pytest.raises(PathRefusedError):
            resolve_path(name, environ=environ)


def test_leading_dots_stay(two: Two) -> None:
    main, _, environ = two
    (main / ".coverage").write_text("")
    assert resolve_path(".coverage", environ=environ) == main / ".coverage"


def test_variables_are_read_in_order(two: Two) -> None:
    main, alt, _ = two
    environ = {"SANDBOX_REPO_PATH": str(main), "MENACE_ROOT": str(alt)}
    assert repository_roots(environ=environ) == (alt, main)


def test_a_root_given_goes_before_the_environment(two: Two) -> None:
    _, alt, environ = two
    assert resolve_path("both.py", root=alt, environ=environ) == alt / "both.py"


def test_a_root_that_is_missing_is_named() -> None:
    with pytest.raises(FileNotFoundError, match="/no/such/root"):
        repository_roots(environ={"MENACE_ROOT": "/no/such/root"})


def test_without_variables_the_checkout_around_is_the_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "a" / "b").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "a" / "b")
    assert repository_roots(environ={}) == (Path(tmp_path).resolve(),)
