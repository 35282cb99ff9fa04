"""The one way to run other people's code: `run(spec) -> Measurement` in a process of its own.

Everything above names only what stands here, so a stronger runner can take the place of
`SubprocessRunner` without a change elsewhere.
"""

from orphans.sandbox.artifacts import ArtifactError, artifact_path
from orphans.sandbox.policy import SandboxUnavailable
from orphans.sandbox.probing import Layer, Probe, probe
from orphans.sandbox.runner import SubprocessRunner
from orphans.sandbox.scratch import remove_tree, scratch_folder
from orphans.sandbox.spec import (
    Attempts,
    Cancel,
    Kind,
    Limits,
    Measurement,
    Network,
    Outcome,
    Progress,
    Runner,
    RunSpec,
    SpecError,
    StoredFile,
)

__all__ = [
    "ArtifactError",
    "Attempts",
    "Cancel",
    "Kind",
    "Layer",
    "Limits",
    "Measurement",
    "Network",
    "Outcome",
    "Probe",
    "Progress",
    "RunSpec",
    "Runner",
    "SandboxUnavailable",
    "SpecError",
    "StoredFile",
    "SubprocessRunner",
    "artifact_path",
    "probe",
    "remove_tree",
    "run",
    "scratch_folder",
]


def run(spec: RunSpec, *, on_progress: Progress | None = None, cancel: Cancel | None = None) -> Measurement:
    """Carry out `spec` with the runner of this machine."""
    return SubprocessRunner().run(spec, on_progress=on_progress, cancel=cancel)
