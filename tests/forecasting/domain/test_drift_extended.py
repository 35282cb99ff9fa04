"""A detector that gets to know new metrics goes on with what it knew."""

import json

import numpy as np
import pytest

from forecasting.domain.drift import Detector


def fed(detector: Detector, names: list[str], cycles: int, seed: int = 0) -> Detector:
    rng = np.random.default_rng(seed)
    for row in rng.standard_normal((cycles, len(names))):
        detector.update(dict(zip(names, row.tolist(), strict=True)))
    return detector


def test_known_names_change_nothing() -> None:
    detector = fed(Detector(["a", "b"]), ["a", "b"], 20)

    assert detector.extended(["b", "a"]) is detector


def test_old_metrics_keep_their_evidence_and_baseline() -> None:
    detector = fed(Detector(["a"]), ["a"], 30)
    before = detector.to_dict()

    wider = detector.extended(["a", "new"])
    after = wider.to_dict()

    assert wider.metrics == ("a", "new")
    assert after["cycle"] == before["cycle"]
    assert after["evidence"][0] == before["evidence"][0]
    assert all(after["baseline"][name][0] == values[0] for name, values in before["baseline"].items())


def test_a_new_metric_starts_without_history_and_can_alarm() -> None:
    wider = fed(Detector(["a"]), ["a"], 30).extended(["new"])
    rng = np.random.default_rng(1)
    quiet = [wider.update({"a": float(a), "new": float(b)}) for a, b in rng.standard_normal((60, 2))]
    loud = [wider.update({"a": float(a), "new": float(b) + 4.0}) for a, b in rng.standard_normal((30, 2))]

    assert not any(quiet)
    alarms = [alarm for alarm in loud if alarm is not None]
    assert alarms
    assert alarms[0].metrics[0] == "new"


def test_an_extended_detector_is_saved_and_read_back_exactly() -> None:
    wider = fed(Detector(["a"]), ["a"], 10).extended(["b", "c"])

    again = Detector.from_dict(json.loads(json.dumps(wider.to_dict())))

    names = ["a", "b", "c"]
    assert fed(again, names, 20, seed=3).to_dict() == fed(wider, names, 20, seed=3).to_dict()


@pytest.mark.parametrize("names", [["b", "b"], ["b", "a", "b"]])
def test_a_name_given_twice_is_added_once(names: list[str]) -> None:
    assert Detector(["a"]).extended(names).metrics == ("a", "b")
