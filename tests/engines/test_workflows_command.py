"""`manage.py workflows`: the graph, and the hard stages, from the command line."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from engines.api import SelfImprovementEngine
from engines.domain.cycle import Interrupted
from engines.domain.errors import Conflict, InvalidInput
from engines.domain.results import CLI
from engines.models import WorkflowStages
from engines.services import temporal_stages
from engines.services.registry import register_engine
from forecasting.services import record_cycle
from tests.engines.repositories import make_repository

pytestmark = pytest.mark.django_db

FILES = {
    "menace.toml": '[workflows.clean]\nsteps = ["shop:tidy"]\n[workflows.price]\nsteps = ["shop:price"]\n',
    "shop.py": "def tidy(raw):\n    return {'a': 1}\n\n\ndef price(rows):\n    return rows['a']\n",
}
STAGES: dict[str, Any] = {
    "normal": {"runs": 1, "successes": 1, "seconds": 0.5, "degradation": None, "note": "", "error": ""},
    "schema_drift": {
        "runs": 0,
        "successes": 0,
        "seconds": None,
        "degradation": None,
        "note": "not measured: x",
    },
}


@pytest.fixture(autouse=True)
def shop(tmp_path: Path) -> None:
    make_repository(tmp_path / "shop", FILES)
    register_engine(path=str(tmp_path / "shop"), actor=CLI)


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Keep made-up stages in place of running them; the list remembers what was asked for."""
    asked = []

    def measure(engine: Any, revision: Any, **given: Any) -> None:
        asked.append({"workflow": revision.workflow, **given})
        WorkflowStages.objects.create(
            engine=engine, workflow=revision.workflow, revision=revision, commit="c", seed=0, repeats=1,
            stages=STAGES, degradation=0.5,
        )  # fmt: skip

    monkeypatch.setattr(temporal_stages, "measure", measure)
    return asked


def told(*words: str) -> str:
    out = StringIO()
    call_command("workflows", *words, stdout=out)
    return out.getvalue()


def test_a_graph_is_measured_and_a_change_followed() -> None:
    assert "not measured yet" in told("graph", "shop")
    lines = told("graph", "shop", "--refresh", "--change", "clean", "--roi-delta", "2").splitlines()
    assert lines[0] == "2 workflows, 1 edges"
    assert lines[1].startswith("clean → price: 0.85 (")
    assert "shop of 1 modules" in lines[1]
    assert lines[3] == "price                ROI +1.7, synergy +0 by clean → price"


def test_a_graph_is_also_plain_json() -> None:
    found = json.loads(told("graph", "shop", "--refresh", "--json"))
    assert [edge["target"] for edge in found["edges"]] == ["price"]
    assert found["wave"] is None


def test_all_workflows_run_through_the_stages(measured: list[dict[str, Any]]) -> None:
    lines = told("stages", "shop", "--repeats", "2", "--seconds", "9").splitlines()
    assert [each["workflow"] for each in measured] == ["clean", "price"]
    assert measured[0] == {"workflow": "clean", "by": "command line", "repeats": 2, "seconds": 9.0}
    assert lines[0] == "clean: degradation 50%, survived not measured"
    assert lines[1] == "  normal           1 of 1 runs, 0.50 s, lost not measured"
    assert lines[2].endswith("(not measured: x)")


def test_one_workflow_or_one_revision_may_be_named(measured: list[dict[str, Any]]) -> None:
    found = json.loads(told("stages", "shop", "--workflow", "price", "--json"))
    assert (list(found), found["price"]["measured"]) == (["price"], True)
    pk = WorkflowStages.objects.get().revision_id
    assert list(json.loads(told("stages", "shop", "--revision", str(pk), "--json"))) == ["price"]
    assert len(measured) == 2


def test_showing_runs_nothing(measured: list[dict[str, Any]]) -> None:
    assert told("stages", "shop", "--show", "--workflow", "clean") == (
        "clean: not measured: no run through the hard stages\n"
    )
    assert measured == []


@pytest.mark.parametrize(
    "words",
    [
        ("graph", "nobody"),
        ("graph", "shop", "--change", "nothing"),
        ("graph", "shop", "--change", "clean", "--roi-delta", "nan"),
        ("stages", "shop", "--workflow", "nothing"),
        ("stages", "shop", "--revision", "99999"),
        ("stages", "shop", "--repeats", "0"),
    ],
)
def test_bad_words_are_refused(words: tuple[str, ...]) -> None:
    with pytest.raises(InvalidInput):
        told(*words)


def test_a_stopped_run_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_: Any, **__: Any) -> None:
        raise Interrupted

    monkeypatch.setattr(temporal_stages, "measure", stopped)
    with pytest.raises(Conflict, match="stopped"):
        told("stages", "shop", "--workflow", "clean")


def test_an_engine_knows_its_graph_and_what_is_foreseen() -> None:
    told("graph", "shop", "--refresh")
    for cycle, roi in enumerate((1.0, 0.2, 0.05), 1):
        record_cycle("shop/clean", cycle, roi=roi)
    engine = SelfImprovementEngine("shop")
    assert engine.workflow_graph.path("clean", "price") == ["clean", "price"]
    risk = engine.foresight_tracker.predict_roi_collapse("clean")
    assert risk["risk"] in {"Immediate collapse risk", "Volatile"}
    assert engine.foresight_tracker.predict_roi_collapse("price")["risk"] == "Insufficient data"
