"""Packages of a bot's own: installed by pip from wheels, imported by its runs, and by nothing else."""

import importlib.util
import zipfile
from pathlib import Path
from typing import Any

import numpy
import pytest

from orphans.domain.errors import InvalidInput
from orphans.domain.states import RunState
from orphans.sandbox import Kind, RunSpec, SpecError, run
from orphans.services.executing import Order, self_test
from orphans.services.packages import install, names_in, packages_of, remove


def wheel(folder: Path, name: str, needs: str = "", version: str = "1.0") -> None:
    """Write a wheel of one module that also tries to run code at start-up."""
    folder.mkdir(exist_ok=True)
    info = f"{name}-{version}.dist-info"
    head = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    parts = {
        f"{name}.py": f"VERSION = '{version}'\n",
        f"{name}.pth": "import sys; sys.exit('a hook ran')\n",
        f"{info}/METADATA": head + (f"Requires-Dist: {needs}\n" if needs else ""),
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{part},,\n" for part in parts) + f"{info}/RECORD,,\n"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as file:
        for part, text in {**parts, f"{info}/RECORD": record}.items():
            file.writestr(part, text)


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Any) -> Path:
    """An index of wheels in a folder, and a data folder of the test's own."""
    settings.DATA_DIR = str(tmp_path / "data")
    for name in ("FIND_LINKS", "NO_INDEX"):
        monkeypatch.delenv(f"UV_{name}", raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    wheel(tmp_path / "index", "farfetched", needs="numpy")
    return tmp_path / "index"


def silent(line: str) -> None:
    """Say nothing."""


def test_runs_import_what_was_installed_and_nothing_here_does(index: Path, tmp_path: Path) -> None:
    said: list[str] = []
    place = install("bot", ("farfetched",), said.append)
    assert names_in(place) == ["farfetched 1.0"]  # numpy is ours, and not installed again
    assert "Successfully installed farfetched-1.0" in said
    assert packages_of("bot") == place
    assert packages_of("other") is None
    assert importlib.util.find_spec("farfetched") is None
    checkout = tmp_path / "bot"
    checkout.mkdir()
    (checkout / "mod.py").write_text(
        "import farfetched, numpy\n"
        "def both():\n    return [farfetched.VERSION, numpy.__version__]\n"
        "def spoil():\n    open(farfetched.__file__, 'w')\n"
    )
    spec: dict[str, Any] = {"kind": Kind.CALL, "bare": True, "checkout": checkout, "packages": place}
    assert run(RunSpec(target="mod:both", **spec)).result == ["1.0", numpy.__version__]
    assert not run(RunSpec(target="mod:spoil", **spec)).ok
    assert (place / "farfetched.py").read_text() == "VERSION = '1.0'\n"
    without = self_test(Order(path="mod.py", module="mod", checkout=checkout))
    assert "No module named 'farfetched'" in without.verdict.reason
    assert without.verdict.state is RunState.FAILED


def test_another_set_takes_the_place_of_the_first_and_a_failure_changes_nothing(index: Path) -> None:
    wheel(index, "other")
    first = install("bot", ("other",), silent)
    forgotten = first.with_name("0123456789abcdef")
    forgotten.mkdir()
    with pytest.raises(InvalidInput, match=r"ERROR: Cannot install numpy<1 .*only wheels are taken"):
        install("bot", ("numpy<1",), silent)
    assert packages_of("bot") == first
    assert sorted(each.name for each in first.parent.iterdir()) == sorted(
        [first.name, forgotten.name, "current"]
    )
    second = install("bot", (), silent)
    assert packages_of("bot") == second
    assert first.is_dir()  # a run may use it
    assert not forgotten.exists()
    remove("bot")
    assert packages_of("bot") is None
    remove("bot")
    assert install("bot", ("other",), silent) == first


def test_a_subject_names_no_other_place() -> None:
    with pytest.raises(InvalidInput, match="no name of a subject"):
        packages_of("../x")


def test_a_folder_of_packages_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="no folder of packages"):
        RunSpec(target="a:b", packages=tmp_path / "none")
