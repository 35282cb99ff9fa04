"""The whole way of a module, on real repositories and in the real sandbox: the specification's examples."""

import json
from pathlib import Path
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from orphans.domain.candidates import Switches
from orphans.domain.states import ModuleState
from orphans.models import ModuleMapEntry, ModuleRun, OrphanModule, OrphanTally
from orphans.services import documents, flow, self_tests
from orphans.services.flow import Task
from orphans.services.including import Included
from tests.engines.repositories import git, make_repository

pytestmark = pytest.mark.django_db(transaction=True)

HELPER = {"isolated.py": "import helper\n", "helper.py": "VALUE = 1\n"}
LIVE = {"pyproject.toml": "[project]\nname = 'bot'\nversion = '1'\n[project.scripts]\nbot = 'bot:main'\n"}
BOT = {**LIVE, "bot.py": "def main():\n    return 0\n"}


@pytest.fixture(autouse=True)
def data(settings: Settings, tmp_path: Path) -> Path:
    settings.DATA_DIR = tmp_path / "data"
    return tmp_path / "data"


def bot(tmp_path: Path, files: dict[str, str]) -> Path:
    return make_repository(tmp_path / "bot", {**BOT, **files})


def carry_out(checkout: Path, *, source: str = "one", clean: bool = False, **fields: Any) -> Included:
    """Go the whole way once."""
    plain = {"subject": "bot", "checkout": checkout, "source": source, "switches": Switches()}
    task = Task(**{**plain, **fields})
    found = flow.look(task)
    self_tests.work_off(flow.begin(task, found.plan).pk)
    return flow.settle(task, taken=found.taken, clean=clean)


def paper(name: str, subject: str = "bot") -> Any:
    return json.loads((documents.folder(subject) / name).read_text())


def states() -> dict[str, str]:
    return dict(OrphanModule.objects.values_list("path", "state"))


def tally(name: str) -> int:
    return sum(OrphanTally.objects.filter(name=name).values_list("count", flat=True))


def test_skipped_folders_are_looked_at_by_no_scan(tmp_path: Path, settings: Settings) -> None:
    """As in the command: nothing in such a folder is found, and nothing in it keeps anything alive."""
    checkout = bot(tmp_path, {"made/go.py": "import part\nprint(part)\n", "part.py": "", "made/lost.py": ""})
    settings.SANDBOX = settings.SANDBOX.model_copy(update={"skip_dirs": ["made"]})

    assert set(flow.discover(checkout).findings) == {"part.py"}


def test_an_isolated_module_comes_in_with_its_helper(tmp_path: Path, data: Path) -> None:
    included = carry_out(bot(tmp_path, HELPER), named=("isolated.py",))

    assert included.added == ("isolated.py", "helper.py")
    assert set(paper("module_map.json")) == {"isolated.py", "helper.py"}
    assert json.loads((data / "module_map.json").read_text()) == paper("module_map.json")
    assert OrphanModule.objects.get(path="helper.py").parents == ["isolated.py"]
    assert paper("orphan_classifications.json")["helper.py"]["parents"] == ["isolated.py"]
    groups = ModuleMapEntry.objects.values_list("group", flat=True)
    assert len(set(groups)) == 1


def test_cleaning_drops_what_passed_and_only_that(tmp_path: Path) -> None:
    files = {
        "orphan.py": "import helper\n",
        "helper.py": "VALUE = 1\n",
        "broken.py": "import nowhere_at_all\n",
    }

    carry_out(bot(tmp_path, files), clean=True)

    assert set(paper("orphan_modules.json")) == {"broken.py"}
    assert set(paper("module_map.json")) == {"orphan.py", "helper.py"}
    assert "nowhere_at_all" in ModuleRun.objects.get(path="broken.py").reason


def test_without_cleaning_what_passed_stays_listed(tmp_path: Path) -> None:
    carry_out(bot(tmp_path, HELPER))

    assert set(paper("orphan_modules.json")) == {"isolated.py", "helper.py"}


def test_a_dormant_module_is_brought_back(tmp_path: Path, data: Path) -> None:
    checkout = bot(tmp_path, {"util.py": "def double(x=1):\n    return 2 * x\n"})
    carry_out(checkout, clean=True)
    (documents.folder("bot") / "module_map.json").write_text("{}")
    (data / "orphan_modules.json").write_text('["util.py"]')
    before = tally("reintroduced")

    included = carry_out(checkout, source="two", clean=True)

    assert included.added == ("util.py",)
    assert tally("reintroduced") == before + 1
    assert set(paper("module_map.json")) == {"util.py"}
    assert ModuleMapEntry.objects.filter(path="util.py").count() == 2


def test_two_files_of_one_name_do_not_collide(tmp_path: Path) -> None:
    checkout = bot(tmp_path, {"pkg_a/common.py": "VALUE = 1\n", "pkg_b/common.py": "VALUE = 2\n"})

    carry_out(checkout, named=("pkg_a/common.py", "pkg_b/common.py"))

    entries = paper("module_map.json")
    assert set(entries) == {"pkg_a/common.py", "pkg_b/common.py"}
    assert len(set(entries.values())) == 2


def test_a_helper_that_was_called_legacy_is_folded_back_in(tmp_path: Path, data: Path) -> None:
    checkout = bot(tmp_path, {"half_helper.py": "def half(x=2):\n    return x / 2\n"})
    data.mkdir(exist_ok=True)
    said = {"half_helper.py": {"classification": "legacy", "parents": [], "redundant": True}}
    (data / "orphan_modules.json").write_text(json.dumps(said))
    task = Task(subject="bot", checkout=checkout, source="one", switches=Switches())
    documents.include_orphan_modules("bot", checkout)
    assert OrphanModule.objects.get().classification == "legacy"

    found = flow.look(task)
    self_tests.work_off(flow.begin(task, found.plan).pk)
    included = flow.settle(task, taken=found.taken)

    assert included.added == ("half_helper.py",)
    assert any("half_helper.py: the file says legacy" in each for each in found.conflicts)
    assert paper("orphan_modules.json") == {}
    assert OrphanModule.objects.filter(classification="legacy").count() == 0


def test_what_a_scan_calls_redundant_is_tested_and_never_mapped(tmp_path: Path) -> None:
    body = "\n".join(
        f"def part{n}(rows):\n    total = sum(rows) * {n}\n    return [r / total for r in rows]\n"
        for n in range(9)
    )
    checkout = bot(
        tmp_path,
        {"bot.py": "import live\n\n\ndef main():\n    return live\n", "live.py": body, "copy_of.py": body},
    )

    included = carry_out(checkout)

    row = OrphanModule.objects.get(path="copy_of.py")
    assert (row.classification, row.twin, row.state) == ("redundant", "live.py", ModuleState.PASSED)
    assert included.refused == {"copy_of.py": "redundant: tested, but never in the module map"}
    assert paper("module_map.json") == {}


def test_redundant_modules_are_left_alone_when_told_so(tmp_path: Path) -> None:
    body = "\n".join(
        f"def part{n}(rows):\n    total = sum(rows) * {n}\n    return [r / total for r in rows]\n"
        for n in range(9)
    )
    checkout = bot(
        tmp_path,
        {"bot.py": "import live\n\n\ndef main():\n    return live\n", "live.py": body, "copy_of.py": body},
    )

    carry_out(checkout, switches=Switches(redundant=False))

    assert states() == {"copy_of.py": "skipped"}
    assert ModuleRun.objects.get().cpu_seconds is None


WRITER = """import os


def write():
    for number in range({times}):
        with open(os.path.join(os.environ["TMPDIR"], str(number)), "w") as file:
            file.write("x")
"""


LIGHT = """from pathlib import Path
from tempfile import mkdtemp


def leave_a_note(words="nothing happened today"):
    place = Path(mkdtemp()) / "note.txt"
    place.write_text(words)
    return place.stat().st_size
"""


def test_a_heavy_module_is_skipped_with_the_reason(tmp_path: Path) -> None:
    files = {"heavy.py": WRITER.format(times=12), "light.py": LIGHT}

    included = carry_out(bot(tmp_path, files))

    row = OrphanModule.objects.get(path="heavy.py")
    assert (row.classification, row.state) == ("heavy_side_effects", ModuleState.SKIPPED)
    assert row.side_effects is not None
    assert row.side_effects > 10
    assert "above 10" in row.state_reason
    assert included.added == ("light.py",)
    light = OrphanModule.objects.get(path="light.py").side_effects
    assert light is not None
    assert 2 <= light <= 10
    assert tally("side_effects") == light + row.side_effects


def test_a_threshold_of_its_own_lets_it_pass(tmp_path: Path, settings: Settings) -> None:
    settings.SANDBOX = settings.SANDBOX.model_copy(update={"side_effect_threshold": 500.0})

    included = carry_out(bot(tmp_path, {"heavy.py": WRITER.format(times=12)}))

    assert included.added == ("heavy.py",)


def test_recursion_switched_off_leaves_helpers_alone(tmp_path: Path) -> None:
    carry_out(bot(tmp_path, HELPER), switches=Switches(recursive_orphans=False))

    assert states() == {"isolated.py": "integrated", "helper.py": "skipped"}


def test_a_module_is_tested_once_for_each_content(tmp_path: Path) -> None:
    checkout = bot(tmp_path, {"a.py": "VALUE = undefined\n"})
    carry_out(checkout)
    carry_out(checkout, source="two")
    assert ModuleRun.objects.count() == 1
    assert states() == {"a.py": "failed"}

    (checkout / "a.py").write_text("VALUE = 1\n")
    git(checkout, "commit", "-aqm", "mend")
    carry_out(checkout, source="three")

    assert ModuleRun.objects.count() == 2
    assert states() == {"a.py": "integrated"}


def test_own_tests_decide_and_their_coverage_is_measured(tmp_path: Path) -> None:
    module = "def double(x):\n    return 2 * x\n\n\ndef never(x):\n    y = x\n    return y\n"
    good = "from a import double\n\n\ndef test_double():\n    assert double(2) == 4\n"
    bad = "from b import double\n\n\ndef test_double():\n    assert double(2) == 5\n"
    files = {
        "a.py": module,
        "b.py": module.replace("never", "ever"),
        "tests/test_a.py": good,
        "tests/test_b.py": bad,
    }

    carry_out(bot(tmp_path, files), named=("a.py", "b.py"))

    passed, failed = ModuleRun.objects.order_by("path")
    assert (passed.state, passed.origin, passed.tests_passed) == ("passed", "convention", 1)
    assert passed.coverage == pytest.approx(3 / 5)
    assert passed.functions == {"double": 1}
    assert (failed.state, failed.reason) == ("failed", "1 of 1 tests failed")


def test_what_is_live_again_leaves_the_queue(tmp_path: Path) -> None:
    checkout = bot(tmp_path, {"a.py": "VALUE = undefined\n"})
    carry_out(checkout)

    (checkout / "bot.py").write_text("import a\n\n\ndef main():\n    return a\n")
    carry_out(checkout, source="two")

    assert states() == {"a.py": "live"}


@pytest.mark.parametrize(
    "source",
    [
        "import sys\n\n\ndef run():\n    sys.exit(0)\n",
        "import os\n\n\ndef run():\n    os._exit(0)\n",
        """import json
import os


def run():
    claim = {"result": {"called": [], "lines": 1.0}}
    for number in range(3, 64):
        try:
            os.write(number, json.dumps(claim).encode() + b"\\n")
        except OSError:
            pass
    os._exit(0)
""",
        "import os\n\n\ndef run():\n    os.kill(os.getppid(), 9)\n    os.kill(os.getpid(), 9)\n",
        "def run():\n    return run()\n",
    ],
    ids=["exits", "leaves", "forges", "kills", "recurses"],
)
def test_a_module_can_not_talk_itself_into_the_map(tmp_path: Path, source: str) -> None:
    included = carry_out(bot(tmp_path, {"liar.py": source + "\n\ndef never(x):\n    return x\n"}))

    assert included.added == ()
    assert states() == {"liar.py": "failed"}
