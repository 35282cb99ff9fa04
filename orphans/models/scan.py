"""Scans of checkouts: what one look found, and what changed since the one before."""

from django.db import models
from django.db.models.functions import Now

from orphans.domain.states import ScanState
from orphans.models.words import PATH_CHARS, SOURCE_CHARS, SUBJECT_CHARS, WORDS_CHARS, choices


class ScanRun(models.Model):
    """One scan of one commit. A repeated scan of the same source replaces nothing and adds nothing."""

    subject = models.CharField(max_length=SUBJECT_CHARS, help_text="Whose modules they are, such as `alpha`.")
    source = models.CharField(max_length=SOURCE_CHARS, help_text="What asked for it, such as `cycle:7`.")
    state = models.CharField(max_length=8, choices=choices(ScanState))
    repository = models.CharField(max_length=PATH_CHARS, help_text="The repository that was scanned.")
    commit = models.CharField(max_length=40, blank=True, help_text="Empty: a folder without a commit.")
    modules = models.PositiveIntegerField(help_text="Python files that were read.")
    edges = models.PositiveIntegerField(help_text="Imports between them.")
    counts = models.JSONField(default=dict, help_text="Findings by classification.")
    found = models.PositiveIntegerField(help_text="Findings of all classes.")
    isolated = models.PositiveIntegerField(help_text="Modules without any tie inside the repository.")
    changes = models.JSONField(
        default=dict, help_text="Paths that are new, gone, live again or classified anew, each up to 200."
    )
    unreadable = models.JSONField(default=dict, help_text="Files that are no Python 3, with the reason.")
    options = models.JSONField(default=dict, help_text="What was switched on.")
    seconds = models.FloatField()
    message = models.CharField(max_length=WORDS_CHARS, blank=True)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["subject", "source"], name="one_scan_per_source")]
        indexes = [models.Index(fields=["subject", "-id"], name="scan_subject_id")]

    def __str__(self) -> str:
        return f"{self.subject} {self.source}"
