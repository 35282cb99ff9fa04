"""Rows of the engines and their QuerySets."""

from engines.models.cycle import Cycle, CycleQuerySet, CycleStep
from engines.models.engine import Engine, EngineQuerySet
from engines.models.model_version import ModelVersion
from engines.models.promotion import Promotion, PromotionQuerySet
from engines.models.tally import CycleTally
from engines.models.workflow_edge import WorkflowEdge, WorkflowGraphState
from engines.models.workflow_revision import WorkflowRevision, WorkflowRevisionQuerySet
from engines.models.workflow_stages import WorkflowStages

__all__ = [
    "Cycle",
    "CycleQuerySet",
    "CycleStep",
    "CycleTally",
    "Engine",
    "EngineQuerySet",
    "ModelVersion",
    "Promotion",
    "PromotionQuerySet",
    "WorkflowEdge",
    "WorkflowGraphState",
    "WorkflowRevision",
    "WorkflowRevisionQuerySet",
    "WorkflowStages",
]
