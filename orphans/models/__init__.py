"""Rows of scans, orphan modules, their self-tests and the module map."""

from orphans.models.module import OrphanModule, OrphanModuleQuerySet
from orphans.models.module_map import ModuleMapEntry
from orphans.models.scan import ScanRun
from orphans.models.self_test import ModuleRun, ModuleRunQuerySet, SelfTestRun
from orphans.models.tally import OrphanTally

__all__ = [
    "ModuleMapEntry",
    "ModuleRun",
    "ModuleRunQuerySet",
    "OrphanModule",
    "OrphanModuleQuerySet",
    "OrphanTally",
    "ScanRun",
    "SelfTestRun",
]
