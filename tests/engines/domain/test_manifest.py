"""The manifest: what is read, what is refused and with which words."""

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines.domain.errors import ManifestError
from engines.domain.manifest import EMPTY, BaseBudget, Manifest, Value, Workflow, parse

FULL = """
pipeline = "bot.pipeline:build"
entry_points = ["scripts/train.py", "bot.steps:predict"]
tests = ["tests"]
protected = ["bot/data.py", "fixtures/*"]
import_paths = ["src"]

[value]
metric = "accuracy"
unit_value = 2000
value_per_success = 0.05
cpu_hour_cost = 0.12
token_cost_per_1k = 0.002
cpu_billing_seconds = 60

[budget]
cpu_seconds = 30
trials = 12

[schedule]
every_seconds = 3600

[workflows.triage]
steps = ["bot.steps:load", "bot.steps:load"]
input = "fixtures/x.json"
"""


def refused(text: str, file: str = "menace.toml") -> ManifestError:
    with pytest.raises(ManifestError) as caught:
        parse({file: text})
    return caught.value


def test_everything_is_read() -> None:
    assert parse({"menace.toml": FULL}) == Manifest(
        file="menace.toml",
        pipeline="bot.pipeline:build",
        value=Value(
            metric="accuracy",
            direction="max",
            unit_value=2000.0,
            value_per_success=0.05,
            cpu_hour_cost=0.12,
            token_cost_per_1k=0.002,
            cpu_billing_seconds=60.0,
        ),
        workflows={
            "triage": Workflow(
                name="triage", steps=("bot.steps:load", "bot.steps:load"), input="fixtures/x.json"
            )
        },
        entry_points=("scripts/train.py", "bot.steps:predict"),
        tests=("tests",),
        protected=("bot/data.py", "fixtures/*"),
        import_paths=("src",),
        budget=BaseBudget(cpu_seconds=30.0, trials=12),
        every_seconds=3600.0,
    )


def test_the_same_may_stand_in_pyproject() -> None:
    inside = FULL.replace("[", "[tool.menace.").replace('= [tool.menace."', '= ["')
    found = parse({"pyproject.toml": "[tool.menace]\n" + inside})
    assert found.workflows == parse({"menace.toml": FULL}).workflows
    assert found.file == "pyproject.toml"


@pytest.mark.parametrize(
    "files",
    [{}, {"pyproject.toml": '[project]\nname = "x"'}, {"pyproject.toml": "tool = 3"}, {"setup.cfg": "x"}],
)
def test_no_manifest_is_fine(files: Any) -> None:
    assert parse(files) == EMPTY


def test_two_manifests_are_one_too_many() -> None:
    with pytest.raises(ManifestError, match="keep one of them"):
        parse({"menace.toml": "", "pyproject.toml": "[tool.menace]"})


VALUE = '[value]\nmetric = "accuracy"\n'


@pytest.mark.parametrize(
    ("text", "field", "words"),
    [
        ('piplines = "a:b"', "piplines", "did you mean pipeline"),
        ("pipeline = 3", "pipeline", "must be text, not a number"),
        ('pipeline = "a.b"', "pipeline", "package.module:function"),
        ('pipeline = "a b:c"', "pipeline", "package.module:function"),
        ('pipeline = "os:system; rm"', "pipeline", "package.module:function"),
        ('pipeline = "a:b"', "value", "is missing"),
        ("[value]\nunit_value = 1", "value.metric", "is missing"),
        ('[value]\nmetric = "Accuracy!"', "value.metric", "lower-case"),
        (VALUE + "unit_value = nan", "value.unit_value", "is nan"),
        (VALUE + "unit_value = inf", "value.unit_value", "is inf"),
        (VALUE + "unit_value = -1", "value.unit_value", "from 0"),
        (VALUE + "unit_value = 1e300", "value.unit_value", "from 0"),
        (VALUE + 'unit_value = "1"', "value.unit_value", "not text"),
        (VALUE + "unit_value = true", "value.unit_value", "not true/false"),
        (VALUE + "unit_value = 2020-01-01", "value.unit_value", "not a date"),
        (VALUE + 'direction = "up"', "value.direction", "max, min"),
        (VALUE + "price = 1", "value.price", "is not known"),
        ("value = 3", "value", "must be a table"),
        ('tests = "tests"', "tests", "list of texts"),
        ("tests = [1]", "tests[0]", "must be text"),
        ('tests = ["a", "a"]', "tests", "twice"),
        ('tests = ["../x"]', "tests[0]", "inside the repository"),
        ('tests = ["/etc"]', "tests[0]", "inside the repository"),
        ('tests = ["a/../../b"]', "tests[0]", "inside the repository"),
        ('tests = ["C:/x"]', "tests[0]", "inside the repository"),
        ('tests = ["a\\\\b"]', "tests[0]", "plain path"),
        ('tests = ["-rf"]', "tests[0]", "inside the repository"),
        ('tests = ["~/x"]', "tests[0]", "inside the repository"),
        ('tests = [".git/hooks"]', "tests[0]", ".git"),
        ('tests = ["a/.GIT/x"]', "tests[0]", ".git"),
        ('tests = ["a\\u202eb"]', "tests[0]", "plain path"),
        ('tests = [""]', "tests[0]", "plain path"),
        ('protected = ["../*"]', "protected[0]", "inside the repository"),
        ("[budget]\ntrials = 0", "budget.trials", "from 1"),
        ("[budget]\ntrials = 1.5", "budget.trials", "whole number"),
        ("[budget]\ncpu_seconds = 1e9", "budget.cpu_seconds", "from 0.1"),
        ("[schedule]\nevery_seconds = 1", "schedule.every_seconds", "from 10"),
        ("[workflows.Big]\nsteps = ['a:b']", "workflows.Big", "lower-case"),
        ("[workflows.x]\nsteps = []", "workflows.x.steps", "missing or empty"),
        ("[workflows]\nx = 1", "workflows.x", "must be a table"),
        ("[workflows.x]\nsteps = ['a:b']\ninput = '../x'", "workflows.x.input", "inside"),
        ("[workflows.x]\nsteps = ['a:b']\nsleep = 1", "workflows.x.sleep", "is not known"),
        ("tests = [" + ",".join(f'"t{i}"' for i in range(501)) + "]", "tests", "501 entries"),
    ],
)
def test_what_is_wrong_is_named(text: str, field: str, words: str) -> None:
    error = refused(text)
    assert (error.file, error.field) == ("menace.toml", field)
    assert words in str(error)
    assert str(error).startswith(f"menace.toml: {field}: ")


@pytest.mark.parametrize("text", ["x = [", "\x00", "a" * 600_000, "x=" + "[" * 5000])
def test_what_is_no_toml_is_refused(text: str) -> None:
    assert str(refused(text)).startswith("menace.toml: ")


def test_a_wrong_pyproject_names_the_whole_key() -> None:
    error = refused('[tool.menace]\npipline = "a:b"', "pyproject.toml")
    assert error.field == "tool.menace.pipline"


def test_messages_hold_no_control_characters() -> None:
    assert "\u202e" not in str(refused('"a\\u202e\\u0007" = 1'))


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(ManifestError):
        assert parse({"menace.toml": text}) is not None
