"""`manage.py self_test` and `orphans` when something is wrong: what is said, and what is left behind."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from orphans.domain.errors import Conflict, InvalidInput
from orphans.domain.states import BatchState, ModuleState
from orphans.models import ModuleMapEntry, OrphanModule, SelfTestRun
from orphans.services import self_tests
from tests.orphans.rows import make_batch, make_module, make_run

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def data(settings: Settings, tmp_path: Path) -> Path:
    settings.DATA_DIR = tmp_path / "data"
    return tmp_path / "data"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout of one module that nothing imports."""
    place = tmp_path / "bot"
    place.mkdir()
    (place / "spare.py").write_text("VALUE = 1\n")
    return place


def printed(*words: str) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command(*words, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


@pytest.mark.parametrize("workers", ["0", "-1"])
def test_no_workers_are_refused_before_anything_is_read(workers: str) -> None:
    with pytest.raises(InvalidInput, match="--workers must be at least 1"):
        printed("self_test", "run", "--workers", workers, "--checkout", "/nowhere")


def test_a_checkout_that_is_none_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="nowhere is no folder"):
        printed("self_test", "run", "--checkout", str(tmp_path / "nowhere"))
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidInput, match="file is no folder"):
        printed("self_test", "run", "--checkout", str(tmp_path / "file"))


@pytest.mark.parametrize("name", ["loop.py", "out.py", "spare.py/", "", "."])
def test_a_file_that_leads_nowhere_or_outside_is_refused(checkout: Path, name: str, tmp_path: Path) -> None:
    (checkout / "loop.py").symlink_to(checkout / "loop.py")
    (tmp_path / "secret.py").write_text("TOKEN = 1\n")
    (checkout / "out.py").symlink_to(tmp_path / "secret.py")
    name = name if name != "spare.py/" else "spare.py/../../secret.py"
    with pytest.raises(InvalidInput, match="no Python file"):
        printed("self_test", "run", name, "--checkout", str(checkout))
    assert not SelfTestRun.objects.exists()


def test_a_file_may_be_named_from_the_working_directory_once_or_twice(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(checkout.parent)
    asked: list[int] = []

    def work_off(batch_id: int, **_: object) -> SelfTestRun:
        asked.append(batch_id)
        return SelfTestRun.objects.get(pk=batch_id)

    monkeypatch.setattr(self_tests, "work_off", work_off)
    printed("self_test", "run", "bot/spare.py", "spare.py", "--dry-run", "--checkout", str(checkout))
    (batch,) = SelfTestRun.objects.all()
    assert asked == [batch.pk]
    assert list(batch.runs.values_list("path", flat=True)) == ["spare.py"]


def test_ctrl_c_cancels_what_is_left_and_ends_with_130(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(_: int, **__: object) -> SelfTestRun:
        raise KeyboardInterrupt

    monkeypatch.setattr(self_tests, "work_off", stopped)
    with pytest.raises(CommandError, match="the self-tests were cancelled") as caught:
        printed("self_test", "run", "--checkout", str(checkout))
    assert caught.value.returncode == 130
    batch = SelfTestRun.objects.get()
    assert (batch.state, batch.cancel_asked) == (BatchState.CANCELLED, True)
    assert set(batch.runs.values_list("state", flat=True)) == {"cancelled"}
    assert not ModuleMapEntry.objects.exists()


def test_a_report_in_words_names_each_module_and_its_reason() -> None:
    batch = make_batch(total=2)
    make_run(batch, "b.py", state="failed", reason="ValueError: no")
    make_run(batch, "a.py", state="passed", reason="imported")
    out, _ = printed("self_test", "report")
    head, *rows = out.splitlines()
    assert head.startswith(f"self-tests {batch.pk} of alpha: ")
    assert [row.split() for row in rows] == [
        ["passed", "a.py", "imported"],
        ["failed", "b.py", "ValueError:", "no"],
    ]


def test_what_a_bot_named_can_not_move_the_cursor() -> None:
    make_run(make_batch(total=1), "a.py", state="failed", reason="\x1b[2Jgone\r \u202eline")
    out, _ = printed("self_test", "report")
    assert not {"\x1b", "\r", "\u202e"} & set(out)


@pytest.mark.parametrize("words", [["report", "999"], ["cancel", "999"], ["report"]])
def test_a_set_that_there_is_none_of_is_said(words: list[str]) -> None:
    with pytest.raises(InvalidInput, match=r"no (such )?set of self-tests"):
        printed("self_test", *words)


def test_cancelling_is_told_in_words() -> None:
    batch = make_batch(total=1)
    make_run(batch)
    assert printed("self_test", "cancel", str(batch.pk))[0] == "cancelled: True\n"
    assert printed("self_test", "cancel", str(batch.pk))[0] == "cancelled: False\n"


def test_a_module_is_shown_in_words_with_its_runs() -> None:
    module = make_module(path="a.py", reason="nothing imports it")
    run = make_run(make_batch(total=1), "a.py", module=module, state="failed", reason="ValueError: no")
    out, _ = printed("orphans", "show", "a.py", "--subject", "alpha")
    assert "reason          nothing imports it" in out
    assert "twin            -" in out
    assert f"run {run.pk}".ljust(15) in out
    assert "failed: ValueError: no" in out


def test_of_several_modules_those_that_can_change_do_and_the_others_are_named() -> None:
    make_module(path="a.py")
    make_module(path="b.py", state=ModuleState.RETIRED)
    with pytest.raises(Conflict, match="is retired"):
        printed("orphans", "retire", "a.py", "b.py", "--subject", "alpha")
    assert set(OrphanModule.objects.values_list("state", flat=True)) == {ModuleState.RETIRED}


def test_one_unknown_module_among_known_ones_changes_nothing() -> None:
    make_module(path="a.py")
    with pytest.raises(InvalidInput, match=r"no scan of alpha found x\.py"):
        printed("orphans", "retire", "a.py", "x.py", "--subject", "alpha")
    assert OrphanModule.objects.get().state == ModuleState.FOUND


def test_export_says_where_it_wrote(data: Path) -> None:
    make_module(path="a.py")
    out, _ = printed("orphans", "export", "--subject", "alpha")
    folder = Path(out.removeprefix("written to ").strip())
    assert folder.is_relative_to(data)
    assert "a.py" in (folder / "orphan_modules.json").read_text()
