"""Modules that no root reaches."""

from collections.abc import Collection
from typing import Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Now

from orphans.domain.findings import Classification
from orphans.domain.states import SETTLED, ModuleState
from orphans.models.scan import ScanRun
from orphans.models.words import PATH_CHARS, SUBJECT_CHARS, WORDS_CHARS, choices


class OrphanModuleQuerySet(models.QuerySet["OrphanModule"]):
    """Reads of modules, and the one way to change a state."""

    def of(self, subject: str) -> Self:
        """Keep the modules of one subject."""
        return self.filter(subject=subject)

    def open(self) -> Self:
        """Keep what is still in the queue."""
        return self.exclude(state__in=SETTLED)

    def move(self, pk: int, to: ModuleState, *, sources: Collection[ModuleState], reason: str = "") -> bool:
        """Move one module if it is still in one of `sources`; the loser of a race gets False."""
        moved = self.filter(pk=pk, state__in=sources)
        changed = {"state": to, "previous_state": models.F("state"), "state_reason": reason[:WORDS_CHARS]}
        return moved.update(**changed, updated_at=Now()) == 1


class OrphanModule(models.Model):
    """One module of one subject, as the latest scan, run or person left it."""

    subject = models.CharField(max_length=SUBJECT_CHARS)
    path = models.CharField(max_length=PATH_CHARS, help_text="Repository-relative POSIX path.")
    content_hash = models.CharField(max_length=64, blank=True, help_text="SHA-256 of the file.")
    classification = models.CharField(max_length=20, choices=choices(Classification))
    found_as = models.CharField(
        max_length=20, choices=choices(Classification), help_text="What the latest scan said of it."
    )
    isolated = models.BooleanField(default=False, help_text="No tie to any other module.")
    redundant = models.BooleanField(default=False)
    parents = models.JSONField(default=list, help_text="Modules of the same island that import it.")
    chain = models.JSONField(default=list, help_text="From the head of its island down to it.")
    head = models.CharField(max_length=PATH_CHARS, blank=True, help_text="Head of its island.")
    twin = models.CharField(max_length=PATH_CHARS, blank=True, help_text="The live module like it.")
    similarity = models.FloatField(null=True, help_text="Share of it that the twin contains, 0 to 1.")
    confidence = models.FloatField(validators=[MinValueValidator(0.0), MaxValueValidator(1.0)])
    reason = models.CharField(max_length=WORDS_CHARS, help_text="One sentence.")
    evidence = models.JSONField(default=list, help_text="Facts with file and line.")

    state = models.CharField(max_length=10, choices=choices(ModuleState), default=ModuleState.FOUND)
    previous_state = models.CharField(max_length=10, blank=True, choices=choices(ModuleState))
    state_reason = models.CharField(max_length=WORDS_CHARS, blank=True)
    decided_label = models.CharField(max_length=150, blank=True, help_text="Who decided last.")
    side_effects = models.FloatField(null=True, help_text="Score of the latest run.")
    coverage = models.FloatField(null=True, help_text="Share of its lines that the latest run reached.")
    score = models.FloatField(null=True, help_text="Integration score of the latest run.")

    scan = models.ForeignKey(ScanRun, null=True, on_delete=models.SET_NULL, related_name="modules_of")
    found_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())
    tested_at = models.DateTimeField(null=True)

    objects = OrphanModuleQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["subject", "path"], name="one_row_per_module")]
        indexes = [
            models.Index(fields=["subject", "-id"], name="orphan_subject_id"),
            models.Index(fields=["subject", "state", "-id"], name="orphan_state_id"),
            models.Index(fields=["subject", "classification", "-id"], name="orphan_class_id"),
            models.Index(fields=["state", "-id"], name="orphan_all_state_id"),
            models.Index(fields=["classification", "-id"], name="orphan_all_class_id"),
            models.Index(fields=["path", "id"], name="orphan_path_id"),
            models.Index(fields=["confidence", "id"], name="orphan_confidence_id"),
            models.Index(fields=["side_effects", "id"], name="orphan_effects_id"),
            models.Index(fields=["updated_at", "id"], name="orphan_updated_id"),
        ]

    def __str__(self) -> str:
        return f"{self.subject}:{self.path}"
