"""Does the checkout have what its manifest names? Nothing is imported to find out."""

from typing import Any

import pytest

from engines.domain.errors import ManifestError
from engines.domain.manifest import EMPTY, Manifest, Value, Workflow
from engines.domain.manifest_check import check, defined_names


def look(manifest: Manifest, files: dict[str, str]) -> None:
    """Check against files held in a dict; a folder exists when a file lies in it."""
    check(
        manifest,
        lambda path: path == "." or any(name == path or name.startswith(f"{path}/") for name in files),
        files.get,
    )


PIPELINE = Manifest(file="menace.toml", pipeline="bot.run:build", value=Value(metric="mae"))


def test_an_empty_manifest_needs_nothing() -> None:
    look(EMPTY, {})


@pytest.mark.parametrize(
    "source",
    [
        "def build(): ...",
        "async def build(): ...",
        "class build: ...",
        "build = 3",
        "build: int = 3",
        "from other import build",
        "from other import thing as build",
        "from other import *",
        "import build.more",
        "if True:\n    def build(): ...",
        "try:\n    import x\nexcept ImportError:\n    build = None",
        "try:\n    pass\nfinally:\n    build = 1",
        "with x:\n    def build(): ...",
    ],
)
def test_a_function_is_found_however_it_is_defined(source: str) -> None:
    look(PIPELINE, {"bot/run.py": source})


@pytest.mark.parametrize("path", ["bot/run/__init__.py", "bot/run.py"])
def test_packages_and_modules_are_found(path: str) -> None:
    look(PIPELINE, {path: "def build(): ..."})


def test_other_import_paths_are_searched() -> None:
    manifest = Manifest(
        file="m", pipeline="bot:build", value=Value(metric="mae"), import_paths=("src", "lib")
    )
    look(manifest, {"src/x.py": "", "lib/bot.py": "build = 1"})


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({}, "module bot.run is not in the repository"),
        ({"bot/run.py": "def other(): ..."}, "has no function build"),
        ({"bot/run.py": "def f():\n    def build(): ..."}, "has no function build"),
        ({"bot/run.py": "def ("}, "syntax error in line 1"),
        ({"bot/run.py": "x = 1\0"}, "syntax error"),
        ({"bot/run.py": "(" * 5000}, "can't be read"),
        ({"bot/run.py": "#" * 2_000_001}, "larger than"),
    ],
)
def test_a_missing_function_is_refused_with_the_reason(files: Any, words: str) -> None:
    with pytest.raises(ManifestError, match=r"menace\.toml: pipeline: ") as caught:
        look(PIPELINE, files)
    assert words in str(caught.value)
    assert "commit it or mend the manifest" in str(caught.value)
    assert caught.value.field == "pipeline"


@pytest.mark.parametrize(
    ("manifest", "key"),
    [
        (Manifest(file="m", entry_points=("run.py",)), "entry_points"),
        (Manifest(file="m", entry_points=("gone:main",)), "entry_points"),
        (Manifest(file="m", tests=("tests",)), "tests"),
        (Manifest(file="m", import_paths=("src",)), "import_paths"),
        (Manifest(file="m", workflows={"w": Workflow(name="w", steps=("a:b",))}), "workflows.w.steps"),
        (
            Manifest(file="m", workflows={"w": Workflow(name="w", steps=("a:f",), input="in.json")}),
            "workflows.w.input",
        ),
    ],
)
def test_whatever_is_missing_is_named(manifest: Manifest, key: str) -> None:
    with pytest.raises(ManifestError) as caught:
        look(manifest, {"a.py": "def f(): ..."})
    assert caught.value.field == key


def test_everything_there_is_accepted() -> None:
    manifest = Manifest(
        file="m",
        entry_points=("run.py", "a:f"),
        tests=("tests",),
        workflows={"w": Workflow(name="w", steps=("a:f",), input="in.json")},
    )
    look(manifest, {"a.py": "def f(): ...", "run.py": "", "tests/test_a.py": "", "in.json": "{}"})


def test_defined_names_says_what_kept_it_from_reading() -> None:
    assert defined_names("a = 1\nb, c = 2, 3")[0] == {"a", "b", "c"}
    assert defined_names("def")[1] == "syntax error in line 1"
