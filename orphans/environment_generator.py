"""Scenario presets under the name that the specification gives them.

    generate_presets(count, profiles)    seeded presets of the profiles asked for
    generate_canonical_presets()         every profile at its low and at its high end
    adapt_presets(tracker, presets)      limits and faults that follow the tracker's forecasts of synergy

More profiles are brought as JSON (`SANDBOX_ENV_PRESETS`, `--preset-file`) or as stored presets.
"""

from orphans.domain.preset_adapting import adapt_presets
from orphans.domain.preset_profiles import NAMES, PROFILES, generate_canonical_presets, generate_presets
from orphans.domain.presets import CATEGORIES, Preset, PresetError, read_preset

__all__ = [
    "CATEGORIES",
    "NAMES",
    "PROFILES",
    "Preset",
    "PresetError",
    "adapt_presets",
    "generate_canonical_presets",
    "generate_presets",
    "read_preset",
]
