"""The table of synergy metrics."""

import pytest

from forecasting.domain.metrics import METRICS, NEEDED, PREFIX, RAW, measured, short

SEED = [
    "roi", "efficiency", "adaptability", "antifragility", "resilience", "safety_rating", "risk_index",
    "security_score", "recovery_time", "shannon_entropy", "flexibility", "energy_consumption",
    "profitability", "revenue", "projected_lucrativity", "maintainability", "code_quality",
    "network_latency", "throughput", "discrepancy_count", "gpu_usage", "cpu_usage", "memory_usage",
    "long_term_lucrativity",
]  # fmt: skip
FULL = dict.fromkeys(RAW, 0.5)


def test_the_table_has_the_24_metrics_of_the_specification_and_reliability() -> None:
    assert list(METRICS) == [*SEED, "reliability"]


@pytest.mark.parametrize("name", METRICS)
def test_each_metric_names_unit_direction_and_what_it_is_measured_from(name: str) -> None:
    metric = METRICS[name]
    assert metric.unit
    assert metric.good in ("higher", "lower")
    assert metric.needs
    assert set(metric.needs) <= set(RAW)
    assert all(RAW[need] in metric.source for need in metric.needs)
    assert all(NEEDED[need] in metric.needed for need in metric.needs)


@pytest.mark.parametrize("name", METRICS)
def test_a_metric_without_its_measurement_is_none_and_never_a_default(name: str) -> None:
    metric = METRICS[name]
    assert metric.of(FULL) is not None
    for need in metric.needs:
        assert metric.of({**FULL, need: None}) is None
        assert metric.of({key: value for key, value in FULL.items() if key != need}) is None
        assert metric.of({**FULL, need: float("nan")}) is None


def test_no_two_metrics_are_the_same_number() -> None:
    """A copy under another name would look like more evidence than there is."""
    raw = {name: 1.0 + place / 7 for place, name in enumerate(RAW)}
    found = list(measured(raw).values())
    assert len(found) == len(METRICS)
    assert len({round(value, 9) for value in found}) == len(METRICS)


def test_antifragility_is_what_stress_adds_and_not_the_sign_of_the_roi() -> None:
    metric = METRICS["antifragility"]
    assert metric.of({"stress_success_rate": 0.9, "baseline_success_rate": 0.9, "value": 100.0}) == 0.0
    assert metric.of({"stress_success_rate": 0.5, "baseline_success_rate": 1.0}) == -0.5


def test_more_findings_mean_less_security() -> None:
    metric = METRICS["security_score"]
    none, some, many = (metric.of({"security_findings": count}) for count in (0.0, 1.0, 10.0))
    assert none == 1.0
    assert (some or 0) > (many or 0) > 0


def test_what_divides_by_zero_was_not_measured() -> None:
    assert METRICS["efficiency"].of({"success_rate": 1.0, "cpu_seconds": 0.0}) is None
    assert METRICS["throughput"].of({"success_rate": 1.0, "wall_seconds": 1e-320}) is None


def test_names_go_with_and_without_their_prefix() -> None:
    assert short(PREFIX + "efficiency") == short("efficiency") == "efficiency"
    with pytest.raises(ValueError, match="no synergy metric"):
        short("happiness")
