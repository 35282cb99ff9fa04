"""What is foreseen of the next cycle: drawn to scale, and in words."""

import pytest

from engines.charts import foreseen_interval
from engines.panels.foreseen import SIDES, next_cycle
from tests.forecasting.rows import make_forecast


def drawn(*ends: float | None) -> dict[str, str] | None:
    return foreseen_interval({"values": dict(zip(SIDES, ends, strict=True))})


def test_places_keep_their_order_and_proportion() -> None:
    found = drawn(-2.0, -1.0, 0.0, 1.0, 2.0)
    assert found is not None
    places = [float(found[name].rstrip("%")) for name in ("low95", "low80", "mean", "high80", "high95")]
    assert places == [2.0, 26.0, 50.0, 74.0, 98.0]
    assert found["zero"] == "50.00%"


@pytest.mark.parametrize(("shift", "seen"), [(3.0, True), (30.0, False), (-30.0, False)])
def test_zero_is_drawn_only_where_it_is_near(shift: float, seen: bool) -> None:
    found = drawn(*(end + shift for end in (-2.0, -1.0, 0.0, 1.0, 2.0)))
    assert found is not None
    assert bool(found["zero"]) == seen


@pytest.mark.parametrize("ends", [(None, 0.0, 1.0, 2.0, 3.0), (5.0,) * 5])
def test_a_missing_end_or_no_width_is_not_drawn(ends: tuple[float | None, ...]) -> None:
    assert drawn(*ends) is None
    assert foreseen_interval(None) is None


@pytest.mark.django_db
def test_words_for_no_scatter_and_for_what_is_not_measured() -> None:
    flat = next_cycle(make_forecast(mean=2.0, lower80=[2.0], upper80=[2.0], source="cycle:31"))
    assert (flat["band"], flat["cycle"]) == ("no scatter so far", 31)
    bare = next_cycle(make_forecast(lower80=[], source="manual"))
    assert (bare["band"], bare["cycle"]) == ("not measured", None)
