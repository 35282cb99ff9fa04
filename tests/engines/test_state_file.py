"""The state file: whole or not at all, and nothing hostile gets in by it."""

import json
import logging
from pathlib import Path

import pytest

from engines.models import Engine
from engines.services import state_file
from tests.factories import make_engine

pytestmark = pytest.mark.django_db

HISTORY = [{"cycle": 1, "delta": 0.5, "success": True, "ema": 0.05}]


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    path = str(tmp_path / "deep" / "state.json")
    return make_engine(state_path=path, roi_history=HISTORY, roi_delta_ema=0.05, momentum=1.0)


def fresh(engine: Engine) -> Engine:
    """Another engine, without history, on the same file."""
    return make_engine(state_path=engine.state_path)


def test_what_is_written_is_read_back(engine: Engine) -> None:
    path = state_file.export_state(engine)
    other = fresh(engine)
    assert state_file.import_state(other)
    other.refresh_from_db()
    assert (other.roi_delta_ema, other.momentum) == (0.05, 1.0)
    assert [(entry["delta"], entry["success"]) for entry in other.roi_history] == [(0.5, True)]
    assert json.loads(path.read_text())["bot_name"] == engine.name
    assert path.stat().st_mode & 0o777 == 0o600


def test_without_a_path_it_lies_in_the_data_directory(settings: object) -> None:
    engine = make_engine()
    assert state_file.path_of(engine).name == f"{engine.name}_state.json"


def test_a_torn_file_gives_way_to_the_version_before_with_a_warning(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    state_file.export_state(engine)
    engine.momentum = 2.0
    path = state_file.export_state(engine)
    path.write_text(path.read_text()[:40])
    other = fresh(engine)
    with caplog.at_level(logging.WARNING):
        assert state_file.import_state(other)
    assert other.momentum == 1.0
    assert "passed over" in caplog.text


def test_a_torn_file_never_replaces_the_good_one_before_it(engine: Engine) -> None:
    state_file.export_state(engine)
    path = state_file.export_state(engine)
    path.write_text("{")
    state_file.export_state(engine)
    path.write_text("{")
    assert state_file.import_state(fresh(engine))


def test_a_failed_write_leaves_the_old_file_and_no_litter(engine: Engine) -> None:
    path = state_file.export_state(engine)
    before = path.read_text()
    engine.momentum = float("nan")
    with pytest.raises(ValueError, match="JSON compliant"):
        state_file.export_state(engine)
    assert path.read_text() == before
    assert {each.name for each in path.parent.iterdir()} <= {"state.json", "state.json.previous"}


BAD = {
    "nothing": "",
    "a list": "[]",
    "no keys": "{}",
    "infinite": '{"roi_history": [1e999], "success_history": [true], "roi_delta_ema": null, "momentum": null,'
    ' "last_run": null}',
    "a huge number": '{"roi_history": [1' + "0" * 400 + '], "success_history": [true], "roi_delta_ema": null,'
    ' "momentum": null, "last_run": null}',
    "lengths": '{"roi_history": [1], "success_history": [], "roi_delta_ema": null, "momentum": null,'
    ' "last_run": null}',
    "a time without zone": '{"roi_history": [], "success_history": [], "roi_delta_ema": null,'
    ' "momentum": null, "last_run": "2026-01-01T00:00:00"}',
    "depth": "[" * 100_000,
    "size": " " * (state_file.MAX_BYTES + 1),
}


@pytest.mark.parametrize("text", BAD.values(), ids=BAD.keys())
def test_a_bad_file_changes_nothing_and_is_named_in_the_log(
    engine: Engine, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = state_file.path_of(engine)
    path.parent.mkdir()
    path.write_text(text)
    other = fresh(engine)
    with caplog.at_level(logging.WARNING):
        assert not state_file.import_state(other)
    assert other.roi_history == []
    assert str(path) in caplog.text


def test_no_file_is_no_news(engine: Engine, caplog: pytest.LogCaptureFixture) -> None:
    assert not state_file.import_state(engine)
    assert caplog.text == ""
