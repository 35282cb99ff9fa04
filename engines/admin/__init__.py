"""The engines' rows in Django's admin, one file a subject."""

from engines.admin.engines import EngineAdmin
from engines.admin.promotions import PromotionAdmin
from engines.admin.records import CycleAdmin

__all__ = ["CycleAdmin", "EngineAdmin", "PromotionAdmin"]
