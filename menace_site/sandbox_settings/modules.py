"""Settings of the sandbox, of orphan modules and of their self-tests."""

from typing import Literal

from menace_site.sandbox_settings.fields import Group, Names, Presets, Switch, setting

AS_SANDBOX = "as `{}`"


class Sandbox(Group):
    """Sandbox and scenarios"""

    sandbox_require: Names = setting(
        [],
        "SANDBOX_REQUIRE",
        "Layers without which nothing of a bot is run: `namespaces`, `landlock`, `seccomp`, `notify`.",
        shown="`landlock,seccomp` in production, else none",
    )
    sandbox_allow_unisolated: Switch = setting(
        False,
        "SANDBOX_ALLOW_UNISOLATED",
        "Run trusted bots also where neither namespaces nor Landlock hold them.",
    )
    sandbox_warm_idle_seconds: float = setting(
        300.0,
        "SANDBOX_WARM_IDLE_SECONDS",
        "How long a server with loaded libraries (training, tests) waits for the next run before it ends.",
        unit="seconds",
        ge=1,
        le=1_000_000,
    )
    sandbox_warm_memory_mb: int = setting(
        1024,
        "SANDBOX_WARM_MEMORY_MB",
        "The most that such a server may hold; a larger one ends at once. 0: none is started.",
        unit="MiB",
        ge=0,
        le=1_000_000,
    )
    env_presets: Presets = setting(None, "SANDBOX_ENV_PRESETS", "Scenario presets of the runs.", shown="none")
    include_user_misuse: Switch = setting(
        False,
        "SANDBOX_INCLUDE_USER_MISUSE",
        "Choose the profile `user_misuse` without being asked.",
    )
    adapt_presets: Switch = setting(
        False,
        "SANDBOX_ADAPT_PRESETS",
        "Move limits and faults of the presets of a benchmark by a rung, as forecasts of synergy say.",
    )
    sandbox_synergy_model: Literal["ema", "arima", "lstm"] = setting(
        "ema", "SANDBOX_SYNERGY_MODEL", "How it is forecast from over 10 values, unless this is `ema`."
    )


class Orphans(Group):
    """Orphan modules"""

    include_orphans: Switch = setting(
        True, "SANDBOX_INCLUDE_ORPHANS", "Look for orphan modules in each cycle, test them and take them in."
    )
    recursive_orphans: Switch = setting(
        True, "SANDBOX_RECURSIVE_ORPHANS", "Follow orphan modules through their imports."
    )
    recursive_isolated: Switch = setting(
        True, "SANDBOX_RECURSIVE_ISOLATED", "Follow isolated modules through their imports."
    )
    auto_include_isolated: Switch = setting(
        True,
        "SANDBOX_AUTO_INCLUDE_ISOLATED",
        "Always look for isolated modules and take them in.",
    )
    discover_isolated: Switch = setting(
        True,
        "SANDBOX_DISCOVER_ISOLATED",
        "Look for isolated modules during a scan.",
        shown=AS_SANDBOX.format("SANDBOX_AUTO_INCLUDE_ISOLATED"),
    )
    test_redundant: Switch = setting(
        True, "SANDBOX_TEST_REDUNDANT", "Also test modules judged redundant or legacy."
    )
    clean_orphans: Switch = setting(
        False, "SANDBOX_CLEAN_ORPHANS", "Drop what passed from `orphan_modules.json`."
    )
    capture_side_effects: Switch = setting(
        True, "SANDBOX_CAPTURE_SIDE_EFFECTS", "Count what modules attempt while they run."
    )
    side_effect_threshold: float = setting(
        10.0,
        "SANDBOX_SIDE_EFFECT_THRESHOLD",
        "Score over which a module is `heavy_side_effects`.",
        ge=0,
    )
    skip_dirs: Names = setting([], "SANDBOX_SKIP_DIRS", "More folders that a scan leaves out.")
    discovery_workers: int | None = setting(
        None,
        "SANDBOX_DISCOVERY_WORKERS",
        "Processes of a scan.",
        shown="the number of cores",
        ge=1,
        le=256,
    )


class SelfTests(Group):
    """Self-tests (`SelfTestService`)"""

    self_test_recursive_orphans: Switch = setting(
        True,
        "SELF_TEST_RECURSIVE_ORPHANS",
        "The same for self-tests.",
        shown=AS_SANDBOX.format("SANDBOX_RECURSIVE_ORPHANS"),
    )
    self_test_recursive_isolated: Switch = setting(
        True,
        "SELF_TEST_RECURSIVE_ISOLATED",
        "The same for self-tests.",
        shown=AS_SANDBOX.format("SANDBOX_RECURSIVE_ISOLATED"),
    )
    self_test_auto_include_isolated: Switch = setting(
        True,
        "SELF_TEST_AUTO_INCLUDE_ISOLATED",
        "The same for self-tests.",
        shown=AS_SANDBOX.format("SANDBOX_AUTO_INCLUDE_ISOLATED"),
    )
    self_test_discover_isolated: Switch = setting(
        True,
        "SELF_TEST_DISCOVER_ISOLATED",
        "The same for self-tests.",
        shown=AS_SANDBOX.format("SANDBOX_DISCOVER_ISOLATED"),
    )
    self_test_include_redundant: Switch = setting(
        True,
        "SELF_TEST_INCLUDE_REDUNDANT",
        "The same for self-tests.",
        shown=AS_SANDBOX.format("SANDBOX_TEST_REDUNDANT"),
    )
    self_test_clean_orphans: Switch = setting(
        False,
        "SELF_TEST_CLEAN_ORPHANS",
        "The same for self-tests.",
        shown=AS_SANDBOX.format("SANDBOX_CLEAN_ORPHANS"),
    )
    self_test_roi_threshold: float = setting(
        0.0, "SELF_TEST_ROI_THRESHOLD", "Total ROI that a module must exceed to be taken in."
    )
    self_test_synergy_threshold: float = setting(
        0.0,
        "SELF_TEST_SYNERGY_THRESHOLD",
        "`synergy_roi` that a module must exceed to be taken in.",
    )


MIRRORED = {
    "discover_isolated": "auto_include_isolated",
    "self_test_recursive_orphans": "recursive_orphans",
    "self_test_recursive_isolated": "recursive_isolated",
    "self_test_auto_include_isolated": "auto_include_isolated",
    "self_test_discover_isolated": "discover_isolated",
    "self_test_include_redundant": "test_redundant",
    "self_test_clean_orphans": "clean_orphans",
}
"""Settings that follow another one unless they are set themselves, each after the one it follows."""
