"""What must happen again and again for self-tests: lost messages, dead workers, folders left behind."""

import time
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db.models import Q
from django.db.models.functions import Now

from orphans.domain.states import ACTIVE_BATCH, RunState
from orphans.models import ModuleRun, SelfTestRun
from orphans.sandbox import remove_tree
from orphans.services import self_tests

BATCH: Final = 100
OLD_SECONDS: Final = 86_400.0


def checkouts() -> Path:
    """Return the folder of the checkouts that sets of self-tests own."""
    return Path(settings.DATA_DIR) / "self_tests"


def is_claimable(batch_id: int) -> bool:
    """Tell whether a self-test of the set waits, or lost its worker."""
    free = Q(state=RunState.QUEUED) | Q(state=RunState.RUNNING, lease_until__lt=Now())
    return ModuleRun.objects.filter(free, batch=batch_id).exists()


def sweep() -> list[int]:
    """Close what has ended and remove what it left; return the sets that need a worker."""
    waiting = []
    active = SelfTestRun.objects.filter(state__in=ACTIVE_BATCH).order_by("pk")
    for batch_id in active.values_list("pk", flat=True)[:BATCH]:
        if not self_tests.close(batch_id) and is_claimable(batch_id):
            waiting.append(batch_id)
    sweep_checkouts()
    return waiting


def sweep_checkouts() -> int:
    """Remove the checkouts of sets that have ended, and what nobody has used for a day; return how many.

    A folder whose set isn't there yet, or whose owner still works in it, is young.
    """
    root = checkouts().resolve()
    if not root.is_dir():
        return 0
    places = {str(place): place for place in root.iterdir()}
    sets = SelfTestRun.objects.filter(checkout__in=places)
    active = set(sets.filter(state__in=ACTIVE_BATCH).values_list("checkout", flat=True))
    ended = set(sets.filter(owned_checkout=True).values_list("checkout", flat=True))
    left = [
        name for name, place in places.items() if name not in active and (name in ended or _is_old(place))
    ]
    for name in left:
        remove_tree(places[name])
    return len(left)


def _is_old(place: Path) -> bool:
    try:
        return place.lstat().st_mtime < time.time() - OLD_SECONDS
    except FileNotFoundError:  # another sweep was quicker
        return False
