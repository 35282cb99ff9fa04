"""Whose turn it is to run through the hard stages: candidates that wait for evidence, then what is live.

Pure reading; `temporal_stages.measure_due` takes the first.
"""

from collections.abc import Iterator

from django.db.models import Max, OuterRef, Subquery

from engines import git
from engines.domain.promotion import PromotionState
from engines.domain.states import CycleState, RevisionState
from engines.models import Cycle, Engine, WorkflowRevision, WorkflowStages
from engines.services import bots, workflows

Turn = tuple[Engine, WorkflowRevision]


def waiting() -> Iterator[Turn]:
    """Yield what is due, one after the other: the candidates first, as a person waits for them."""
    yield from candidates()
    for engine, name in _workflows():
        yield engine, workflows.current(engine, name)


def candidates() -> Iterator[Turn]:
    """Yield the revisions whose promotion is held and that did not run at today's commit, the oldest first.

    Before each comes what it would replace, where that did not run at this commit either: one without the
    other is no comparison.
    """
    held = WorkflowRevision.objects.filter(
        promotions__state=PromotionState.HELD, state=RevisionState.CANDIDATE, engine__enabled=True
    )
    for revision in held.select_related("engine", "parent").order_by("promotions__pk"):
        for each in (revision.parent, revision):
            if each is not None and not _ran(each):
                yield revision.engine, each


def _ran(revision: WorkflowRevision) -> bool:
    """Tell whether the revision ran at the commit that its bot is at, or that can't be read."""
    try:
        head = bots.head(revision.engine)
    except (git.GitError, OSError):
        return True
    return WorkflowStages.objects.filter(revision=revision, commit=head).exists()


def _workflows() -> list[tuple[Engine, str]]:
    """Return the enabled engines' workflows with a done cycle since their latest set, the longest first."""
    done = Cycle.objects.filter(engine=OuterRef("pk"), state=CycleState.DONE).order_by("-id").values("pk")
    engines = Engine.objects.filter(enabled=True).annotate(done=Subquery(done[:1])).exclude(done=None)
    latest = {
        (row["engine"], row["workflow"]): row["latest"]
        for row in WorkflowStages.objects.values("engine", "workflow").annotate(latest=Max("cycle"))
    }
    found = [
        (latest.get((engine.pk, name)) or 0, engine, name)
        for engine in engines
        for name in bots.manifest_of(engine).workflows
    ]
    due = [each for each in found if each[0] < each[1].done]  # type: ignore[attr-defined]
    return [
        (engine, name) for _, engine, name in sorted(due, key=lambda each: (each[0], each[1].pk, each[2]))
    ]
