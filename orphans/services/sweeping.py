"""What must happen again and again for self-tests: lost messages, dead workers, folders left behind."""

from pathlib import Path
from typing import Final

from django.conf import settings
from django.db.models import Q
from django.db.models.functions import Now

from orphans.domain.states import ACTIVE_BATCH, BatchState, RunState
from orphans.models import ModuleRun, SelfTestRun
from orphans.sandbox import remove_tree
from orphans.services import self_tests

BATCH: Final = 100


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
    for batch_id in SelfTestRun.objects.filter(state__in=ACTIVE_BATCH).values_list("pk", flat=True)[:BATCH]:
        if not self_tests.close(batch_id) and is_claimable(batch_id):
            waiting.append(batch_id)
    sweep_checkouts()
    return waiting


def sweep_checkouts() -> int:
    """Remove the checkouts of sets that have ended, and those of none; return how many."""
    root = checkouts().resolve()
    if not root.is_dir():
        return 0
    places = {str(place): place for place in root.iterdir()}
    used = SelfTestRun.objects.filter(state__in=[BatchState.QUEUED, BatchState.RUNNING], checkout__in=places)
    left = places.keys() - set(used.values_list("checkout", flat=True))
    for name in left:
        remove_tree(places[name])
    return len(left)
