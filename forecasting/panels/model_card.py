"""The forecast model in use and those before it, as plain mappings: data, date, backtest."""

import json
from functools import cache
from importlib import resources
from typing import Any, Final, TypedDict

from forecasting.models import ForecastModel

CARD: Final = "forecast_model.json"
OLDER: Final = 20


class Row(TypedDict):
    """Walk-forward scores of one recipe; None where nothing was scored."""

    recipe: str
    used: bool
    mase: float | None
    crps: float | None
    inside80: float | None
    inside95: float | None
    first: float | None
    cases: int


class Card(TypedDict):
    """What is known of one model."""

    name: str
    version: str
    digest: str
    state: str
    recipe: str
    parent: str
    at: str
    made_by: str
    series: int
    points: int
    rows: int
    families: dict[str, int]
    fields: dict[str, float]
    backtest: list[Row]


class Panel(TypedDict):
    """The model in use, the shipped one, and the newest of those that training made."""

    active: Card
    shipped: Card
    trained: list[Card]


def model_card() -> Panel:
    """Return the cards. `active` is the shipped model's while no training put another one in use.

    Scores are means over origins: `first` and `mase` are errors in mean absolute steps one step and one to
    five steps ahead, `crps` in the same unit, `inside80` and `inside95` shares of values within the
    intervals.
    """
    trained = [_of_row(row) for row in ForecastModel.objects.cards()[:OLDER]]
    active = next((card for card in trained if card["state"] == ForecastModel.ACTIVE), None)
    ours = shipped_card()
    ours["state"] = ForecastModel.RETIRED if active else ForecastModel.ACTIVE
    return {"active": active or ours, "shipped": ours, "trained": trained}


def _of_row(row: ForecastModel) -> Card:
    context = row.context or {"names": [], "weights": []}
    return {
        "name": f"global {row.version}",
        "version": row.version,
        "digest": row.digest,
        "state": row.state,
        "recipe": row.chosen,
        "parent": row.parent,
        "at": row.at.isoformat(),
        "made_by": row.made_by,
        "series": row.series,
        "points": row.points,
        "rows": row.rows,
        "families": {},
        "fields": dict(zip(context["names"], context["weights"], strict=True)),
        "backtest": [_row(name, scores, used=name == row.chosen) for name, scores in row.backtest.items()],
    }


def _row(recipe: str, scores: dict[str, Any], *, used: bool) -> Row:
    return {
        "recipe": recipe,
        "used": used,
        "mase": scores.get("mase"),
        "crps": scores.get("crps"),
        "inside80": scores.get("inside80"),
        "inside95": scores.get("inside95"),
        "first": scores.get("first"),
        "cases": scores.get("cases") or 0,
    }


def shipped_card() -> Card:
    """Return the shipped model's card; its scores are of sources that its trees had not seen."""
    card = _shipped()
    return {
        "name": f"global {card['version']}",
        "version": card["version"],
        "digest": card["digest"],
        "state": ForecastModel.ACTIVE,
        "recipe": "shipped",
        "parent": "",
        "at": card["made_on"],
        "made_by": card["made_by"],
        "series": card["data"]["series"],
        "points": card["data"]["points"],
        "rows": card["rows"],
        "families": dict(card["data"]["families"]),
        "fields": {},
        "backtest": [
            _row("shipped", card["backtest"]["ours"], used=True),
            _row("the last value again", card["backtest"]["naive"], used=False),
        ],
    }


@cache
def _shipped() -> dict[str, Any]:
    """Return the shipped card's file; NumPy isn't needed for it, so pages may show it."""
    found: dict[str, Any] = json.loads(resources.files("forecasting.domain").joinpath(CARD).read_text())
    return found
