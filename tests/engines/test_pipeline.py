"""The pipeline: real bots behind the real seam, and hostile ones."""

import json
import uuid
from pathlib import Path
from typing import Any

import psutil
import pytest

from engines import git
from engines.domain import manifest
from engines.domain.cycle import Interrupted, StepFailed, StepTimeout, TransientStepError
from engines.domain.errors import NotConfigured
from engines.domain.manifest import Manifest, Value, Workflow
from engines.domain.results import Budget
from engines.domain.training_words import NO_CHALLENGER, NO_GAIN, PROMOTABLE
from engines.services.demo import SOURCE, history
from engines.services.pipeline import Assignment, ContextBuilder, ModelAutomationPipeline, work_copy
from orphans.sandbox import Measurement, Outcome, SubprocessRunner
from tests.fakes import CannedRunner, Flag, InProcessRunner

TINY = (Path(__file__).parent / "domain" / "tiny_bot.py").read_bytes()
VALUE = Value(metric="accuracy", unit_value=1000.0, cpu_hour_cost=1.0, cpu_billing_seconds=60.0)


def assignment(
    tmp_path: Path, files: dict[str, bytes], found: Manifest | None = None, **fields: Any
) -> Assignment:
    """Make a repository of these files and an assignment for it."""
    place = tmp_path / "repo"
    git.create(place, [git.NewCommit(message="m", author="A", at="2024-01-01T00:00:00+00:00", files=files)])
    defaults: dict[str, Any] = {
        "name": "bot",
        "repository": place,
        "manifest": found or Manifest(file="m", pipeline="bot:mapping", value=VALUE),
        "base_budget": Budget(cpu_seconds=20.0, trials=8),
        "seconds_left": 60.0,
        "scratch": tmp_path / "work",
        "store": tmp_path / "store",
    }
    return Assignment(**defaults | fields)


def demo(tmp_path: Path, name: str) -> Assignment:
    """Make an assignment for a demo bot as it is shipped."""
    place = tmp_path / name
    git.create(place, history(name))
    found = manifest.parse({"pyproject.toml": (SOURCE / name / "pyproject.toml").read_text()})
    budget = Budget(cpu_seconds=found.budget.cpu_seconds, trials=found.budget.trials)
    return Assignment(
        name=name, repository=place, manifest=found, base_budget=budget, scratch=tmp_path / "work",
        store=tmp_path / "store",
    )  # fmt: skip


# ------------------------------------------------------------------ the demo bots


@pytest.mark.parametrize("name", ["alpha", "beta"])
def test_a_demo_bot_gains_and_a_second_run_gains_exactly_the_same(tmp_path: Path, name: str) -> None:
    bot = demo(tmp_path, name)
    first, second = (ModelAutomationPipeline().run(bot) for _ in range(2))
    assert (first.verdict, first.search["stopped_by"]) == (PROMOTABLE, "trials")
    assert first.roi is not None
    assert first.roi.roi_gain > 0
    assert (first.roi, first.challenger, first.artifact) == (second.roi, second.challenger, second.artifact)
    assert (first.cpu_seconds or 99) < 20
    assert list((tmp_path / "work").iterdir()) == []


@pytest.mark.parametrize(("name", "workflow"), [("alpha", "triage"), ("beta", "outlook")])
def test_a_demo_workflow_succeeds(tmp_path: Path, name: str, workflow: str) -> None:
    done = ModelAutomationPipeline().run_workflow(demo(tmp_path, name), workflow)
    assert (done.success, done.error, len(done.steps)) == (True, "", 4)
    assert set(json.loads(done.output)) & {"readings", "outlook"}


def test_the_deployed_file_is_scored_like_the_model_it_was_trained_as(tmp_path: Path) -> None:
    bot = demo(tmp_path, "beta")
    trained = ModelAutomationPipeline().evaluate(bot)
    assert trained.artifact is not None
    kept = Assignment(**vars(bot) | {"champion_sha256": trained.artifact.sha256})
    loaded = ModelAutomationPipeline().evaluate(kept)
    assert loaded.report.metrics == trained.report.metrics
    assert loaded.artifact is None


# ------------------------------------------------------------------ what the pipeline does with a bot


def test_energy_two_buys_twice_the_trials_and_seconds(tmp_path: Path) -> None:
    runner = InProcessRunner()
    bot = assignment(tmp_path, {"bot.py": TINY})
    for energy in (1, 2):
        ModelAutomationPipeline(runner=runner).run(bot, energy)
    bought = [(spec.payload["trials"], spec.payload["cpu_seconds"]) for spec in runner.specs]
    assert bought == [(8, 20.0), (16, 40.0)]


def test_the_commit_is_trained_and_not_the_working_tree(tmp_path: Path) -> None:
    bot = assignment(tmp_path, {"bot.py": TINY})
    (bot.repository / "bot.py").write_text("broken(")
    found = ModelAutomationPipeline(runner=InProcessRunner()).run(bot)
    assert found.verdict == PROMOTABLE


def test_the_run_sees_no_repository_and_leaves_no_copy(tmp_path: Path) -> None:
    bot = assignment(tmp_path, {"bot.py": TINY})
    with work_copy(bot) as (place, commit):
        assert sorted(each.name for each in place.iterdir()) == ["bot.py"]
        assert commit == git.head(bot.repository)
    assert list((tmp_path / "work").iterdir()) == []


def test_nothing_to_search_is_no_challenger(tmp_path: Path) -> None:
    found = Manifest(file="m", pipeline="bot:fixed", value=VALUE)
    result = ModelAutomationPipeline(runner=InProcessRunner()).run(
        assignment(tmp_path, {"bot.py": TINY}, found)
    )
    assert (result.verdict, result.artifact) == (NO_CHALLENGER, None)
    assert result.roi is not None
    assert result.roi.roi_gain == -result.roi.cost


def test_a_champion_of_an_earlier_cycle_is_what_must_be_beaten(tmp_path: Path) -> None:
    bot = assignment(tmp_path, {"bot.py": TINY}, champion_params={"width": 0.5})
    result = ModelAutomationPipeline(runner=InProcessRunner()).run(bot)
    assert result.verdict in (NO_GAIN, NO_CHALLENGER)
    assert result.champion["params"] == {"width": 0.5}


def test_progress_is_told(tmp_path: Path) -> None:
    told: list[float | None] = []
    bot = assignment(tmp_path, {"bot.py": TINY})
    ModelAutomationPipeline(runner=InProcessRunner()).run(bot, on_progress=lambda done, _: told.append(done))
    known = [done for done in told if done is not None]
    assert known == sorted(known)
    assert known[-1] == pytest.approx(0.9)


def test_the_context_builder_takes_its_four_names() -> None:
    builder = ContextBuilder("bots.db", "code.db", "errors.db", "workflows.db")
    assert builder.databases["errors"] == "errors.db"
    assert ModelAutomationPipeline(context_builder=builder).context_builder is builder


@pytest.mark.parametrize(
    ("found", "words"),
    [(Manifest(), "names no pipeline"), (Manifest(file="m", pipeline="bot:mapping"), "has no \\[value\\]")],
)
def test_what_is_missing_is_said(tmp_path: Path, found: Manifest, words: str) -> None:
    with pytest.raises(NotConfigured, match=words):
        ModelAutomationPipeline().run(assignment(tmp_path, {"bot.py": TINY}, found))


def test_an_unknown_workflow_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotConfigured, match="no workflow 'x'"):
        ModelAutomationPipeline().run_workflow(assignment(tmp_path, {"bot.py": TINY}), "x")


def test_a_workflow_that_breaks_is_a_run_without_success(tmp_path: Path) -> None:
    files = {"bot.py": b"def a(p):\n    return 1\ndef b(p):\n    raise ValueError('no')\n"}
    found = Manifest(file="m", workflows={"w": Workflow(name="w", steps=("bot:a", "bot:b"))})
    done = ModelAutomationPipeline().run_workflow(assignment(tmp_path, files, found), "w")
    assert (done.success, done.error, len(done.steps)) == (False, "ValueError: no", 2)


# ------------------------------------------------------------------ endings become what a cycle understands


@pytest.mark.parametrize(
    ("outcome", "error"),
    [
        (Outcome.FAILED, StepFailed),
        (Outcome.KILLED, StepFailed),
        (Outcome.DENIED, StepFailed),
        (Outcome.TIMEOUT, StepTimeout),
        (Outcome.OOM, TransientStepError),
        (Outcome.CRASHED, TransientStepError),
        (Outcome.CANCELLED, Interrupted),
    ],
)
def test_endings(tmp_path: Path, outcome: Outcome, error: type[Exception]) -> None:
    runner = CannedRunner(Measurement(outcome=outcome, reason="so", output_tail="last words"))
    with pytest.raises(error) as caught:
        ModelAutomationPipeline(runner=runner).run(assignment(tmp_path, {"bot.py": TINY}))
    assert type(caught.value) is error
    assert getattr(caught.value, "log", "last words") == "last words"


@pytest.mark.parametrize("result", [None, [], {"metric": "accuracy"}, {"champion": {"params": {}}}])
def test_a_forged_report_is_refused(tmp_path: Path, result: Any) -> None:
    runner = CannedRunner(Measurement(outcome=Outcome.OK, result=result, cpu_seconds=1.0))
    with pytest.raises(StepFailed, match="can't be judged"):
        ModelAutomationPipeline(runner=runner).run(assignment(tmp_path, {"bot.py": TINY}))
    with pytest.raises(StepFailed, match="nonsense"):
        ModelAutomationPipeline(runner=runner).evaluate(assignment(tmp_path / "b", {"bot.py": TINY}))


# ------------------------------------------------------------------ hostile bots, for real

HEAD = "import os, sys, signal, time\nfrom pathlib import Path\nimport tiny\n"
HOSTILE: dict[str, str] = {
    "prints": "    os.write(1, bytes(range(256)) * 50)\n    return tiny.mapping()",
    "exits": "    sys.exit(0)",
    "leaves": "    os._exit(0)",
    "forges": '    os.write(CHANNEL(), b\'{"result": {"verdict": "promotable"}}\\n\')\n    os._exit(0)',
    "nan": "    return tiny.mapping() | {'defaults': {'width': float('nan')}}",
    "nothing": "    return None",
    "link": "    return tiny.mapping() | {'save': lambda m, p: os.symlink('/etc/passwd', p)}",
    "fifo": "    return tiny.mapping() | {'save': lambda m, p: os.mkfifo(p)}",
    "no file": "    return tiny.mapping() | {'save': lambda m, p: None}",
}
CHANNEL = """
def CHANNEL():
    for number in range(3, 64):
        place = f"/proc/self/fd/{number}"
        if os.path.lexists(place) and os.readlink(place).startswith("pipe:"):
            return number
"""


def hostile(tmp_path: Path, body: str, **fields: Any) -> Assignment:
    source = f"{HEAD}{CHANNEL}\ndef build():\n{body}\n"
    found = Manifest(file="m", pipeline="bot:build", value=VALUE)
    return assignment(tmp_path, {"bot.py": source.encode(), "tiny.py": TINY}, found, **fields)


def test_a_bot_that_prints_garbage_still_trains(tmp_path: Path) -> None:
    assert ModelAutomationPipeline().run(hostile(tmp_path, HOSTILE["prints"])).verdict == PROMOTABLE


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("exits", "SystemExit"),
        ("leaves", "without a result"),
        ("forges", "unknown keys"),
        ("nan", "plain JSON"),
        ("nothing", "returned no task"),
        ("link", "model.bin|champion.bin"),
        ("fifo", "is no regular file"),
        ("no file", "no file of the challenger"),
    ],
)
def test_a_bot_that_misbehaves_fails_the_step_with_the_reason(tmp_path: Path, name: str, words: str) -> None:
    with pytest.raises(StepFailed, match=words):
        ModelAutomationPipeline().run(hostile(tmp_path, HOSTILE[name]))


def test_a_bot_that_does_not_want_to_end_is_ended(tmp_path: Path) -> None:
    body = "    signal.signal(signal.SIGTERM, signal.SIG_IGN)\n    time.sleep(1000)"
    with pytest.raises(StepTimeout, match="over 4 s of wall-clock time"):
        ModelAutomationPipeline().run(hostile(tmp_path, body, seconds_left=4.0))


def test_a_bot_can_be_cancelled(tmp_path: Path) -> None:
    with pytest.raises(Interrupted):
        ModelAutomationPipeline().run(hostile(tmp_path, "    time.sleep(1000)"), cancel=Flag())


def test_processes_of_a_bot_do_not_survive_it(tmp_path: Path) -> None:
    seconds = f"98765.{uuid.uuid4().int % 10**9}"
    body = (
        "    mark = Path(os.environ['TMPDIR']) / 'mark'\n"
        "    if os.fork() == 0:\n        os.setsid()\n        mark.touch()\n"
        f"        os.execvp('sleep', ['sleep', '{seconds}'])\n"
        "    while not mark.exists():\n        time.sleep(0.01)\n"
        "    time.sleep(0.1)\n    return tiny.mapping()"
    )
    assert ModelAutomationPipeline().run(hostile(tmp_path, body)).verdict == PROMOTABLE
    assert not [each for each in psutil.process_iter(["cmdline"]) if seconds in (each.info["cmdline"] or ())]


def test_a_bot_sees_none_of_our_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MENACE_SECRET_KEY", "canary-91c2")
    monkeypatch.setenv("DATABASE_URL", "postgres://canary-91c2@/x")
    with pytest.raises(StepFailed) as told:
        ModelAutomationPipeline().evaluate(
            hostile(tmp_path, "    raise ValueError(' '.join(map('='.join, os.environ.items())))")
        )
    assert "canary" not in told.value.log
    assert "PATH=" in told.value.log


def test_a_repository_cannot_shadow_what_the_run_stands_on(tmp_path: Path) -> None:
    """Modules named like the standard library's or ours are the bot's own business."""
    files = {
        "bot.py": b"from tiny import *\n",
        "tiny.py": TINY,
        "json.py": b"1/0",
        "engines/__init__.py": b"1/0",
    }
    bot = assignment(tmp_path, files)
    assert ModelAutomationPipeline().evaluate(bot).report.metrics["accuracy"] > 0.3


def test_the_runner_may_be_given(tmp_path: Path) -> None:
    bot = assignment(tmp_path, {"bot.py": TINY})
    found = ModelAutomationPipeline(runner=SubprocessRunner(tmp_path / "mine")).evaluate(bot)
    assert found.commit == git.head(bot.repository)
    assert not list((tmp_path / "mine").glob("*"))
