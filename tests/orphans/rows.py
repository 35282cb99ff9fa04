"""Rows of orphan modules for tests, with defaults."""

import itertools
from typing import Any

from orphans.domain.findings import Classification
from orphans.models import ModuleRun, OrphanModule, ScanRun, SelfTestRun

_numbers = itertools.count(1)


def make_module(subject: str = "alpha", path: str = "", **fields: Any) -> OrphanModule:
    """Make a module that a scan found."""
    plain = {"classification": Classification.ORPHAN, "confidence": 0.9, "reason": "nothing imports it"}
    merged = {**plain, **fields}
    merged.setdefault("found_as", merged["classification"])
    return OrphanModule.objects.create(
        subject=subject, path=path or f"pkg/module{next(_numbers)}.py", **merged
    )


def make_scan(subject: str = "alpha", **fields: Any) -> ScanRun:
    """Make a scan."""
    plain = {"state": "done", "repository": "/repos/alpha", "modules": 9, "edges": 7, "found": 2}
    more = {"isolated": 1, "seconds": 0.2, "source": f"test:{next(_numbers)}"}
    return ScanRun.objects.create(subject=subject, **{**plain, **more, **fields})


def make_batch(subject: str = "alpha", **fields: Any) -> SelfTestRun:
    """Make a set of self-tests."""
    plain = {"source": f"test:{next(_numbers)}", "checkout": "/nowhere"}
    return SelfTestRun.objects.create(subject=subject, **{**plain, **fields})


def make_run(batch: SelfTestRun, path: str = "", **fields: Any) -> ModuleRun:
    """Make the self-test of one module."""
    name = path or f"pkg/module{next(_numbers)}.py"
    return ModuleRun.objects.create(batch=batch, subject=batch.subject, path=name, **fields)
