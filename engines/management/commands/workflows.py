"""`manage.py workflows`: how workflows hang together, and how they bear hard conditions."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from engines.domain.cycle import Interrupted
from engines.domain.errors import Conflict, InvalidInput
from engines.domain.unseen import visible, visible_data
from engines.models import Engine, WorkflowRevision
from engines.panels import graph as graphs
from engines.services import bots, temporal_stages, workflow_graph, workflows
from engines.services.stage_runs import REPEATS, SECONDS


class Command(BaseCommand):
    """Workflows from the command line. Exit code 2: bad input, 3: stopped, 4: the sandbox can't run here."""

    help = "Show how an engine's workflows hang together, or run them through hard conditions."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the subcommands."""
        commands = parser.add_subparsers(dest="command", required=True)
        graph = commands.add_parser("graph", help="show the graph, and what a change would do to the others")
        graph.add_argument("--refresh", action="store_true", help="measure it anew first")
        graph.add_argument("--change", metavar="WORKFLOW", help="follow a change of this workflow")
        graph.add_argument("--roi-delta", type=float, default=1.0, help="what the change brings")
        graph.add_argument("--synergy-delta", type=float, default=0.0, help="its synergy")
        stages = commands.add_parser("stages", help="run workflows through the five stages in the sandbox")
        stages.add_argument("--workflow", help="only this one; default: all of the engine")
        stages.add_argument("--revision", type=int, help="a candidate in place of what runs today")
        stages.add_argument("--repeats", type=int, default=REPEATS, help="runs of each stage, 1 to 20")
        stages.add_argument("--seconds", type=float, default=SECONDS, help="time for one workflow")
        stages.add_argument("--show", action="store_true", help="run nothing, show what was measured last")
        for each in (graph, stages):
            each.add_argument("engine", help="name of the engine")
            each.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Carry out one subcommand."""
        try:
            engine = Engine.objects.get(name=options["engine"])
        except Engine.DoesNotExist:
            raise InvalidInput(
                f"there is no engine {options['engine']!r}; `engines list` shows them"
            ) from None
        getattr(self, f"_{options['command']}")(engine, options)

    def _graph(self, engine: Engine, options: dict[str, Any]) -> None:
        if options["refresh"]:
            workflow_graph.refresh(engine)
        deltas = options["roi_delta"], options["synergy_delta"]
        wave = graphs.wave(engine, options["change"], *deltas) if options["change"] else None
        found = {**graphs.graph(engine), "wave": wave}
        if options["json"]:
            return self.stdout.write(json.dumps(found, default=str, allow_nan=False))
        for line in _graph_lines(found):
            self.stdout.write(line)
        return None

    def _stages(self, engine: Engine, options: dict[str, Any]) -> None:
        if not 1 <= options["repeats"] <= 20:
            raise InvalidInput("must lie between 1 and 20", field="repeats")
        found = {}
        for revision in _revisions(engine, options):
            if not options["show"]:
                self._measure(engine, revision, options)
            found[revision.workflow] = temporal_stages.evidence_for(engine, revision.workflow, revision)
        if options["json"]:
            return self.stdout.write(json.dumps(visible_data(found), allow_nan=False))
        for name, evidence in found.items():
            for line in _stage_lines(name, evidence):
                self.stdout.write(line)
        return None

    def _measure(self, engine: Engine, revision: WorkflowRevision, options: dict[str, Any]) -> None:
        limits = {"repeats": options["repeats"], "seconds": options["seconds"]}
        try:
            temporal_stages.measure(engine, revision, by="command line", **limits)
        except Interrupted:
            raise Conflict("the run was stopped; nothing of it was kept") from None


def _revisions(engine: Engine, options: dict[str, Any]) -> list[WorkflowRevision]:
    """Return what shall run: one candidate, one workflow as it runs today, or all of them."""
    if options["revision"] is not None:
        found = WorkflowRevision.objects.filter(engine=engine, pk=options["revision"]).first()
        if found is None:
            raise InvalidInput(f"{engine.name} has no revision {options['revision']}", field="revision")
        return [found]
    known = sorted(bots.manifest_of(engine).workflows)
    if options["workflow"] is not None and options["workflow"] not in known:
        told = ", ".join(known) or "none"
        raise InvalidInput(f"{engine.name} has no such workflow; it has {told}", field="workflow")
    names = known if options["workflow"] is None else [options["workflow"]]
    return [workflows.current(engine, name) for name in names]


def _graph_lines(found: dict[str, Any]) -> list[str]:
    flows = sum(node["kind"] == "workflow" for node in found["nodes"])
    model = " and the model" if flows < len(found["nodes"]) else ""
    lines = [f"{flows} workflows{model}, {len(found['edges'])} edges"]
    if found["at"] is None:
        lines.append("not measured yet; --refresh measures it")
    elif found["due"]:
        lines.append("something happened since it was measured; --refresh measures it anew")
    for edge in found["edges"]:
        seen = "; ".join(each["text"] for each in edge["seen"])
        lines.append(f"{edge['source']} → {edge['target']}: {edge['passes']:.2f} ({seen})")
    lines += [f"left out: {each['source']} → {each['target']}, {each['reason']}" for each in found["refused"]]
    for each in found["wave"]["felt"] if found["wave"] else ():
        way = " → ".join(each["path"])
        lines.append(f"{each['workflow']:20} ROI {each['roi']:+.4g}, synergy {each['synergy']:+.4g} by {way}")
    return lines


def _stage_lines(name: str, evidence: dict[str, Any]) -> list[str]:
    if not evidence["measured"]:
        return [f"{name}: {evidence['note']}"]
    lines = [
        f"{name}: degradation {_share(evidence['degradation'])}, survived {_share(evidence['resilience'])}"
    ]
    for stage, row in evidence["stages"].items():
        seconds = "" if row["seconds"] is None else f", {row['seconds']:.2f} s"
        told = visible(row["note"] or row["error"])
        ran = f"{row['successes']} of {row['runs']} runs{seconds}, lost {_share(row['degradation'])}"
        lines.append(f"  {stage:16} {ran}{f'  ({told})' if told else ''}")
    return lines


def _share(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.0%}"
