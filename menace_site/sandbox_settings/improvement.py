"""Settings of what a cycle does: ROI and drift, patches, snapshots, flags, scaling, synergy."""

from pathlib import Path
from typing import Any, Literal

from menace_site.sandbox_settings.fields import Delays, Group, Switch, setting

LEARNING = "learning"
PATCHES = "helper patches"
FLAGS = "alignment flags"
SNAPSHOTS = "snapshots"


class Roi(Group):
    """ROI, drift and entropy"""

    roi_ema_alpha: float = setting(
        0.1, "ROI_EMA_ALPHA", "Smoothing factor of `roi_delta_ema` for new engines.", gt=0, le=1
    )
    cycles_between_false_alarms: float = setting(
        1000.0,
        "MENACE_CYCLES_BETWEEN_FALSE_ALARMS",
        "Quiet cycles between two false alarms of the drift detector, on average.",
        unit="cycles",
        ge=2,
        le=1e9,
    )
    forecast_retrain_hours: float = setting(
        24.0,
        "MENACE_FORECAST_RETRAIN_HOURS",
        "Time between two trainings of the forecast model on recorded history; 0: never by itself.",
        unit="h",
        ge=0,
        le=8760,
    )
    stages_seconds: float = setting(
        600.0,
        "MENACE_STAGES_SECONDS",
        "Time between two runs of a workflow through the hard stages, one at a time; 0: only by hand.",
        unit="s",
        ge=0,
        le=86_400,
    )
    tau: float = setting(
        0.5, "MENACE_TAU", "Confidence of a forecast below which a person must look.", ge=0, le=1
    )
    roi_threshold: float = setting(
        0.01,
        "ROI_THRESHOLD",
        "ROI deltas of a module up to this size count as none.",
        unit="usual ROI deltas of a cycle",
        ge=0,
    )
    synergy_threshold: float = setting(
        0.01,
        "SYNERGY_THRESHOLD",
        "`synergy_roi` of a module up to this size counts as none.",
        unit="usual ROI deltas of a cycle",
        ge=0,
    )
    entropy_threshold: float = setting(
        0.01,
        "ENTROPY_THRESHOLD",
        "Mean ROI gain per bit of entropy below which a module is complete.",
        unit="usual ROI deltas per bit",
    )
    entropy_plateau_threshold: float = setting(
        0.01,
        "ENTROPY_PLATEAU_THRESHOLD",
        "ROI gain per bit below which a sample counts as flat.",
        unit="usual ROI deltas per bit",
        ge=0,
    )
    entropy_plateau_consecutive: int = setting(
        3, "ENTROPY_PLATEAU_CONSECUTIVE", "Flat samples in a row that make a plateau.", unit="samples", ge=1
    )


class Promotions(Group):
    """Promotions"""

    two_person_rule: Switch = setting(
        True, "MENACE_TWO_PERSON_RULE", "Who requested a change can't approve it, administrators included."
    )
    break_glass: Switch = setting(
        False,
        "MENACE_BREAK_GLASS",
        "For teams of one: the requester may approve alone, saying so each time; it is audited and shown.",
    )
    max_p_collapse: float = setting(
        0.25, "MENACE_MAX_P_COLLAPSE", "Probability of a collapse that the gate bears.", ge=0, le=1
    )
    evidence_hours: float = setting(
        72.0,
        "MENACE_EVIDENCE_HOURS",
        "Evidence older than this can't be approved.",
        unit="h",
        ge=0.1,
        le=8760,
    )


class Coding(Group):
    """Helper patches (`SelfCodingEngine`)"""

    codex_retry_delays: Delays = setting(
        [2.0, 5.0, 10.0],
        "CODEX_RETRY_DELAYS",
        "Pauses between attempts at one request.",
        unit="s",
        later=PATCHES,
    )
    codex_timeout: float = setting(
        30.0, "CODEX_TIMEOUT", "One attempt may take this long.", unit="s", gt=0, later=PATCHES
    )
    codex_fallback_strategy: Literal["queue", "reroute"] = setting(
        "queue", "CODEX_FALLBACK_STRATEGY", "What happens to a request that failed for good.", later=PATCHES
    )
    codex_fallback_model: str = setting(
        "gpt-3.5-turbo", "CODEX_FALLBACK_MODEL", "Model that `reroute` asks.", min_length=1, later=PATCHES
    )
    codex_retry_queue: Path = setting(
        Path("codex_retry_queue.jsonl"),
        "CODEX_RETRY_QUEUE",
        "JSON Lines file of queued requests, in the data folder unless absolute.",
        later=PATCHES,
    )
    simplify_prompt_drop_system: Switch = setting(
        True,
        "SIMPLIFY_PROMPT_DROP_SYSTEM",
        "A simplified prompt goes without the system text.",
        later=PATCHES,
    )
    simplify_prompt_example_limit: int = setting(
        0, "SIMPLIFY_PROMPT_EXAMPLE_LIMIT", "Examples kept in a simplified prompt.", ge=0, later=PATCHES
    )


class Snapshots(Group):
    """Snapshots and checkpoints (`SnapshotTracker`)"""

    enable_snapshot_tracker: Switch = setting(
        True, "ENABLE_SNAPSHOT_TRACKER", "Compare metrics before and after each cycle.", later=SNAPSHOTS
    )
    snapshot_dir: Path = setting(
        Path("snapshots"),
        "SNAPSHOT_DIR",
        "Snapshots.",
        shown="`snapshots` in the data folder",
        later=SNAPSHOTS,
    )
    snapshot_diff_dir: Path = setting(
        Path("diffs"),
        "SNAPSHOT_DIFF_DIR",
        "Differences between snapshots.",
        shown="`diffs` in the data folder",
        later=SNAPSHOTS,
    )
    checkpoint_dir: Path = setting(
        Path("checkpoints"),
        "CHECKPOINT_DIR",
        "Checkpoints.",
        shown="`checkpoints` in the data folder",
        later=SNAPSHOTS,
    )
    checkpoint_retention: int = setting(
        10, "CHECKPOINT_RETENTION", "Checkpoint folders kept, the oldest go first.", ge=1, later=SNAPSHOTS
    )
    roi_drop_threshold: float = setting(
        0.0, "ROI_DROP_THRESHOLD", "An ROI change under it is a regression.", le=0, later=SNAPSHOTS
    )
    entropy_regression_threshold: float = setting(
        0.0, "ENTROPY_REGRESSION_THRESHOLD", "An entropy gain over it is a regression.", ge=0, later=SNAPSHOTS
    )
    roi_penalty_threshold: float = setting(
        0.0, "ROI_PENALTY_THRESHOLD", "An ROI drop beyond it penalises the prompt.", ge=0, later=SNAPSHOTS
    )
    entropy_penalty_threshold: float = setting(
        0.0,
        "ENTROPY_PENALTY_THRESHOLD",
        "An entropy gain beyond it penalises the prompt.",
        ge=0,
        later=SNAPSHOTS,
    )


class Alignment(Group):
    """Alignment flags (`HumanAlignmentFlagger`)"""

    enable_alignment_flagger: Switch = setting(
        True, "ENABLE_ALIGNMENT_FLAGGER", "Look at the diff of each cycle.", later=FLAGS
    )
    alignment_warning_threshold: float = setting(
        0.5, "ALIGNMENT_WARNING_THRESHOLD", "Scores over it are warnings.", ge=0, le=1, later=FLAGS
    )
    alignment_failure_threshold: float = setting(
        0.9, "ALIGNMENT_FAILURE_THRESHOLD", "Scores over it need attention at once.", ge=0, le=1, later=FLAGS
    )
    alignment_baseline_metrics_path: Path | None = setting(
        None,
        "ALIGNMENT_BASELINE_METRICS_PATH",
        "Snapshot of metrics to compare with; empty: no comparison.",
        shown="none",
        later=FLAGS,
    )


class Scaling(Group):
    """Automatic scaling (`ImprovementEngineRegistry.autoscale`)"""

    autoscale_create_dev_multiplier: float = setting(
        0.8,
        "AUTOSCALE_CREATE_DEV_MULTIPLIER",
        "Deviations of energy over its mean that speak for one more engine.",
        ge=0,
        le=10,
        later=LEARNING,
    )
    autoscale_roi_dev_multiplier: float = setting(
        0.0,
        "AUTOSCALE_ROI_DEV_MULTIPLIER",
        "Deviations of the ROI trend over its mean that speak for one more engine.",
        ge=0,
        le=10,
        later=LEARNING,
    )
    autoscale_remove_dev_multiplier: float = setting(
        0.3,
        "AUTOSCALE_REMOVE_DEV_MULTIPLIER",
        "Deviations of energy under its mean that speak for one engine less.",
        ge=0,
        le=10,
        later=LEARNING,
    )
    cost_per_engine: float = setting(
        0.0, "AUTOSCALE_COST_PER_ENGINE", "ROI that one more engine must earn back.", ge=0, later=LEARNING
    )
    min_engines: int = setting(1, "AUTOSCALE_MIN_ENGINES", "Never fewer engines.", ge=0, later=LEARNING)
    max_engines: int = setting(5, "AUTOSCALE_MAX_ENGINES", "Never more engines.", ge=1, later=LEARNING)


def weight(name: str) -> Any:
    """Declare the override of one synergy weight."""
    variable = f"SYNERGY_WEIGHT_{name.upper()}"
    return setting(
        None,
        variable,
        f"Overrides the loaded weight `{name}` at start.",
        shown="as loaded",
        ge=0,
        le=10,
        later=LEARNING,
    )


class Synergy(Group):
    """Synergy weights and forecasts"""

    synergy_weight_roi: float | None = weight("roi")
    synergy_weight_efficiency: float | None = weight("efficiency")
    synergy_weight_resilience: float | None = weight("resilience")
    synergy_weight_antifragility: float | None = weight("antifragility")
    synergy_weight_reliability: float | None = weight("reliability")
    synergy_weight_maintainability: float | None = weight("maintainability")
    synergy_weight_throughput: float | None = weight("throughput")
    synergy_weights_lr: float = setting(
        0.1, "SYNERGY_WEIGHTS_LR", "Learning rate of the weights.", gt=0, le=1, later=LEARNING
    )
    synergy_learner: Literal["default", "dqn", "double_dqn", "ddqn", "sac", "td3"] = setting(
        "default", "SYNERGY_LEARNER", "Which learner updates the weights.", later=LEARNING
    )
    synergy_forecast_method: Literal["ema", "arima"] = setting(
        "ema", "SYNERGY_FORECAST_METHOD", "How the next synergy value is forecast."
    )
