"""The public API for plain Python. Importing it sets Django up from the environment, if nobody did.

from engines.api import ImprovementEngineRegistry, ModelAutomationPipeline, SelfImprovementEngine
"""

import os
from typing import TYPE_CHECKING, Any

import django
from django.apps import apps

if not apps.ready:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "menace_site.settings")
    django.setup()

from engines.domain.errors import (
    Conflict,
    InvalidInput,
    ManifestError,
    MenaceError,
    NotConfigured,
    RegistrationError,
)
from engines.domain.results import AutomationResult, Budget, Decision, Reason, Roi
from engines.domain.workflows.graph import CycleRefused, WorkflowGraph
from engines.panels.evaluation import EvaluationDashboard
from engines.services.engine import (
    CycleFailed,
    ImprovementEngineRegistry,
    SelfImprovementEngine,
)
from engines.services.integration import try_integrate_into_workflows
from engines.services.pipeline import ContextBuilder, ModelAutomationPipeline
from engines.services.workflow_graph import run_with_projection
from forecasting.domain.foresight import ForesightTracker
from forecasting.domain.tracker import ROITracker
from orphans.roots import resolve_path
from orphans.services.flow import auto_include_modules
from orphans.services.service import SelfTestService

if TYPE_CHECKING:
    from forecasting.domain.predictor import AdaptiveROIPredictor as AdaptiveROIPredictor

__all__ = [
    "AdaptiveROIPredictor",
    "AutomationResult",
    "Budget",
    "Conflict",
    "ContextBuilder",
    "CycleFailed",
    "CycleRefused",
    "Decision",
    "EvaluationDashboard",
    "ForesightTracker",
    "ImprovementEngineRegistry",
    "InvalidInput",
    "ManifestError",
    "MenaceError",
    "ModelAutomationPipeline",
    "NotConfigured",
    "ROITracker",
    "Reason",
    "RegistrationError",
    "Roi",
    "SelfImprovementEngine",
    "SelfTestService",
    "WorkflowGraph",
    "auto_include_modules",
    "resolve_path",
    "run_with_projection",
    "try_integrate_into_workflows",
]


def __getattr__(name: str) -> Any:
    """Load what brings NumPy when it is asked for."""
    if name == "AdaptiveROIPredictor":
        from forecasting.domain import predictor

        return predictor.AdaptiveROIPredictor
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
