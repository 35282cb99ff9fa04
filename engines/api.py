"""The public API for plain Python. Importing it sets Django up from the environment, if nobody did.

from engines.api import ImprovementEngineRegistry, ModelAutomationPipeline, SelfImprovementEngine
"""

import os

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
from engines.panels.evaluation import EvaluationDashboard
from engines.services.engine import (
    CycleFailed,
    ImprovementEngineRegistry,
    SelfImprovementEngine,
)
from engines.services.integration import try_integrate_into_workflows
from engines.services.pipeline import ContextBuilder, ModelAutomationPipeline
from orphans.roots import resolve_path
from orphans.services.flow import auto_include_modules
from orphans.services.service import SelfTestService

__all__ = [
    "AutomationResult",
    "Budget",
    "Conflict",
    "ContextBuilder",
    "CycleFailed",
    "Decision",
    "EvaluationDashboard",
    "ImprovementEngineRegistry",
    "InvalidInput",
    "ManifestError",
    "MenaceError",
    "ModelAutomationPipeline",
    "NotConfigured",
    "Reason",
    "RegistrationError",
    "Roi",
    "SelfImprovementEngine",
    "SelfTestService",
    "auto_include_modules",
    "resolve_path",
    "try_integrate_into_workflows",
]
