"""Scenario presets that people keep."""

from typing import Final, Self

from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Now

from orphans.domain.presets import CATEGORIES

PRESET_NAME: Final = r"^[a-z0-9][a-z0-9_-]{0,62}$"


class ScenarioPresetQuerySet(models.QuerySet["ScenarioPreset"]):
    """Reads of presets."""

    def of_category(self, category: str) -> Self:
        """Keep the presets of one category; of all when it is empty."""
        return self.filter(category=category) if category else self


class ScenarioPreset(models.Model):
    """A preset under a name. Only the services write it, after `orphans.domain.presets` read its keys."""

    name = models.CharField(max_length=63, unique=True, validators=[RegexValidator(PRESET_NAME)])
    profile = models.CharField(max_length=63, help_text="SCENARIO_NAME: what measurements are kept under.")
    category = models.CharField(max_length=16, choices=[(word, word) for word in CATEGORIES])
    keys = models.JSONField(help_text="The keys as they are written in a file.")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)
    created_label = models.CharField(max_length=150, editable=False, help_text="Who made it.")

    objects = ScenarioPresetQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        indexes = [models.Index(fields=["category", "name"], name="preset_category_name")]

    def __str__(self) -> str:
        return self.name
