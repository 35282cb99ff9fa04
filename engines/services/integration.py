"""`try_integrate_into_workflows`: a module that passed becomes a revision of a workflow that it fits.

A revision is data: a candidate with its preconditions, benchmark and parent. The source of the bot is never
edited, and nothing but a promotion lets a workflow run a candidate.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, replace
from pathlib import Path, PurePosixPath
from typing import Any, Final

from django.conf import settings
from django.db.models import Q

from engines.domain.results import Json
from engines.domain.states import RevisionState
from engines.domain.workflow_matching import MIN_SCORE, Callee, Flow, Match, callees, matches
from engines.models import Engine, WorkflowRevision
from engines.services import bots, workflow_synergies, workflows
from engines.services.workflow_benchmark import Bench, compare
from engines.services.workflow_source import read_source
from orphans.domain.candidates import may_be_mapped, worth_it
from orphans.domain.findings import Classification
from orphans.domain.states import ModuleState, RunState
from orphans.domain.tests_of import module_name
from orphans.models import ModuleRun, OrphanModule
from orphans.sandbox import Cancel, Runner
from orphans.services.packages import packages_of
from orphans.services.planning import with_src
from orphans.services.scanning import file_hash

READY: Final = (ModuleState.PASSED, ModuleState.INTEGRATED)


def proposals(
    engine: Engine,
    checkout: Path,
    commit: str,
    *,
    seed: int = 0,
    paths: Iterable[str] | None = None,
    left_out: Collection[str] = (),
    cancel: Cancel | None = None,
    runner: Runner | None = None,
) -> list[dict[str, Json]]:
    """Return a proposal for each module and workflow that fit, benchmarked, as plain data for `keep`.

    Only what meets every other precondition is benchmarked. What was proposed before for the same content
    and the same parent revision is not proposed again, nor is what is `left_out`. No revision is written here
    but a missing root.
    """
    roots = with_src(checkout, bots.manifest_of(engine).import_paths)
    flows = _flows(engine, checkout, roots)
    parents = {flow.name: parent for flow, parent in flows}
    found = []
    for module in (each for each in _ready(engine, paths) if each.path not in left_out):
        for match in _matches(checkout, module, [flow for flow, _ in flows], roots):
            parent = parents[match.workflow]
            if workflows.exists(engine, parent, module.path, module.content_hash):
                continue
            bench = _bench(engine, checkout, roots, parent, seed, cancel, runner)
            found.append(_proposal(module, match, parent, checkout, commit, bench))
    return found


def _ready(engine: Engine, paths: Iterable[str] | None) -> list[OrphanModule]:
    rows = OrphanModule.objects.of(engine.name).filter(state__in=READY).order_by("path")
    chosen = rows if paths is None else rows.filter(path__in=list(paths))
    return [
        row for row in chosen if may_be_mapped(Classification(row.classification), redundant=row.redundant)
    ]


def _flows(engine: Engine, checkout: Path, roots: tuple[str, ...]) -> list[tuple[Flow, WorkflowRevision]]:
    """Return the engine's workflows as they run today, each with its revision."""
    found = []
    for name in bots.manifest_of(engine).workflows:
        revision = workflows.current(engine, name)
        steps = tuple(_step(checkout, roots, step) for step in revision.steps)
        found.append((Flow(name=name, steps=steps), revision))
    return found


def _step(checkout: Path, roots: tuple[str, ...], step: str) -> Callee:
    """Return what the source declares of a step; nothing where it can't be read."""
    module, _, function = step.partition(":")
    places = (PurePosixPath(root, *module.split(".")) for root in roots)
    files = (each for place in places for each in (f"{place}.py", f"{place}/__init__.py"))
    source = next((text for each in files if (text := read_source(checkout, each))), "")
    declared = next((each for each in callees(source, module) if each.name == function), None)
    return declared or Callee(module=module, name=function, takes="", returns="")


def _matches(checkout: Path, module: OrphanModule, flows: list[Flow], roots: tuple[str, ...]) -> list[Match]:
    name = module_name(module.path, roots)
    return matches(callees(read_source(checkout, module.path), name), flows) if name else []


def _bench(
    engine: Engine,
    checkout: Path,
    roots: tuple[str, ...],
    parent: WorkflowRevision,
    seed: int,
    cancel: Cancel | None,
    runner: Runner | None,
) -> Bench:
    bench = Bench(
        checkout=checkout,
        import_paths=roots,
        packages=packages_of(engine.name),
        input=parent.input,
        seed=seed,
        value=bots.value_model(bots.manifest_of(engine)),
        cancel=cancel,
    )
    return bench if runner is None else replace(bench, run=runner.run)


def _proposal(
    module: OrphanModule,
    match: Match,
    parent: WorkflowRevision,
    checkout: Path,
    commit: str,
    bench: Bench,
) -> dict[str, Json]:
    conditions = preconditions(module, match, checkout, commit)
    meets = all(each["ok"] for each in conditions)
    steps = [*parent.steps[: match.position], match.step, *parent.steps[match.position :]]
    subject = workflow_synergies.subject_of(parent.engine, parent.workflow)
    scenarios = workflow_synergies.presets_for(subject)
    benchmark = compare(bench, parent.steps, steps, scenarios) if meets else None
    refusal = _refusal(conditions, benchmark)
    evidence = {"preconditions": conditions, "match": asdict(match), "refused": refusal}
    return {
        "module_path": module.path,
        "module_hash": module.content_hash,
        "parent_id": parent.pk,
        "workflow": parent.workflow,
        "step": match.step,
        "function": match.function,
        "position": match.position,
        "score": match.score,
        "evidence": evidence,
        "benchmark": benchmark,
        "commit": commit,
        "state": (RevisionState.REJECTED if refusal else RevisionState.CANDIDATE).value,
    }


def preconditions(module: OrphanModule, match: Match, checkout: Path, commit: str) -> list[dict[str, Json]]:
    """Return every precondition with what was seen and whether it holds."""
    tested = ModuleRun.objects.filter(
        subject=module.subject,
        path=module.path,
        content_hash=module.content_hash,
        state=RunState.PASSED,
    )
    run = tested.order_by("-id").first()
    threshold = settings.SANDBOX.side_effect_threshold
    effects = module.side_effects
    mapped = may_be_mapped(Classification(module.classification), redundant=module.redundant)
    there = file_hash(checkout, module.path)
    return [
        _condition("still_orphan", there == module.content_hash != "", f"{module.reason} at {commit[:12]}"),
        _condition("tests_pass", run is not None, "no run" if run is None else f"run {run.pk}: {run.reason}"),
        _condition("side_effects", _light(effects, threshold), f"{_shown(effects)} of {threshold:g}"),
        _condition("not_redundant", mapped, module.classification),
        _condition("signature_fits", bool(match.fits), match.fits),
        _condition("match_score", match.score >= MIN_SCORE, f"{match.score:.2f} of {MIN_SCORE:g}"),
    ]


def _light(effects: float | None, threshold: float) -> bool:
    """Tell whether side effects were counted and are few; with counting switched off nobody knows."""
    return effects is not None and effects <= threshold


def _shown(effects: float | None) -> str:
    return "not measured" if effects is None else f"{effects:g}"


def _condition(name: str, ok: bool, seen: str) -> dict[str, Json]:
    return {"name": name, "ok": ok, "seen": seen[:500]}


def _refusal(conditions: list[dict[str, Json]], benchmark: Mapping[str, Any] | None) -> str:
    """Say why the revision is no candidate; empty when it is one."""
    missed = [each["name"] for each in conditions if not each["ok"]]
    if missed or benchmark is None:
        return f"preconditions not met: {', '.join(missed)}"
    if benchmark["worse"]:
        return f"the workflow fails with it: {benchmark['error']}"
    thresholds = {
        "roi_threshold": settings.SANDBOX.self_test_roi_threshold,
        "synergy_threshold": settings.SANDBOX.self_test_synergy_threshold,
    }
    if not worth_it(benchmark["roi"], None, **thresholds):
        return f"ROI {benchmark['roi']:.4g} is under the threshold {thresholds['roi_threshold']:g}"
    return ""


def keep(
    engine: Engine, found: Iterable[Mapping[str, Any]], *, cycle_id: int | None, by: str
) -> list[WorkflowRevision]:
    """Write the proposals as revisions, each once; return those that are new."""
    kept = []
    for each in found:
        wanted = {name: value for name, value in each.items() if name not in ("workflow", "state")}
        state = RevisionState(each["state"])
        revision = workflows.propose(engine, **wanted, state=state, cycle_id=cycle_id, by=by)
        if revision is not None:
            kept.append(revision)
            _note_roi(engine, each)
    return kept


def _note_roi(engine: Engine, proposal: Mapping[str, Any]) -> None:
    """Keep the measured ROI with the self-tests of the same content; the best where several were measured."""
    roi = proposal["benchmark"] and proposal["benchmark"]["roi"]
    if roi is not None:
        same = {"path": proposal["module_path"], "content_hash": proposal["module_hash"]}
        runs = ModuleRun.objects.filter(subject=engine.name, **same, state=RunState.PASSED)
        runs.filter(Q(roi=None) | Q(roi__lt=roi)).update(roi=roi)


def try_integrate_into_workflows(
    engine: Engine,
    checkout: Path,
    commit: str,
    *,
    paths: Iterable[str] | None = None,
    by: str,
    runner: Runner | None = None,
) -> list[WorkflowRevision]:
    """Propose, benchmark and keep in one go; return the new revisions, candidates and refused ones."""
    found = proposals(engine, checkout, commit, paths=paths, runner=runner)
    return keep(engine, found, cycle_id=None, by=by)
