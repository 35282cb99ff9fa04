"""An input whose shape has drifted: what a workflow gets when whoever feeds it changes without telling.

A share of the records gets one change each, drawn by lot with a seed, so that a repeated run gets the same.
Records are the objects of a list, found at the top or one key down; else the one object itself.
"""

import copy
import random
from collections.abc import Callable
from typing import Any, Final

Json = Any
SUFFIX: Final = "_v2"


def drifted(value: Json, *, seed: int, share: float) -> Json:
    """Return a copy of `value` with `share` of its records changed, at least one; without records, as it is.

    >>> drifted([{"age": 3}], seed=4, share=1.0)
    [{'age_v2': 3}]
    """
    made = copy.deepcopy(value)
    records = [record for record in _records(made) if record]
    if not records:
        return made
    chance = random.Random(f"drift:{seed}")  # noqa: S311 - nothing secret
    count = min(len(records), max(1, round(share * len(records))))
    for place in sorted(chance.sample(range(len(records)), count)):
        chance.choice(CHANGES)(records[place], chance.choice(sorted(records[place])))
    return made


def _records(value: Json) -> list[dict[str, Json]]:
    """Return the objects that count as records, to be changed in place."""
    if isinstance(value, list):
        return [each for each in value if isinstance(each, dict)]
    if not isinstance(value, dict):
        return []
    inner = [_records(each) for _, each in sorted(value.items()) if isinstance(each, list)]
    return max(inner, key=len, default=[]) or [value]


def _renamed(record: dict[str, Json], key: str) -> None:
    record[key + SUFFIX] = record.pop(key)


def _dropped(record: dict[str, Json], key: str) -> None:
    del record[key]


def _emptied(record: dict[str, Json], key: str) -> None:
    record[key] = None


def _retyped(record: dict[str, Json], key: str) -> None:
    """Make text of a number, and a list of anything else."""
    value = record[key]
    record[key] = str(value) if isinstance(value, int | float) else [value]


def _extended(record: dict[str, Json], key: str) -> None:
    record[f"{key}_unit"] = "unknown"


CHANGES: Final[tuple[Callable[[dict[str, Json], str], None], ...]] = (
    _renamed,
    _dropped,
    _emptied,
    _retyped,
    _extended,
)
"""What may happen to a record: a key renamed, dropped, emptied, of another type, or one more key."""
