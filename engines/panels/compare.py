"""Cycles side by side: one row a fact, one column a cycle, changes against the first."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from engines.domain.states import STEPS
from engines.domain.wording import MINUS, NOT_MEASURED, lasting, number, signed, word
from engines.models import Cycle, CycleStep
from forecasting.panels.outcomes import is_number

Panel = dict[str, Any]
MOST = 5
MAX_NAMES = 40
Number = float | int | None
NOTHING = "\N{EN DASH}"
NUMBERS: tuple[tuple[str, str, str, Callable[[float | None], str]], ...] = (
    ("Asked for", "Energy", "energy", number),
    ("Asked for", "Seed", "seed", number),
    ("Course", "Duration", "duration", lasting),
    ("Course", "CPU time", "cpu_seconds", lasting),
    ("Course", "Steps done", "steps_done", number),
    ("Worth", "ROI delta", "roi_delta", signed),
    ("Worth", "Gain", "roi_gain", signed),
    ("Worth", "Value", "value", number),
    ("Worth", "Cost", "cost", number),
    ("Worth", "Moving average", "roi_delta_ema", signed),
    ("Worth", "Momentum", "momentum", number),
)
TEXTS = (
    ("Asked for", "Engine", "engine"),
    ("Asked for", "Trigger", "trigger"),
    ("Asked for", "Who", "requested_label"),
    ("Course", "State", "state"),
    ("Course", "Message", "message"),
)


def compare(cycles: Sequence[Cycle], steps: Sequence[CycleStep], *, everything: bool = False) -> Panel:
    """Return the rows in which the cycles differ (`everything`: all), in groups; the first is the base."""
    by_cycle = {cycle.pk: {row.name: row for row in steps if row.cycle_id == cycle.pk} for cycle in cycles}
    columns = [by_cycle[cycle.pk] for cycle in cycles]
    rows = [*_facts(cycles), *_step_rows(columns), *_results(columns)]
    shown = [row for row in rows if everything or row["differs"]]
    groups = dict.fromkeys(row["group"] for row in shown)
    return {
        "cycles": [_head(cycle) for cycle in cycles],
        "groups": [(group, [row for row in shown if row["group"] == group]) for group in groups],
        "rows": shown,
        "same": len(rows) - len([row for row in rows if row["differs"]]),
    }


def _head(cycle: Cycle) -> Panel:
    return {
        "id": cycle.pk,
        "engine": cycle.engine.name,
        "state": cycle.state,
        "word": word(cycle.state),
        "created_at": cycle.created_at,
    }


def _facts(cycles: Sequence[Cycle]) -> list[Panel]:
    texts = [
        _row(group, label, [str(getattr(cycle, name)) for cycle in cycles]) for group, label, name in TEXTS
    ]
    numbers = [
        _numbers(group, label, [getattr(cycle, name) for cycle in cycles], said)
        for group, label, name, said in NUMBERS
    ]
    return sorted([*texts, *numbers], key=lambda row: ("Asked for", "Course", "Worth").index(row["group"]))


def _step_rows(columns: Sequence[Mapping[str, CycleStep]]) -> list[Panel]:
    """Return a row for how each step ended and one for how long it took."""
    rows = []
    for name in STEPS:
        found = [column.get(name) for column in columns]
        if any(found):
            states = [word(step.state) if step else "no such step" for step in found]
            seconds = [step.duration if step else None for step in found]
            rows += [_row("Steps", name, states), _numbers("Steps", f"{name}, time", seconds, lasting)]
    return rows


def _results(columns: Sequence[Mapping[str, CycleStep]]) -> list[Panel]:
    """Return the metrics and parameters of each cycle's challenger, and its verdict."""
    results = [column["retrain"].result if "retrain" in column else {} for column in columns]
    plain = [result if isinstance(result, Mapping) else {} for result in results]
    challengers = [_mapping(result, "challenger") for result in plain]
    verdicts = [word(str(result.get("verdict", ""))[:60]) or "nothing was trained" for result in plain]
    rows = [_row("Challenger", "Verdict", verdicts)]
    rows += _named("Metrics", [_mapping(each, "metrics") for each in challengers], measured=True)
    return rows + _named("Parameters", [_mapping(each, "params") for each in challengers], measured=False)


def _named(group: str, columns: Sequence[Mapping[str, Any]], *, measured: bool) -> list[Panel]:
    """Return a row a name; a gap among what is `measured` says so, another is a dash."""
    names = list(dict.fromkeys(name for column in columns for name in column))[:MAX_NAMES]
    rows = []
    for name in names:
        values = [column.get(name) for column in columns]
        label = word(str(name))[:80]
        numeric = all(value is None or is_number(value) for value in values)
        if numeric and (measured or None not in values):
            rows.append(_numbers(group, label, values, number))
        else:
            rows.append(_row(group, label, [_said(value) for value in values]))
    return rows


def _said(value: Any) -> str:
    if value is None:
        return NOTHING
    if isinstance(value, int | float) and not isinstance(value, bool):
        return number(value)
    return str(value)[:80]


def _numbers(group: str, label: str, values: Sequence[Number], said: Callable[[float | None], str]) -> Panel:
    """Return a row of numbers; beside the baseline's, each says how much more or less it is."""
    found = [None if value is None else float(value) for value in values]
    row = _row(group, label, [said(value) or NOT_MEASURED for value in found])
    # times that are said the same are no difference: they scatter below what anybody reads
    differs = row["differs"] if said is lasting else len(set(found)) > 1
    for cell, value in zip(row["cells"][1:], found[1:], strict=True):
        cell["change"] = _change(value, found[0], said) if differs else ""
    return {**row, "differs": differs}


def _change(value: float | None, base: float | None, said: Callable[[float | None], str]) -> str:
    """Return a difference in the row's own unit, with its sign; empty where there is none to tell."""
    if value is None or base is None or value == base:
        return ""
    change = value - base
    if said is lasting:
        return f"{'+' if change > 0 else MINUS}{lasting(abs(change))}"
    return signed(change)


def _row(group: str, label: str, texts: Sequence[str]) -> Panel:
    cells = [{"text": text or NOTHING, "change": ""} for text in texts]
    return {"group": group, "label": label, "cells": cells, "differs": len(set(texts)) > 1}


def _mapping(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = data.get(key)
    return found if isinstance(found, Mapping) else {}
