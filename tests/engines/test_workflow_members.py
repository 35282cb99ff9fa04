"""What is known of an engine's workflows: read from one commit, hostile until checked."""

from pathlib import Path
from typing import Any

import pytest

from engines.domain.results import CLI
from engines.domain.workflows.graph import MODEL
from engines.models import Engine, WorkflowStages
from engines.services import bots, workflows
from engines.services.registry import register_engine
from engines.services.workflow_members import MAX_KEYS, Checkout, gather, roi_of
from forecasting.domain.foresight import WINDOW
from forecasting.services import record_cycle
from tests.engines.repositories import git, make_repository

pytestmark = pytest.mark.django_db

MANIFEST = '[workflows.flow]\nsteps = ["{module}:{function}"]\n'
READS = "def first(payload):\n    return {**payload, 'b': payload['a']}\n"


def make(
    root: Path, files: dict[str, str], *, module: str = "bot", function: str = "first", given: str = ""
) -> Engine:
    """Make an engine of one workflow with one step."""
    manifest = MANIFEST.format(module=module, function=function) + (f'input = "{given}"\n' if given else "")
    make_repository(root / "bot", {"menace.toml": manifest, **files})
    return register_engine(path=str(root / "bot"), actor=CLI)


def known(engine: Engine) -> dict[str, Any]:
    """Return what is told of the only workflow."""
    return gather(engine, bots.head(engine))[1]["flow"]


def test_without_an_input_file_the_keys_that_the_first_step_reads_count(tmp_path: Path) -> None:
    found = known(make(tmp_path, {"bot.py": READS}))
    assert found["takes"] == {"keys": ["a"], "from": "read by the first step"}
    assert found["gives"] == {"keys": None, "from": "not known"}  # it hands on what isn't known


@pytest.mark.parametrize("text", ["{", "[]", "7", '"a"', "null", '{"a": NaN', "[" * 3000])
def test_an_input_without_keys_is_passed_over(tmp_path: Path, text: str) -> None:
    found = known(make(tmp_path, {"bot.py": READS, "in.json": text}, given="in.json"))
    assert found["takes"]["from"] == "read by the first step"


def test_an_input_of_a_thousand_keys_is_cut(tmp_path: Path) -> None:
    text = "{" + ",".join(f'"k{place:04}": 1' for place in range(1000)) + "}"
    found = known(make(tmp_path, {"bot.py": READS, "in.json": text}, given="in.json"))
    assert len(found["takes"]["keys"]) == MAX_KEYS


def test_the_src_layout_is_understood(tmp_path: Path) -> None:
    files = {"bot.py": "from tools.deep import x\n" + READS, "src/tools/deep.py": "x = 1\n"}
    assert known(make(tmp_path, files))["modules"] == ["bot", "tools.deep"]


def test_a_folder_named_src_that_is_a_package_is_no_layout(tmp_path: Path) -> None:
    files = {"src/__init__.py": "", "src/bot.py": "import src.deep\nimport deep\n" + READS, "src/deep.py": ""}
    found = known(make(tmp_path, files, module="src.bot"))
    assert found["modules"] == ["src.bot", "src.deep"]


def test_a_step_that_is_no_plain_function_is_known_by_its_module_alone(tmp_path: Path) -> None:
    engine = make(tmp_path, {"bot.py": READS + "\n\ndef second(one, two):\n    return one\n"})
    revision = workflows.current(engine, "flow")
    child = revision.__class__.objects.create(
        engine=engine, workflow="flow", parent=revision, steps=["bot:second"], state="candidate"
    )
    workflows.activate(child.pk, actor=CLI)
    found = known(engine)
    assert found["steps"] == ["bot:second"]
    assert (found["modules"], found["takes"]["keys"], found["gives"]["keys"]) == (["bot"], None, None)


def test_only_the_commit_is_read_not_the_folder(tmp_path: Path) -> None:
    engine = make(tmp_path, {"bot.py": READS})
    (Path(engine.repository) / "bot.py").write_text("import other\n" + READS)
    (Path(engine.repository) / "other.py").write_text("")
    assert known(engine)["modules"] == ["bot"]
    git(Path(engine.repository), "add", "-A")
    git(Path(engine.repository), "commit", "-qm", "second")
    assert known(engine)["modules"] == ["bot", "other"]


def test_links_and_large_files_are_no_sources(tmp_path: Path) -> None:
    engine = make(tmp_path, {"bot.py": "import large\nimport link\n" + READS, "large.py": "#" * (2**20 + 1)})
    root = Path(engine.repository)
    (root / "link.py").symlink_to("/etc/hostname")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "a link")
    checkout = Checkout(engine, bots.head(engine))
    assert checkout.find("link") is checkout.find("large") is checkout.find("nothing") is None
    assert known(engine)["modules"] == ["bot"]


def test_the_keys_of_the_latest_run_of_what_runs_today_count(tmp_path: Path) -> None:
    engine = make(tmp_path, {"bot.py": READS})
    revision = workflows.current(engine, "flow")
    given: dict[str, Any] = {"engine": engine, "workflow": "flow", "commit": "c", "seed": 0, "repeats": 1}
    for keys in (["old"], ["new", "\u202ex"]):
        WorkflowStages.objects.create(revision=revision, stages={"normal": {"keys": keys}}, **given)
    WorkflowStages.objects.create(revision=None, stages={"normal": {"keys": ["other"]}}, **given)
    assert known(engine)["gives"] == {"keys": ["\\u202ex", "new"], "from": "output of a measured run"}


def test_of_what_ran_only_modules_of_the_commit_count(tmp_path: Path) -> None:
    engine = make(tmp_path, {"bot.py": READS, "src/deep.py": ""})
    revision = workflows.current(engine, "flow")
    given: dict[str, Any] = {"engine": engine, "workflow": "flow", "commit": "c", "seed": 0, "repeats": 1}
    assert gather(engine, bots.head(engine))[0][0].ran is None, "no run was counted"
    called = ["bot.py", "src/deep.py", "gone.py", "../../etc/passwd.py", "menace.toml"]
    WorkflowStages.objects.create(revision=revision, stages={"normal": {"called": called}}, **given)
    assert gather(engine, bots.head(engine))[0][0].ran == frozenset({"bot", "deep"})
    WorkflowStages.objects.create(revision=revision, stages={"normal": {"called": None}}, **given)
    assert gather(engine, bots.head(engine))[0][0].ran is None


def test_the_model_is_what_the_pipeline_imports_with_the_roi_of_the_bot(tmp_path: Path) -> None:
    engine = make(tmp_path, {"bot.py": READS, "train.py": "import data\ndef build(): ...\n", "data.py": ""})
    assert MODEL not in gather(engine, bots.head(engine))[1]
    engine.manifest = {**engine.manifest, "pipeline": "train:build"}
    record_cycle("bot", 3, roi=2.0)

    model, flow = gather(engine, bots.head(engine))[0]

    assert (model.name, model.modules, model.roi) == (MODEL, frozenset({"train", "data"}), {3: 2.0})
    assert (model.only_source, flow.only_source) == (True, False)


def test_a_course_is_the_latest_measured_cycles(tmp_path: Path) -> None:
    for cycle in range(WINDOW + 5):
        record_cycle("bot/flow", cycle, roi=None if cycle % 2 else float(cycle))
    found = roi_of("bot/flow")
    assert len(found) == 33
    assert all(cycle % 2 == 0 and roi == cycle for cycle, roi in found.items())
    assert known(make(tmp_path, {"bot.py": READS}))["cycles"] == 33
