"""Self-tests: sets of modules that are run in the sandbox, and the run of each."""

from typing import Self

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from orphans.domain.states import ACTIVE_BATCH, BatchState, RunState, TestOrigin
from orphans.models.module import OrphanModule
from orphans.models.words import PATH_CHARS, SOURCE_CHARS, SUBJECT_CHARS, WORDS_CHARS, choices


class SelfTestRun(models.Model):
    """A set of modules that are tested together. The rows of its modules say how far it is."""

    subject = models.CharField(max_length=SUBJECT_CHARS)
    source = models.CharField(max_length=SOURCE_CHARS, help_text="What asked for it; once each.")
    state = models.CharField(max_length=10, choices=choices(BatchState), default=BatchState.QUEUED)
    checkout = models.CharField(max_length=PATH_CHARS, help_text="Folder of the files; only read.")
    commit = models.CharField(max_length=40, blank=True)
    owned_checkout = models.BooleanField(default=False, help_text="The folder is removed at the end.")
    options = models.JSONField(default=dict)
    requested_label = models.CharField(max_length=150, blank=True)
    cancel_asked = models.BooleanField(default=False)
    total = models.PositiveIntegerField(default=0)
    passed = models.PositiveIntegerField(null=True, help_text="Counted at the end.")
    failed = models.PositiveIntegerField(null=True, help_text="Counted at the end.")
    skipped = models.PositiveIntegerField(null=True, help_text="Counted at the end.")
    cpu_seconds = models.FloatField(null=True, help_text="Of all runs together; counted at the end.")
    message = models.CharField(max_length=WORDS_CHARS, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["subject", "source"], name="one_batch_per_source")]
        indexes = [
            models.Index(fields=["subject", "-id"], name="batch_subject_id"),
            models.Index(fields=["id"], name="batch_open", condition=Q(state__in=sorted(ACTIVE_BATCH))),
        ]

    def __str__(self) -> str:
        return f"{self.subject} {self.source}"


class ModuleRunQuerySet(models.QuerySet["ModuleRun"]):
    """Reads of runs."""

    def open(self) -> Self:
        """Keep what has no verdict yet."""
        return self.filter(state__in=[RunState.QUEUED, RunState.RUNNING])


class ModuleRun(models.Model):
    """The self-test of one module: what was run, what was observed from outside, and the verdict.

    NULL always means "not measured".
    """

    batch = models.ForeignKey(SelfTestRun, on_delete=models.CASCADE, related_name="runs")
    module = models.ForeignKey(OrphanModule, null=True, on_delete=models.SET_NULL, related_name="runs")
    subject = models.CharField(max_length=SUBJECT_CHARS)
    path = models.CharField(max_length=PATH_CHARS)
    content_hash = models.CharField(max_length=64, blank=True)
    classification = models.CharField(max_length=20, blank=True)

    state = models.CharField(max_length=10, choices=choices(RunState), default=RunState.QUEUED)
    reason = models.CharField(max_length=WORDS_CHARS, blank=True)
    outcome = models.CharField(max_length=10, blank=True, help_text="How the deciding run ended.")
    origin = models.CharField(max_length=10, blank=True, choices=choices(TestOrigin))
    tests = models.JSONField(default=list, help_text="Test files; empty where the test was generated.")
    tests_passed = models.PositiveIntegerField(null=True)
    tests_failed = models.PositiveIntegerField(null=True)
    calls = models.JSONField(default=list, help_text="Functions that the generated test called.")
    functions = models.JSONField(
        default=dict, help_text="How often each of its functions was called, as the run told."
    )
    exit_code = models.IntegerField(null=True)
    signal = models.IntegerField(null=True)
    exception = models.TextField(blank=True)
    output_tail = models.TextField(blank=True)

    file_writes = models.PositiveIntegerField(null=True)
    network_connections = models.PositiveIntegerField(null=True)
    subprocesses = models.PositiveIntegerField(null=True)
    side_effects = models.FloatField(null=True, help_text="Weighted sum of the three.")
    attempts_exact = models.BooleanField(null=True, help_text="Counted by the kernel.")
    examples = models.JSONField(default=dict, help_text="Up to N of each count.")
    guarantees = models.JSONField(default=dict)

    coverage = models.FloatField(null=True, help_text="Share of the module's lines that ran, 0 to 1.")
    wall_seconds = models.FloatField(null=True)
    cpu_seconds = models.FloatField(null=True)
    max_rss_bytes = models.PositiveBigIntegerField(null=True)
    score = models.FloatField(null=True, help_text="coverage - seconds - failures, at least 0.")
    roi = models.FloatField(null=True)
    synergy_roi = models.FloatField(null=True)

    lease_owner = models.CharField(max_length=120, blank=True)
    lease_token = models.BigIntegerField(default=0, help_text="Fencing number; rises with every claim.")
    lease_until = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0, help_text="How often it was claimed.")
    created_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    objects = ModuleRunQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["batch", "path"], name="one_run_per_module")]
        indexes = [
            models.Index(fields=["batch", "state", "id"], name="run_batch_state_id"),
            models.Index(fields=["subject", "-id"], name="run_subject_id"),
            models.Index(fields=["subject", "path", "-id"], name="run_path_id"),
            models.Index(
                fields=["lease_until"], name="run_open", condition=Q(state__in=["queued", "running"])
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subject}:{self.path} {self.state}"
