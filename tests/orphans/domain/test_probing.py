"""What runs inside a self-test, here on harmless modules in a process of their own."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
DRIVER = """
import json, sys
from pathlib import Path
sys.path.insert(0, {root!r})
import importlib
job = importlib.import_module({module_name!r})
class Job:
    checkout = Path({checkout!r}); scratch = Path({scratch!r})
sys.path.insert(0, {checkout!r})
print("\\n" + json.dumps(getattr(job, {name!r})({payload!r}, Job())))
"""


def inside(
    tmp_path: Path,
    source: str,
    *,
    name: str = "probe",
    module_name: str = "orphans.domain.probing",
    **payload: Any,
) -> tuple[Any, str]:
    """Run a job on one module; return its result, None when it raised, and stderr."""
    (tmp_path / "mod.py").write_text(source)
    scratch = tmp_path / "scratch"
    scratch.mkdir(exist_ok=True)
    told = {"path": "mod.py", "module": "mod", "calls": True, **payload}
    places = {"root": str(ROOT), "checkout": str(tmp_path), "scratch": str(scratch)}
    code = DRIVER.format(**places, module_name=module_name, name=name, payload=told)
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, cwd=tmp_path
    )
    last = ended.stdout.splitlines()[-1:]
    return (json.loads(last[0]) if last and ended.returncode == 0 else None), ended.stderr


def test_functions_without_arguments_are_called_and_lines_are_counted(tmp_path: Path) -> None:
    source = (
        "import asyncio\n"
        "def plain():\n    return 1\n"
        "def needs(x):\n    return x\n"
        "def _private():\n    return 2\n"
        "async def later(x=1):\n    await asyncio.sleep(0)\n"
        "def many():\n    while True:\n        yield 1\n"
    )

    result, _ = inside(tmp_path, source)

    assert result["called"] == ["plain", "later", "many"]
    assert result["lines"] == pytest.approx(10 / 12)
    assert result["attempts"]["counts"] == {"file_writes": 0, "network_connections": 0, "subprocesses": 0}


def test_calls_are_counted_by_function_and_going_on_is_no_call(tmp_path: Path) -> None:
    source = (
        "class Box:\n    def put(self):\n        return 1\n"
        "def many():\n    for _ in range(9):\n        yield Box().put()\n"
        "async def later():\n    import asyncio\n    await asyncio.sleep(0)\n"
        "def threaded():\n"
        "    import threading\n"
        "    thread = threading.Thread(target=Box().put)\n    thread.start()\n    thread.join()\n"
        "def unused(x):\n    return x\n"
    )

    result, _ = inside(tmp_path, source)

    assert result["functions"] == {"Box.put": 10, "many": 1, "later": 1, "threaded": 1}


def test_a_module_with_tests_of_its_own_is_only_imported(tmp_path: Path) -> None:
    result, _ = inside(tmp_path, "def boom():\n    raise ValueError\n", calls=False)

    assert result["called"] == []


@pytest.mark.parametrize(
    "source",
    [
        "import nowhere_at_all",
        "def f():\n    raise ValueError('no')",
        "raise SystemExit(0)",
        "def f():\n    assert False",
        "async def f():\n    raise KeyError",
        "def f():\n    yield 1 / 0",
        "def broken(:",
    ],
)
def test_whatever_raises_fails_the_generated_test(tmp_path: Path, source: str) -> None:
    result, _ = inside(tmp_path, source + "\n")

    assert result is None


def test_attempts_are_heard(tmp_path: Path) -> None:
    source = (
        "import os, socket, subprocess, sys\n"
        "open('a.txt', 'w').close()\n"
        "os.mkdir('d')\n"
        "try:\n    socket.create_connection(('127.0.0.1', 9), timeout=1)\nexcept OSError:\n    pass\n"
        "subprocess.run([sys.executable, '-c', ''])\n"
    )

    result, _ = inside(tmp_path, source)

    counts = result["attempts"]["counts"]
    assert counts["file_writes"] >= 2
    assert counts["network_connections"] == 1
    assert counts["subprocesses"] >= 1
    assert "a.txt" in result["attempts"]["examples"]["file_writes"][0]


def test_a_file_that_no_import_can_name_is_loaded_from_its_place(tmp_path: Path) -> None:
    (tmp_path / "helper.py").write_text("VALUE = 3\n")
    (tmp_path / "do-it.py").write_text("import helper\ndef run():\n    return helper.VALUE\n")

    result, stderr = inside(tmp_path, "", path="do-it.py", module="")

    assert result is not None, stderr
    assert result["called"] == ["run"]


def test_a_path_outside_is_refused(tmp_path: Path) -> None:
    result, stderr = inside(tmp_path, "", path="../x.py")

    assert result is None
    assert "outside of the checkout" in stderr


def test_tests_are_counted_and_failures_named(tmp_path: Path) -> None:
    (tmp_path / "test_mod.py").write_text(
        "import mod, pytest\n"
        "def test_good():\n    assert mod.double(2) == 4\n"
        "def test_bad():\n    assert mod.double(2) == 5\n"
        "@pytest.mark.skip\ndef test_not():\n    pass\n"
        "@pytest.fixture\ndef broken():\n    raise ValueError\n"
        "def test_fixture(broken):\n    pass\n"
    )

    result, _ = inside(
        tmp_path, "def double(x):\n    return 2 * x\n", name="run_tests", tests=["test_mod.py"]
    )

    assert (result["code"], result["passed"], result["failed"], result["skipped"]) == (1, 1, 2, 1)
    assert result["failures"] == ["test_mod.py::test_bad", "test_mod.py::test_fixture"]
    assert result["lines"] == 1.0


def test_a_test_file_that_can_not_be_collected_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "test_mod.py").write_text("import nowhere_at_all\n")

    result, _ = inside(tmp_path, "", name="run_tests", tests=["test_mod.py"])

    assert result["code"] != 0
    assert result["failed"] == 1
