"""What the API says of orphan modules, scans, self-tests and revisions, and what it takes."""

from typing import Any, ClassVar

from rest_framework import serializers

from engines.domain.states import RevisionState
from engines.models import WorkflowRevision
from engines.serializers import Columns, Input, Partial, StrictInteger, StrictText, name_field
from engines.services.orphan_acts import FITS, REASON_CHARS
from orphans.domain.findings import Classification
from orphans.domain.states import BatchState, ModuleState, RunState, ScanState, TestOrigin
from orphans.models import ModuleRun, OrphanModule, ScanRun, SelfTestRun

LARGEST_ID = 2**63 - 1
MOST_IDS = 200
CLASSES = [str(each) for each in Classification]
MODULE_STATES = [str(each) for each in ModuleState]
RUN_STATES = [str(each) for each in RunState]
BATCH_STATES = [str(each) for each in BatchState]
SCAN_STATES = [str(each) for each in ScanState]
REVISION_STATES = [str(each) for each in RevisionState]


def columns(default: str, more: str, **renamed: str) -> Columns:
    """Return the fields of a list: those that come without asking, then the others."""
    names = [*default.split(), *more.split()]
    return Columns({name: renamed.get(name, name) for name in names}, tuple(default.split()))


MODULE_COLUMNS = columns(
    "id engine path classification state reason confidence parents twin similarity side_effects updated_at",
    "state_reason isolated redundant chain head coverage score content_hash found_as previous_state"
    " decided_by scan found_at tested_at",
    engine="subject",
    decided_by="decided_label",
    scan="scan_id",
)
SCAN_COLUMNS = columns(
    "id engine source state commit modules edges found isolated counts seconds at",
    "message changes unreadable options repository",
    engine="subject",
)
BATCH_COLUMNS = columns(
    "id engine source state commit requested_by cancel_asked total passed failed skipped created_at",
    "finished_at cpu_seconds message started_at",
    engine="subject",
    requested_by="requested_label",
)
RUN_COLUMNS = columns(
    "id self_test module path state reason origin side_effects coverage wall_seconds created_at finished_at",
    "engine classification outcome tests tests_passed tests_failed calls exit_code signal exception"
    " output_tail file_writes network_connections subprocesses attempts_exact examples guarantees cpu_seconds"
    " max_rss_bytes score roi synergy_roi content_hash attempts started_at",
    engine="subject",
    self_test="batch_id",
    module="module_id",
)
REVISION_COLUMNS = columns(
    "id engine workflow state parent inserted_step module_path position match_score commit created_at",
    "steps input module_hash evidence benchmark cycle created_by decided_by decided_at",
    engine="engine__name",
    parent="parent_id",
    cycle="cycle_id",
    created_by="created_label",
    decided_by="decided_label",
)


def texts(help_text: str = "") -> serializers.ListField:
    """Return a list of texts."""
    return serializers.ListField(child=serializers.CharField(), read_only=True, help_text=help_text)


class OfSubject(serializers.ModelSerializer[Any]):
    """A row that names its engine as its subject."""

    engine = serializers.CharField(source="subject", read_only=True)


class OrphanSerializer(OfSubject):
    """A module that nothing live reaches."""

    classification = serializers.ChoiceField(choices=CLASSES, read_only=True)
    found_as = serializers.ChoiceField(choices=CLASSES, read_only=True, help_text="By the latest scan.")
    state = serializers.ChoiceField(choices=MODULE_STATES, read_only=True)
    previous_state = serializers.CharField(read_only=True, help_text="Empty: none.")
    parents = texts("Modules of its island that import it.")
    chain = texts("From the head of its island down to it.")
    decided_by = serializers.CharField(source="decided_label", read_only=True)
    scan = serializers.IntegerField(source="scan_id", read_only=True, allow_null=True)

    class Meta:
        model = OrphanModule
        fields: ClassVar[tuple[str, ...]] = tuple(MODULE_COLUMNS.paths)
        read_only_fields = fields


class OrphanRow(Partial, OrphanSerializer):
    """A module in a list: the fields asked for."""


class OrphanDetailSerializer(OrphanSerializer):
    """A module with the facts behind its verdict."""

    evidence = serializers.ListField(
        child=serializers.DictField(), read_only=True, help_text="Facts: kind, detail, path, line."
    )

    class Meta(OrphanSerializer.Meta):
        fields = (*OrphanSerializer.Meta.fields, "evidence")
        read_only_fields = fields


class ScanSerializer(OfSubject):
    """A scan of an engine's repository."""

    state = serializers.ChoiceField(choices=SCAN_STATES, read_only=True)
    counts = serializers.DictField(read_only=True, help_text="Findings by class.")
    changes = serializers.DictField(read_only=True, help_text="Paths that differ from the scan before.")
    unreadable = serializers.DictField(read_only=True, help_text="Files that are no Python 3: why.")
    options = serializers.DictField(read_only=True)

    class Meta:
        model = ScanRun
        fields: ClassVar[tuple[str, ...]] = tuple(SCAN_COLUMNS.paths)
        read_only_fields = fields


class ScanRow(Partial, ScanSerializer):
    """A scan in a list: the fields asked for."""


class SelfTestSerializer(OfSubject):
    """A set of self-tests. `passed`, `failed`, `skipped` and `cpu_seconds` are counted at its end."""

    state = serializers.ChoiceField(choices=BATCH_STATES, read_only=True)
    requested_by = serializers.CharField(source="requested_label", read_only=True)

    class Meta:
        model = SelfTestRun
        fields: ClassVar[tuple[str, ...]] = tuple(BATCH_COLUMNS.paths)
        read_only_fields = fields


class SelfTestRow(Partial, SelfTestSerializer):
    """A set of self-tests in a list: the fields asked for."""


class ModuleRunSerializer(OfSubject):
    """The self-test of one module; null is not measured."""

    self_test = serializers.IntegerField(source="batch_id", read_only=True)
    module = serializers.IntegerField(source="module_id", read_only=True, allow_null=True)
    state = serializers.ChoiceField(choices=RUN_STATES, read_only=True)
    origin = serializers.ChoiceField(
        choices=["", *(str(each) for each in TestOrigin)],
        read_only=True,
        help_text="Where its tests are from.",
    )
    tests = texts("Test files.")
    calls = texts("Functions that a generated test called.")
    examples = serializers.DictField(read_only=True, help_text="Some of what was counted.")
    guarantees = serializers.DictField(read_only=True, help_text="Layers of the sandbox: whether they held.")

    class Meta:
        model = ModuleRun
        fields: ClassVar[tuple[str, ...]] = tuple(RUN_COLUMNS.paths)
        read_only_fields = fields


class ModuleRunRow(Partial, ModuleRunSerializer):
    """The self-test of one module in a list: the fields asked for."""


class RevisionSerializer(serializers.ModelSerializer[WorkflowRevision]):
    """A revision of a workflow: immutable steps beside the bot's source."""

    engine = serializers.CharField(source="engine.name", read_only=True)
    state = serializers.ChoiceField(choices=REVISION_STATES, read_only=True)
    parent = serializers.IntegerField(  # type: ignore[assignment]  # the column's name
        source="parent_id", read_only=True, allow_null=True
    )
    cycle = serializers.IntegerField(source="cycle_id", read_only=True, allow_null=True)
    steps = texts("`module:function`, in order.")
    evidence = serializers.DictField(read_only=True, help_text="Each precondition with what was seen.")
    benchmark = serializers.DictField(read_only=True, allow_null=True, help_text="Against the parent.")
    created_by = serializers.CharField(source="created_label", read_only=True)
    decided_by = serializers.CharField(source="decided_label", read_only=True)

    class Meta:
        model = WorkflowRevision
        fields: ClassVar[tuple[str, ...]] = tuple(REVISION_COLUMNS.paths)
        read_only_fields = fields


class RevisionRow(Partial, RevisionSerializer):
    """A revision in a list: the fields asked for."""


class ActInput(Input):
    """What to do with which modules."""

    act = serializers.ChoiceField(choices=list(FITS))
    ids = serializers.ListField(
        child=StrictInteger(min_value=1, max_value=LARGEST_ID), min_length=1, max_length=MOST_IDS
    )
    reason = StrictText(
        required=False, allow_blank=True, max_length=REASON_CHARS, help_text="Why; kept when retiring."
    )


class TallySerializer(serializers.Serializer[Any]):
    """What came of an act on modules."""

    done = serializers.ListField(child=serializers.IntegerField(), help_text="Ids that it reached.")
    refused = serializers.ListField(child=serializers.CharField(), help_text="Why others were left alone.")


class ScanInput(Input):
    """Which engine's repository to scan."""

    engine = name_field()


class AskedSerializer(serializers.Serializer[Any]):
    """Work that a worker was asked for."""

    engine = serializers.CharField()
    source = serializers.CharField(  # type: ignore[assignment]  # as in the rows
        help_text="What its rows' `source` begins with."
    )


class LayerSerializer(serializers.Serializer[Any]):
    """One layer of the sandbox."""

    held = serializers.BooleanField()
    reason = serializers.CharField(help_text="Why it does not hold; empty when it does.")
    means = serializers.CharField()
    required = serializers.BooleanField(  # type: ignore[assignment]  # as the probe names it
        help_text="No run starts without it (`SANDBOX_REQUIRE`)."
    )


class WarmSerializer(serializers.Serializer[Any]):
    """Limits of servers with loaded libraries, which runs are forked from."""

    idle_seconds = serializers.FloatField(help_text="They end after so long without a run.")
    memory_mb = serializers.IntegerField(help_text="They end at once when larger, in MiB; 0: there are none.")


class SandboxSerializer(serializers.Serializer[Any]):
    """What the sandbox of the web's machine can promise."""

    layers = serializers.DictField(child=LayerSerializer())
    counter = serializers.CharField(help_text="What counts attempts: `kernel` is exact.")
    user = serializers.CharField()
    allowed = serializers.BooleanField(help_text="Whether runs may start.")
    refused = serializers.CharField(help_text="Why none may; empty when they may.")
    warm = WarmSerializer()
    system = serializers.CharField()
