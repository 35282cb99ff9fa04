"""Rows of scans, orphan modules, their self-tests, the module map and scenario presets."""

from orphans.models.module import OrphanModule, OrphanModuleQuerySet
from orphans.models.module_map import ModuleMapEntry
from orphans.models.preset import ScenarioPreset, ScenarioPresetQuerySet
from orphans.models.scan import ScanRun
from orphans.models.self_tests import ModuleRun, ModuleRunQuerySet, SelfTestRun
from orphans.models.tally import OrphanTally

__all__ = [
    "ModuleMapEntry",
    "ModuleRun",
    "ModuleRunQuerySet",
    "OrphanModule",
    "OrphanModuleQuerySet",
    "OrphanTally",
    "ScanRun",
    "ScenarioPreset",
    "ScenarioPresetQuerySet",
    "SelfTestRun",
]
