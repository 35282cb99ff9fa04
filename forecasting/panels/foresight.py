"""Verdicts as plain mappings."""

from collections.abc import Iterator
from typing import Any, Final

from django.db.models import Q

from forecasting.models import Verdict

COLUMNS: Final = (
    "subject", "risk", "brittle", "p_collapse", "collapse_in", "curve", "probabilities", "elasticity",
    "reason", "evidence", "template", "cycles", "cycle", "at", "due",
)  # fmt: skip
MOST: Final = 200


def verdicts(subject: str) -> list[dict[str, Any]]:
    """Return the latest verdicts on a subject and on what is below it (`alpha`, `alpha/score`), by name."""
    rows = Verdict.objects.filter(Q(subject=subject) | Q(subject__startswith=f"{subject}/"))
    return list(rows.order_by("subject").values(*COLUMNS)[:MOST])


def all_verdicts() -> Iterator[dict[str, Any]]:
    """Yield the latest verdict on every subject, by name."""
    yield from Verdict.objects.order_by("subject").values(*COLUMNS).iterator()
