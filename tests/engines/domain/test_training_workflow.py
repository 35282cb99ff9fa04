"""The workflow job: steps in order, timed, and failures as results."""

import json
from pathlib import Path
from typing import Any

import pytest

from engines.domain.training_workflow import WorkflowError, workflow
from tests.fakes import InProcessJob

STEPS = "tests.engines.domain.workflow_steps"


def carried_out(tmp_path: Path, *names: str, given: Any = None) -> dict[str, Any]:
    job = InProcessJob(tmp_path, tmp_path, None)
    payload: dict[str, Any] = {"steps": [f"{STEPS}:{name}" for name in names]}
    if given is not None:
        (tmp_path / "in.json").write_text(json.dumps(given))
        payload["input"] = "in.json"
    return workflow(payload, job)


def test_each_step_gets_what_the_one_before_returned(tmp_path: Path) -> None:
    done = carried_out(tmp_path, "double", "double", given=3)
    assert (done["success"], done["output"], done["error"]) == (True, "12", None)
    assert [row["step"] for row in done["steps"]] == [f"{STEPS}:double"] * 2
    assert all(row["seconds"] >= 0 and row["cpu_seconds"] >= 0 for row in done["steps"])


def test_a_step_that_raises_ends_it(tmp_path: Path) -> None:
    done = carried_out(tmp_path, "double", "broken", "double", given=3)
    assert (done["success"], done["error"]) == (False, "KeyError: 'gone'")
    assert len(done["steps"]) == 2


@pytest.mark.parametrize("name", ["nothing_plain", "not_finite"])
def test_the_last_payload_must_be_json(tmp_path: Path, name: str) -> None:
    done = carried_out(tmp_path, name)
    assert not done["success"]
    assert "no plain JSON" in done["error"]


@pytest.mark.parametrize("name", ["../in.json", "/etc/passwd", "link"])
def test_an_input_outside_of_the_checkout_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "repo").mkdir()
    (tmp_path / "in.json").write_text("1")
    (tmp_path / "repo" / "link").symlink_to(tmp_path / "in.json")
    job = InProcessJob(tmp_path, tmp_path / "repo", None)
    with pytest.raises(WorkflowError, match="outside"):
        workflow({"steps": [f"{STEPS}:double"], "input": name}, job)


def test_a_step_that_is_no_function_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WorkflowError, match="no function"):
        carried_out(tmp_path, "CONSTANT")


def test_progress_names_the_steps(tmp_path: Path) -> None:
    told: list[tuple[float | None, str]] = []
    job = InProcessJob(tmp_path, tmp_path, lambda fraction, message: told.append((fraction, message)))
    workflow({"steps": [f"{STEPS}:zero", f"{STEPS}:double"]}, job)
    assert told == [(0.0, f"{STEPS}:zero"), (0.5, f"{STEPS}:double")]


def test_the_keys_of_what_came_out_are_told(tmp_path: Path) -> None:
    assert carried_out(tmp_path, "double", given=3)["keys"] == []
    job = InProcessJob(tmp_path, tmp_path, None)
    steps: dict[str, Any] = {"steps": ["copy:copy"]}
    for value in ({"b": 1, "a": 2}, [{"b": 1, "a": 2}, {"c": 3}]):
        assert workflow({**steps, "value": value}, job)["keys"] == ["a", "b"]


def test_an_input_may_have_another_shape(tmp_path: Path) -> None:
    job = InProcessJob(tmp_path, tmp_path, None)
    payload = {"steps": ["copy:copy"], "value": [{"age": 3}], "drift": {"seed": 4, "share": 1.0}}
    assert workflow(payload, job)["output"] == '[{"age_v2": 3}]'
