"""What the API says of promotions and their policy, and what it takes."""

from typing import Any, ClassVar

from rest_framework import serializers

from engines.domain.promotion import Kind, PromotionState
from engines.domain.promotion_policy import LIMITS, MODES
from engines.models import Promotion
from engines.serializers import Input, Partial, StrictText
from engines.services.promotions.rights import REASON_CHARS
from menace_site.api.orphan_serializers import columns

STATES = [str(state) for state in PromotionState]
KINDS = [str(kind) for kind in Kind]
VERDICTS = ["promote", "hold", "block"]

PROMOTION_COLUMNS = columns(
    "id engine cycle kind state verdict subject version revision evidence_sha256 requested_by created_at"
    " decided_by decided_at reason applied_at",
    "message break_glass automatic attempts decision policy evidence before before_sha256 after after_sha256"
    " alarm alarm_at alarm_kept_by alarm_kept_at alarm_kept_reason rolled_back_by rolled_back_at"
    " rolled_back_reason",
    engine="engine__name",
    cycle="cycle_id",
    version="version_id",
    revision="revision_id",
    requested_by="requested_label",
    decided_by="decided_label",
    alarm_kept_by="alarm_kept_label",
    rolled_back_by="rolled_back_label",
)


class PromotionSerializer(serializers.ModelSerializer[Promotion]):
    """A promotion with its evidence, the gate's reasons, and what was decided and done."""

    engine = serializers.CharField(source="engine.name", read_only=True)
    kind = serializers.ChoiceField(choices=KINDS, read_only=True)
    state = serializers.ChoiceField(choices=STATES, read_only=True)
    verdict = serializers.ChoiceField(choices=VERDICTS, read_only=True)
    cycle = serializers.IntegerField(source="cycle_id", read_only=True, allow_null=True)
    version = serializers.IntegerField(source="version_id", read_only=True, allow_null=True)
    revision = serializers.IntegerField(source="revision_id", read_only=True, allow_null=True)
    requested_by = serializers.CharField(source="requested_label", read_only=True)
    decided_by = serializers.CharField(source="decided_label", read_only=True)
    alarm_kept_by = serializers.CharField(source="alarm_kept_label", read_only=True)
    rolled_back_by = serializers.CharField(source="rolled_back_label", read_only=True)
    evidence = serializers.DictField(read_only=True, help_text="All that the gate looked at, frozen.")
    decision = serializers.DictField(read_only=True, help_text="Verdict, text, reasons, unmeasured.")
    policy = serializers.DictField(read_only=True, help_text="The engine's policy as it was.")
    before = serializers.DictField(read_only=True, allow_null=True, help_text="Live before it was applied.")
    after = serializers.DictField(read_only=True, allow_null=True, help_text="Live afterwards.")
    alarm = serializers.DictField(read_only=True, allow_null=True, help_text="Why a roll-back is proposed.")

    class Meta:
        model = Promotion
        fields: ClassVar[tuple[str, ...]] = tuple(PROMOTION_COLUMNS.paths)
        read_only_fields = fields


class PromotionRow(Partial, PromotionSerializer):
    """A promotion in a list: the fields asked for."""


def reason_field() -> StrictText:
    """Return the field of a reason, which is never empty."""
    return StrictText(max_length=REASON_CHARS, help_text="Why; kept with the decision and in the audit log.")


class StrictFlag(serializers.BooleanField):
    """A JSON true or false, not a word for it."""

    def to_internal_value(self, data: Any) -> bool:
        """Return the flag."""
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class ApproveInput(Input):
    """Which evidence is approved, and why."""

    evidence_sha256 = StrictText(
        min_length=64, max_length=64, help_text="The hash of the evidence that you looked at."
    )
    reason = reason_field()
    break_glass = StrictFlag(
        required=False, help_text="Approve your own request alone, where the settings allow it."
    )
    overrule = StrictFlag(
        required=False, help_text="Approve what the gate holds, where the engine's policy allows it."
    )


class RejectInput(Input):
    """Why it is rejected."""

    reason = reason_field()
    evidence_sha256 = StrictText(
        required=False, min_length=64, max_length=64, help_text="Checked where it is given."
    )


class ReasonInput(Input):
    """Why."""

    reason = reason_field()


class ChangeSerializer(serializers.Serializer[Any]):
    """One thing that a roll-back would change."""

    path = serializers.CharField(help_text="Such as `champion.sha256`.")
    before = serializers.JSONField(allow_null=True)
    after = serializers.JSONField(allow_null=True)


class PreviewSerializer(serializers.Serializer[Any]):
    """What a roll-back would change."""

    promotion = serializers.IntegerField()
    possible = serializers.BooleanField()
    why_not = serializers.CharField(help_text="Empty when it is possible.")
    now = serializers.DictField(help_text="What is live.")
    now_sha256 = serializers.CharField()
    then = serializers.DictField(allow_null=True, help_text="What would be live.")
    then_sha256 = serializers.CharField(help_text="Empty before it was applied.")
    changes = ChangeSerializer(many=True)


class PolicySerializer(serializers.Serializer[Any]):
    """The policy of an engine's promotions; the how-to explains each knob."""

    mode = serializers.ChoiceField(choices=MODES)
    overrule_holds = serializers.BooleanField()
    tau = serializers.FloatField()
    max_p_collapse = serializers.FloatField()
    roi_floor = serializers.FloatField()
    impact_floor = serializers.FloatField()
    evidence_hours = serializers.FloatField()
    require_impact = serializers.BooleanField()
    require_flags = serializers.BooleanField()
    auto_models = serializers.BooleanField()
    auto_workflows = serializers.BooleanField()
    auto_per_day = serializers.IntegerField()
    auto_confidence = serializers.FloatField()
    auto_max_p_collapse = serializers.FloatField()
    auto_unflagged = serializers.BooleanField()
    auto_unknown_brittleness = serializers.BooleanField()


class StrictNumber(serializers.FloatField):
    """A JSON number, not a text."""

    def to_internal_value(self, data: Any) -> float:
        """Return the number."""
        if isinstance(data, bool) or not isinstance(data, int | float):
            self.fail("invalid")
        return super().to_internal_value(data)


def knob(name: str) -> StrictNumber:
    """Return the field of a number of the policy, with its limits."""
    low, high = LIMITS[name]
    return StrictNumber(required=False, min_value=low, max_value=high)


class WholeNumber(serializers.IntegerField):
    """A JSON integer."""

    def to_internal_value(self, data: Any) -> int:
        """Return the number."""
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("invalid")
        return super().to_internal_value(data)


class PolicyInput(Input):
    """Knobs of a policy, and why they change; what is left out stays."""

    reason = reason_field()
    mode = serializers.ChoiceField(choices=MODES, required=False)
    overrule_holds = StrictFlag(required=False)
    tau = knob("tau")
    max_p_collapse = knob("max_p_collapse")
    roi_floor = knob("roi_floor")
    impact_floor = knob("impact_floor")
    evidence_hours = knob("evidence_hours")
    require_impact = StrictFlag(required=False)
    require_flags = StrictFlag(required=False)
    auto_models = StrictFlag(required=False)
    auto_workflows = StrictFlag(required=False)
    auto_per_day = WholeNumber(required=False, min_value=1, max_value=100)
    auto_confidence = knob("auto_confidence")
    auto_max_p_collapse = knob("auto_max_p_collapse")
    auto_unflagged = StrictFlag(required=False)
    auto_unknown_brittleness = StrictFlag(required=False)
