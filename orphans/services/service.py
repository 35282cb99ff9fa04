"""`SelfTestService` for plain Python: one object that goes the whole way with a repository's modules."""

import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from orphans.domain.candidates import Switches
from orphans.models import SelfTestRun
from orphans.sandbox import Cancel
from orphans.services import executing, flow, self_tests
from orphans.services.flow import Task


class SelfTestService:
    """Tests modules of one checkout in the sandbox and takes in what passes.

    `include_orphans`: take in what passed; otherwise only test. What isn't given follows the `SELF_TEST_*`
    settings.
    """

    def __init__(
        self,
        checkout: str | Path,
        *,
        subject: str = "",
        recursive_orphans: bool | None = None,
        recursive_isolated: bool | None = None,
        discover_isolated: bool | None = None,
        include_redundant: bool | None = None,
        include_orphans: bool = True,
        clean_orphans: bool = False,
        workers: int = 1,
        execute: self_tests.Execute = executing.self_test,
    ) -> None:
        self._checkout = Path(checkout).resolve()
        self._subject = subject or self._checkout.name
        usual = flow.switches_of_settings()
        self._switches = Switches(
            recursive_orphans=_or(recursive_orphans, usual.recursive_orphans),
            recursive_isolated=_or(recursive_isolated, usual.recursive_isolated),
            isolated=_or(discover_isolated, usual.isolated),
            redundant=_or(include_redundant, usual.redundant),
        )
        self._include, self._clean, self._workers = include_orphans, clean_orphans, workers
        self._execute = execute

    def run_once(
        self, paths: Iterable[str] = (), *, again: bool = False, cancel: Cancel | None = None
    ) -> tuple[dict[str, Any], list[str]]:
        """Scan, test (only `paths` and what they lead to, if given) and take in; return results and passed.

        The results have a list of paths for each verdict, `integration` with `integrated` and `kept_out`, and
        `conflicts` between the JSON files and the rows.
        """
        task = Task(
            subject=self._subject,
            checkout=self._checkout,
            source=f"python:{uuid.uuid4().hex[:16]}",
            switches=self._switches,
            named=tuple(paths),
            again=again,
        )
        found = flow.look(task)
        batch: SelfTestRun = flow.begin(task, found.plan)
        batch = self_tests.work_off(batch.pk, parallel=self._workers, cancel=cancel, execute=self._execute)
        results = {**flow.verdicts(batch), "conflicts": list(found.conflicts)}
        if self._include:
            included = flow.settle(task, taken=found.taken, clean=self._clean)
            kept_out = dict(included.refused)
            results["integration"] = {"integrated": list(included.added), "kept_out": kept_out}
        return results, results["passed"]


def _or(given: bool | None, usual: bool) -> bool:
    return usual if given is None else given
