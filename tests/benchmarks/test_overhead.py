"""The command that measures the cycle's overhead: pairs, spreads and the bar."""

import importlib
from types import ModuleType

import pytest
from django.conf import settings

from tests.faults.parts import idle_parts, written_parts


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The two loads."""
    monkeypatch.syspath_prepend(str(settings.BASE_DIR / "benchmarks"))
    return importlib.import_module("harness.load")


@pytest.fixture
def overhead(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The command."""
    monkeypatch.syspath_prepend(str(settings.BASE_DIR / "benchmarks"))
    return importlib.import_module("overhead")


class Empty:
    """A load that is done as soon as it is sent, and notes that it was."""

    def __init__(self, name: str, sent: list[str]) -> None:
        self.name, self.sent = name, sent

    def send(self, count: int) -> None:
        self.sent.append(self.name)

    def left(self) -> int:
        return 0


def test_the_summary_pairs_what_was_measured_together(load: ModuleType) -> None:
    found = load.summary([(0.02, 0.01), (0.09, 0.03), (0.04, 0.04)], [(0.05, 0.02)])
    assert found["many at once: ratio"] == {"least": 1.0, "median": 2.0, "most": 3.0}
    assert found["one at a time: ms a cycle"] == {"least": 50.0, "median": 50.0, "most": 50.0}
    assert found["cycles a second"]["median"] == 25.0


@pytest.mark.parametrize(("number", "order"), [(0, ["cycles", "chains"]), (1, ["chains", "cycles"])])
def test_each_goes_first_every_other_time(load: ModuleType, number: int, order: list[str]) -> None:
    sent: list[str] = []
    cycle, chain = load.pair(Empty("cycles", sent), Empty("chains", sent), 1, number)
    assert sent == order
    assert min(cycle, chain) > 0


@pytest.mark.parametrize(
    ("many", "alone", "rate", "missed"),
    [(1.9, 2.0, 20.0, False), (2.1, 1.0, 30.0, True), (1.0, 2.1, 30.0, True), (1.0, 1.0, 19.0, True)],
)
def test_a_missed_bar_is_said(
    overhead: ModuleType, many: float, alone: float, rate: float, missed: bool
) -> None:
    found = {"many at once: ratio": many, "one at a time: ratio": alone, "cycles a second": rate}
    assert overhead.missed({name: {"median": value} for name, value in found.items()}) is missed


def test_the_two_kinds_of_idle_steps_differ_in_how_they_are_written() -> None:
    assert {part.brief for part in idle_parts().values()} == {True}
    assert {part.brief for part in written_parts().values()} == {False}
