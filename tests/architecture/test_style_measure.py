"""The style budgets are only worth something when the measurement sees what breaks them."""

import subprocess
import sys
from pathlib import Path

import pytest

from scripts.style.figures import measure

ROOT = Path(__file__).resolve().parents[2]

CODE = '''"""A module."""
import app.second
# TO{}DO


def public(a: int, b) -> int:
    """Add."""
    if a and b:
        return a

    def inner():
        import app.third
    return b
'''


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    package = tmp_path / "app"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "first.py").write_text(CODE.replace("{}", ""))
    (package / "second.py").write_text('"""Second."""\nfrom . import first\n')
    (package / "third.py").write_text("x = 1\n")
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_a.py").write_text("def test_a(monkeypatch):\n    assert 1 + 1 == 2\n")
    return tmp_path


def test_figures_of_functions_and_text(checkout: Path) -> None:
    figures, _ = measure(checkout, [])
    assert figures["functions"] == 2
    assert figures["fn_max"] == 7, "without the docstring"
    assert figures["annotated"] == 0
    assert figures["public_docs"] == 0.5
    assert figures["todos_k"] > 0
    assert figures["module_docs"] == pytest.approx(2 / 3, abs=0.001)


def test_figures_of_the_graph(checkout: Path) -> None:
    figures, _ = measure(checkout, [])
    assert figures["cycles"] == 1
    assert figures["cycle_max"] == 2
    assert figures["deferred"] == pytest.approx(1 / 3, abs=0.001)
    assert figures["import_chain"] == 1


def test_figures_of_tests(checkout: Path) -> None:
    figures, _ = measure(checkout, [])
    assert (figures["tests"], figures["asserts"], figures["mocks"]) == (1, 1, 0)
    assert figures["test_lines"] == 2


def test_what_is_left_out_counts_nowhere(checkout: Path) -> None:
    figures, _ = measure(checkout, ["app/first.py", "tests/*"])
    assert figures["functions"] == figures["tests"] == figures["cycles"] == 0


def test_a_file_that_is_no_python_is_passed_over(checkout: Path) -> None:
    before = measure(checkout, [])[0]
    (checkout / "app" / "old.py").write_text("print 'two'\n")
    after = measure(checkout, [])[0]
    assert (before["code_files"], after["code_files"]) == (3, 3)


@pytest.mark.parametrize(
    ("bound", "words"),
    [("--limit=cycles=0", "import cycles (at load time) is 1, over 0"), ("--floor=annotated=1", "under 1")],
)
def test_a_bound_that_is_broken_fails(checkout: Path, bound: str, words: str) -> None:
    command = [sys.executable, "scripts/style_measure.py", str(checkout), bound]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert words in done.stderr


def test_bounds_that_hold_pass(checkout: Path) -> None:
    command = [sys.executable, "scripts/style_measure.py", str(checkout), "--limit", "cycles=1", "--worst=3"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "longest functions" in done.stdout
