"""How far modules have come, as plain mappings: sums over all their runs, and whether they are complete."""

from typing import Any

from forecasting.models import ModuleProgress

Panel = dict[str, Any]
ROW = (
    "id", "subject", "path", "samples", "entropy", "entropy_change", "roi_total", "roi_count", "updated_at",
    "complete", "completed_at", "completed_by", "reason", "reopened_at", "reopened_by", "reopened_reason",
)  # fmt: skip


def progress_row(row: ModuleProgress) -> Panel:
    """Return what is known of one module; None where nothing of the kind was ever measured."""
    return {
        **{name: getattr(row, name) for name in ROW},
        "roi_mean": None if row.roi_total is None else row.roi_total / row.roi_count,
        "recent": [
            {name: each[name] for name in ("order", "roi", "entropy", "moved")} for each in row.recent
        ],
    }


def module_progress(subject: str, path: str) -> Panel | None:
    """Return how far a module has come; None when no cycle counted it."""
    row = ModuleProgress.objects.filter(subject=subject, path=path).first()
    return None if row is None else progress_row(row)


def module_rankings(subject: str, limit: int = 50) -> list[Panel]:
    """Return the modules that brought the most, best first, by index; unmeasured ones have no rank."""
    rows = ModuleProgress.objects.filter(subject=subject, roi_count__gt=0).order_by("-roi_total", "id")
    return [progress_row(row) for row in rows[:limit]]
