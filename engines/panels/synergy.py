"""What modules add to an engine's workflows, metric by metric, in words for pages."""

from collections.abc import Mapping
from typing import Any

from engines.domain.unseen import visible
from engines.domain.wording import NOT_MEASURED, number, signed, word
from engines.models import Engine
from engines.services import bots
from engines.services.workflow_synergies import subject_of
from forecasting.domain.metrics import PREFIX
from forecasting.panels import synergy_panel

Panel = dict[str, Any]
BETTER = {("higher", 1): "up", ("higher", -1): "down", ("lower", 1): "down", ("lower", -1): "up"}


def of_engine(engine: Engine, scenario: str = "") -> list[Panel]:
    """Return the panel of each workflow of an engine, by name."""
    names = sorted(bots.manifest_of(engine).workflows)
    return [synergy_panel(subject_of(engine, name), scenario) for name in names]


def synergy_page(panel: Mapping[str, Any]) -> Panel:
    """Return a panel in words: what was measured as rows, the others with what they would need."""
    seen = [row for row in panel["metrics"] if _is_known(row)]
    return {
        "subject": visible(panel["subject"]),
        "source": visible(panel["source"] or ""),
        "at": panel["at"],
        "rows": [_row(row) for row in seen],
        "missing": [(_name(row), row["needed"]) for row in panel["metrics"] if not _is_known(row)],
        "count": f"{len(seen)} of {len(panel['metrics'])}",
    }


def _is_known(row: Mapping[str, Any]) -> bool:
    return row["value"] is not None or row["ahead"] is not None


def _row(row: Mapping[str, Any]) -> Panel:
    value, trust = row["value"], row["reliability"]
    return {
        "name": _name(row),
        "unit": row["unit"],
        "source": row["source"],
        "value": signed(value),
        "sign": BETTER.get((row["good"], _way(value)), ""),
        "ahead": signed(row["ahead"]),
        "reliability": NOT_MEASURED if trust is None else f"{trust:.2f}",
        "count": number(row["count"]),
    }


def _name(row: Mapping[str, Any]) -> str:
    return word(row["name"].removeprefix(PREFIX))


def _way(value: float | None) -> int:
    return 0 if not value else (1 if value > 0 else -1)
