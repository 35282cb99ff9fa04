"""What is known of an engine's workflows and its model, gathered for the estimate of their graph.

Source text is read from one commit and never imported. Keys of an output are those of the latest measured
run; where none was made, those that the source spells out.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, Final

from engines import git
from engines.domain.manifest import Workflow
from engines.domain.unseen import visible
from engines.domain.workflow_matching import Callee, callees, keys_after
from engines.domain.workflows.closure import Closure, Source, closure
from engines.domain.workflows.coupling import Member
from engines.domain.workflows.graph import MODEL
from engines.models import Engine, WorkflowRevision, WorkflowStages
from engines.services import bots
from forecasting.domain.foresight import WINDOW
from forecasting.models import CycleMetrics
from orphans.domain.tests_of import module_name

MAX_KEYS: Final = 200
KEY_LENGTH: Final = 200
INPUT_BYTES: Final = 2**20


class Checkout:
    """The files of one commit, read when they are asked for."""

    def __init__(self, engine: Engine, commit: str) -> None:
        self._root = Path(engine.repository)
        self._entries = {entry.path: entry for entry in git.files(self._root, commit)}
        roots = bots.manifest_of(engine).import_paths
        in_src = any(path.startswith("src/") for path in self._entries)
        src_layout = roots == (".",) and in_src and "src/__init__.py" not in self._entries
        self._import_paths = (".", "src") if src_layout else roots
        self._sources: dict[str, Source | None] = {}

    def text(self, path: str, limit: int = INPUT_BYTES) -> str | None:
        """Return a file's text; None when it is missing, no plain file, too large or no UTF-8."""
        return git.read_entry(self._root, self._entries.get(path), limit)

    def modules(self, paths: Iterable[str]) -> frozenset[str]:
        """Return the dotted names of those files that are modules of this commit."""
        files = (path for path in paths if path in self._entries and path.endswith(".py"))
        names = (module_name(path, self._import_paths) for path in files)
        return frozenset(filter(None, names))

    def find(self, name: str) -> Source | None:
        """Return the source of a module by its dotted name; None when the repository has none."""
        if name not in self._sources:
            self._sources[name] = self._found(name)
        return self._sources[name]

    def _found(self, name: str) -> Source | None:
        for root in self._import_paths:
            place = str(PurePosixPath(root, *name.split(".")))
            for path, is_package in ((f"{place}.py", False), (f"{place}/__init__.py", True)):
                text = self.text(path) if path in self._entries else None
                if text is not None:
                    return Source(text, is_package)
        return None


def gather(engine: Engine, commit: str) -> tuple[list[Member], dict[str, dict[str, Any]]]:
    """Return the engine's model and workflows as members, and by name what of each is known, for the page."""
    found = bots.manifest_of(engine).workflows
    checkout = Checkout(engine, commit)
    active = {row.workflow: row for row in WorkflowRevision.objects.active(engine.pk)}
    members, told = _model(engine, checkout)
    for name, workflow in found.items():
        revision = active.get(name)
        steps = revision.steps if revision is not None else list(workflow.steps)
        made_of = closure((step.partition(":")[0] for step in steps), checkout.find)
        takes, gives = _keys(engine, workflow, revision, _callees(checkout, steps), checkout)
        members.append(
            Member(
                name=name,
                modules=made_of.modules or None,
                ran=_ran(engine, name, revision, checkout),
                takes=takes[0],
                gives=gives[0],
                roi=roi_of(f"{engine.name}/{name}"),
            )
        )
        told[name] = _told(made_of, steps, takes, gives, len(members[-1].roi))
    return members, told


def _model(engine: Engine, checkout: Checkout) -> tuple[list[Member], dict[str, dict[str, Any]]]:
    """Return the bot's model as the first member: what its pipeline imports, and the ROI of the bot.

    Nothing where the bot trains none. What it takes and gives are no payloads of workflows.
    """
    pipeline = bots.manifest_of(engine).pipeline
    if pipeline is None:
        return [], {}
    made_of = closure([pipeline.partition(":")[0]], checkout.find)
    roi = roi_of(engine.name)
    member = Member(name=MODEL, modules=made_of.modules or None, roi=roi, only_source=True)
    unknown: Keys = None, "no payload of a workflow"
    return [member], {MODEL: _told(made_of, [pipeline], unknown, unknown, len(roi))}


def _ran(
    engine: Engine, name: str, revision: WorkflowRevision | None, checkout: Checkout
) -> frozenset[str] | None:
    """Return the modules of which the latest measured normal run called a function; None: no run counted."""
    called = _normal(engine, name, revision).get("called")
    return checkout.modules(called) or None if isinstance(called, list) else None


Keys = tuple[frozenset[str] | None, str]
"""Keys of a payload, and where they are known from."""


def _keys(
    engine: Engine,
    workflow: Workflow,
    revision: WorkflowRevision | None,
    steps: Sequence[Callee],
    checkout: Checkout,
) -> tuple[Keys, Keys]:
    return _taken(workflow, steps, checkout), _given(engine, workflow.name, revision, steps)


def _taken(workflow: Workflow, steps: Sequence[Callee], checkout: Checkout) -> Keys:
    """Return the keys of the input file, else those that the first step reads by name."""
    text = checkout.text(workflow.input) if workflow.input else None
    keys = None if text is None else keys_of(_parsed(text))
    if keys:
        return keys, f"input {workflow.input}"
    reads = steps[0].reads if steps else frozenset()
    return (_shown(reads), "read by the first step") if reads else (None, "not known")


def _given(engine: Engine, name: str, revision: WorkflowRevision | None, steps: Sequence[Callee]) -> Keys:
    """Return the keys of what the latest measured run gave, else those that the steps spell out."""
    keys = _normal(engine, name, revision).get("keys")
    if keys:
        return _shown(keys), "output of a measured run"
    spelt = keys_after(steps)
    return (_shown(spelt), "spelt out by the steps") if spelt else (None, "not known")


def _normal(engine: Engine, name: str, revision: WorkflowRevision | None) -> Mapping[str, Any]:
    """Return the normal stage of the latest set of what runs today; empty where none was measured."""
    rows = WorkflowStages.objects.filter(engine=engine, workflow=name, revision=revision).order_by("-id")
    found = (rows.values_list("stages", flat=True).first() or {}).get("normal")
    return found if isinstance(found, Mapping) else {}


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def keys_of(value: Any) -> frozenset[str] | None:
    """Return the keys of a payload, of its first item where it is a list; None when it has none."""
    first = value[0] if isinstance(value, list) and value else value
    if not isinstance(first, Mapping) or not first:
        return None
    return _shown(list(first)[:MAX_KEYS])


def _shown(keys: Iterable[object]) -> frozenset[str]:
    """Return keys as they can be kept and shown, whatever the bot wrote into them."""
    return frozenset(visible(str(key)[:KEY_LENGTH]) for key in keys)


def _callees(checkout: Checkout, steps: Sequence[str]) -> list[Callee]:
    """Return what the source declares of each step; nothing of one that can't be read."""
    return [_callee(checkout, *step.partition(":")[::2]) for step in steps]


def _callee(checkout: Checkout, module: str, function: str) -> Callee:
    source = checkout.find(module)
    declared = callees(source.text, module) if source is not None else []
    found = next((each for each in declared if each.name == function), None)
    return found or Callee(module=module, name=function, takes="", returns="")


def roi_of(subject: str) -> dict[int, float]:
    """Return what the subject's latest cycles were worth, by cycle."""
    rows = CycleMetrics.objects.filter(subject=subject, roi__isnull=False).order_by("-cycle")
    return {row.cycle: row.roi for row in rows.only("cycle", "roi")[:WINDOW] if row.roi is not None}


def _told(made_of: Closure, steps: Sequence[str], takes: Keys, gives: Keys, cycles: int) -> dict[str, Any]:
    return {
        "steps": list(steps),
        "modules": sorted(made_of.modules),
        "whole": made_of.whole,
        "takes": {"keys": None if takes[0] is None else sorted(takes[0]), "from": takes[1]},
        "gives": {"keys": None if gives[0] is None else sorted(gives[0]), "from": gives[1]},
        "cycles": cycles,
    }
