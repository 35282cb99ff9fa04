"""Checkouts that are broken, huge, odd or malicious: reported, never fatal, never imported, never left."""

import os
from pathlib import Path

import pytest

from orphans.discovery import scan
from orphans.discovery.cli import main
from orphans.discovery.walk import MAX_SOURCE
from tests.orphans.discovery.trees import BODY, dead, scanned, write

MAIN = "import pkg\n\nif __name__ == '__main__':\n    print(pkg)\n"
BASE = {
    "run.py": MAIN,
    "pkg/__init__.py": "from pkg import used_part\n",
    "pkg/used_part.py": "",
    "pkg/lost_part.py": "",
}
LOST = {"pkg/lost_part.py"}


def test_what_cannot_be_parsed_is_reported_and_still_keeps_what_it_imports(tmp_path: Path) -> None:
    broken = {
        "pkg/__init__.py": "from pkg import used_part, old_part, bad_part\n",
        "pkg/old_part.py": "print 'hello'\nfrom pkg.one_part import work\n",
        "pkg/bad_part.py": "def (:\nfrom pkg.two_part import work\n",
        "pkg/one_part.py": "",
        "pkg/two_part.py": "",
    }

    found = scanned(tmp_path, {**BASE, **broken})

    assert set(found.unreadable) == {"pkg/old_part.py", "pkg/bad_part.py"}
    assert found.unreadable["pkg/old_part.py"].startswith("Python 2")
    assert set(found.findings) == LOST


def test_other_encodings_are_read_as_their_first_line_says(tmp_path: Path) -> None:
    latin = "# -*- coding: latin-1 -*-\nfrom pkg.one_part import work\nNAME = 'caf\xe9'\n".encode("latin-1")
    files: dict[str, str | bytes] = {**BASE, "pkg/used_part.py": latin, "pkg/one_part.py": ""}

    found = scanned(tmp_path, files)

    assert set(found.findings) == LOST
    assert found.unreadable == {}


def test_bytes_that_are_no_text_are_reported(tmp_path: Path) -> None:
    found = scanned(tmp_path, {**BASE, "pkg/noise_part.py": b"\x00\xff\xfe\x80 = 1\n"})

    assert "pkg/noise_part.py" in found.unreadable


def test_pipes_links_and_huge_files_are_left_alone(tmp_path: Path) -> None:
    root = write(tmp_path / "tree", BASE)
    outside = write(tmp_path / "outside", {"secret.py": "from pkg import lost_part\n"})
    os.mkfifo(root / "pkg/pipe_part.py")
    (root / "loop").symlink_to(root, target_is_directory=True)
    (root / "pkg/away_part.py").symlink_to(outside / "secret.py")
    (root / "pkg/big_part.py").write_bytes(b"#" * (MAX_SOURCE + 1))

    found = scan(root)

    assert set(found.findings) == LOST
    assert found.unreadable == {
        "pkg/pipe_part.py": "no regular file",
        "pkg/away_part.py": "a link out of the checkout",
        "pkg/big_part.py": f"larger than {MAX_SOURCE} bytes",
    }


def test_names_with_newlines_dashes_and_bytes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, BASE)
    (tmp_path / "pkg" / "we\nird").mkdir()
    (tmp_path / "pkg" / "we\nird" / "odd_part.py").write_text(BODY)
    (tmp_path / "-config.py").write_text("import pkg\n")
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/pkg/\xff_part.py")).write_text(BODY)

    assert main([str(tmp_path), "--no-cache"]) == 0
    assert main([str(tmp_path), "--no-cache", "--json"]) == 0

    assert "we\\nird/odd_part.py" in capsys.readouterr().out


def test_nothing_of_the_checkout_is_imported_or_run(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    boom = f"open({str(mark)!r}, 'w').write('x')\nraise SystemExit(3)\n"
    files = {name: boom + text for name, text in BASE.items()}
    shadows = {
        "json.py": boom,
        "re.py": boom,
        "conftest.py": boom,
        "sitecustomize.py": boom,
        "ruff.toml": "exclude = ['*']\n",
    }

    scanned(tmp_path / "tree", {**files, **shadows})

    assert not mark.exists()


def test_an_empty_folder_and_no_folder(tmp_path: Path) -> None:
    assert scan(tmp_path).modules == 0
    with pytest.raises(NotADirectoryError, match="no folder"):
        scan(tmp_path / "missing")


def test_virtual_environments_and_vendored_trees_are_nobodys_findings(tmp_path: Path) -> None:
    others = {
        "env/pyvenv.cfg": "home = /usr\n",
        "env/lib/thing.py": BODY,
        "old/site-packages/thing.py": BODY,
        "pkg/_vendor/__init__.py": "",
        "pkg/_vendor/spare.py": BODY,
        "node_modules/gyp/a.py": BODY,
        "template/{{name}}/x.py": BODY,
    }

    assert dead(tmp_path, {**BASE, **others}) == LOST


def test_very_deep_expressions_and_self_reference(tmp_path: Path) -> None:
    deep = (
        "import importlib\nX = "
        + " + ".join(["'a'"] * 5000)
        + "\nname = name.rpartition('.')[0]\nimportlib.import_module(name + X)\n"
    )

    assert set(scanned(tmp_path, {**BASE, "pkg/used_part.py": deep}).findings) >= LOST


def test_a_long_chain_is_no_problem(tmp_path: Path) -> None:
    chain = {f"pkg/c{n}_part.py": f"from pkg import c{n + 1}_part\n" for n in range(1500)}

    found = scanned(tmp_path, {**BASE, **chain, "pkg/c1500_part.py": ""}).findings

    assert len(found["pkg/c1500_part.py"].chain) == 1501


def test_broken_settings_files_say_nothing(tmp_path: Path) -> None:
    files = {
        "pyproject.toml": "[[[",
        "a.json": "{" * 5000,
        "b.yaml": "a: [\n",
        "setup.cfg": "=\n[",
        "c.ini": "\x00[x",
    }

    assert dead(tmp_path, {**BASE, **files}) == LOST


@pytest.mark.parametrize("use_ruff", [True, False])
def test_the_parser_of_python_gives_the_same_answer(tmp_path: Path, *, use_ruff: bool) -> None:
    files = {
        **BASE,
        "pkg/sub/__init__.py": "from .inner import *\n",
        "pkg/sub/inner.py": "from .. import used_part\nfrom . import other\n",
        "pkg/sub/other.py": "import pkg.sub.inner as x\n",
        "pkg/used_part.py": "def late():\n    from pkg import sub\n",
        "lib/space/mod.py": "",
        "go.py": "import space.mod\n" + MAIN,
    }

    assert dead(tmp_path, files, use_ruff=use_ruff) == LOST
