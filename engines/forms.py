"""Forms of the pages. They check what a person typed; the services check what may be."""

from typing import Any

from django import forms
from django.contrib.auth.models import Group, User

from engines.domain.errors import InvalidInput
from engines.domain.promotion_policy import LIMITS, WHOLE, PromotionPolicy
from engines.domain.states import STEPS
from engines.models import Engine

ROLES = ("viewer", "operator", "approver")
ALIASES = {"base_energy": "energy", "reason": "why"}


class ServiceForm(forms.Form):
    """A form whose service may refuse a field by name."""

    def refuse(self, error: InvalidInput) -> None:
        """Put a service's refusal beside the field it names, else above the form."""
        name = ALIASES.get(error.field, error.field)
        self.add_error(name if name in self.fields else None, str(error))


class TriggerForm(ServiceForm):
    """How much energy one cycle gets."""

    energy = forms.FloatField(
        min_value=0.01, max_value=100.0, help_text="1 = the engine's base budget; 2 buys twice as much."
    )


class RetryForm(ServiceForm):
    """From which step a cycle starts anew."""

    from_step = forms.ChoiceField(choices=[(step, step) for step in STEPS])


class BudgetForm(ServiceForm):
    """What registering and editing an engine have in common."""

    energy = forms.FloatField(
        min_value=0.01,
        max_value=100.0,
        initial=1.0,
        help_text="Energy of a scheduled cycle. 1 = the base budget.",
    )
    base_cpu_seconds = forms.FloatField(
        required=False, min_value=0.1, max_value=86_400.0, label="Base budget, CPU seconds",
        help_text="What energy 1 may spend. Empty: what the manifest says.",
    )  # fmt: skip
    base_trials = forms.IntegerField(
        required=False, min_value=1, max_value=100_000, label="Base budget, trials",
        help_text="How many configurations energy 1 may try.",
    )  # fmt: skip
    schedule_seconds = forms.IntegerField(
        required=False, min_value=10, max_value=31_536_000, label="Run every … seconds",
        help_text="Empty: only on demand.",
    )  # fmt: skip
    seed = forms.IntegerField(
        min_value=0, max_value=2**31 - 1, initial=0, help_text="Seed of splits and search."
    )
    team = forms.ModelChoiceField(
        Group.objects.none(), required=False, empty_label="everybody with a role",
        help_text="Only this group sees the engine.",
    )  # fmt: skip

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        teams = Group.objects.all() if user.is_superuser else user.groups.all()
        field = self.fields["team"]
        if isinstance(field, forms.ModelChoiceField):
            field.queryset = teams.exclude(name__in=ROLES)


class RegisterForm(BudgetForm):
    """A repository to take under care."""

    path = forms.CharField(
        max_length=1000,
        label="Path of the git checkout",
        help_text="The whole path on the machine of the workers.",
    )
    name = forms.CharField(
        required=False,
        max_length=63,
        help_text="Lower-case letters, digits, - and _. Empty: the folder's name.",
    )
    field_order = (
        "path",
        "name",
        "energy",
        "base_cpu_seconds",
        "base_trials",
        "schedule_seconds",
        "seed",
        "team",
    )

    def arguments(self) -> dict[str, Any]:
        """Return the arguments of the registering service."""
        return {**self.cleaned_data, "name": self.cleaned_data["name"] or None}


class EditForm(BudgetForm):
    """What may change of an engine."""

    enabled = forms.BooleanField(required=False, help_text="Off: nothing is scheduled and nothing runs.")
    roi_ema_alpha = forms.FloatField(
        min_value=0.001,
        max_value=1.0,
        label="Smoothing of the moving average",
        help_text="0.1 looks back about 10 cycles.",
    )
    field_order = (
        "enabled",
        "energy",
        "base_cpu_seconds",
        "base_trials",
        "schedule_seconds",
        "seed",
        "roi_ema_alpha",
        "team",
    )

    @classmethod
    def of(cls, engine: Engine, user: User) -> "EditForm":
        """Return the form filled with what the engine has."""
        names = (
            "enabled",
            "base_cpu_seconds",
            "base_trials",
            "schedule_seconds",
            "seed",
            "roi_ema_alpha",
            "team",
        )
        initial = {name: getattr(engine, name) for name in names}
        return cls(user=user, initial={**initial, "energy": engine.base_energy})

    def changes(self, engine: Engine) -> dict[str, Any]:
        """Return the values that differ from the engine's; a budget left empty stays."""
        wanted = {ALIASES_BACK.get(name, name): value for name, value in self.cleaned_data.items()}
        kept = ("base_cpu_seconds", "base_trials")
        return {
            name: value
            for name, value in wanted.items()
            if value != getattr(engine, name) and not (value is None and name in kept)
        }


ALIASES_BACK = {alias: name for name, alias in ALIASES.items()}


def _knob(name: str, label: str, help_text: str) -> forms.Field:
    """Return the field of one knob of a policy, by the kind of its usual value and its limits."""
    usual = getattr(PromotionPolicy(), name)
    if isinstance(usual, bool):
        return forms.BooleanField(required=False, label=label, help_text=help_text)
    low, high = LIMITS[name]
    if name in WHOLE:
        return forms.IntegerField(min_value=int(low), max_value=int(high), label=label, help_text=help_text)
    return forms.FloatField(min_value=low, max_value=high, label=label, help_text=help_text)


class PolicyForm(ServiceForm):
    """What an engine's promotions take; every change has a reason."""

    mode = forms.ChoiceField(
        choices=[
            ("manual", "a person approves"),
            ("automatic", "the policy approves, within the limits below"),
        ],
        label="Who approves",
    )
    tau = _knob("tau", "Confidence needed", "Of the forecast, 0 to 1. Under it the gate holds.")
    max_p_collapse = _knob(
        "max_p_collapse",
        "Probability of a collapse borne",
        "0 to 1. Beyond it the gate blocks. 0.5 leaves it to the label, which misses about one collapse in "
        "eight; 0.3 misses one in ten, 0.12 one in twenty and blocks a quarter of what would have held.",
    )
    roi_floor = _knob("roi_floor", "Least projected ROI", "Every cycle ahead must lie above it.")
    impact_floor = _knob(
        "impact_floor", "Most that a dependant may lose", "As a negative number; 0: nothing."
    )
    evidence_hours = _knob(
        "evidence_hours", "Evidence is fresh for, hours", "Older evidence can't be approved."
    )
    overrule_holds = _knob(
        "overrule_holds", "Approvers may overrule a hold", "What the gate blocks, nobody may approve."
    )
    require_impact = _knob(
        "require_impact", "Hold without a measured impact", "Off: a missing impact is said, and passes."
    )
    require_flags = _knob("require_flags", "Hold without alignment flags", "Off: a missing flagger is said.")
    auto_models = _knob("auto_models", "Automatic: models", "")
    auto_workflows = _knob("auto_workflows", "Automatic: workflows", "")
    auto_per_day = _knob("auto_per_day", "Automatic: at most a day", "")
    auto_confidence = _knob("auto_confidence", "Automatic: confidence needed", "0 to 1.")
    auto_max_p_collapse = _knob(
        "auto_max_p_collapse",
        "Automatic: probability of a collapse borne",
        "0 to 1. Usually 0.12: nobody looks, so about one collapse in twenty may be missed.",
    )
    auto_unflagged = _knob(
        "auto_unflagged",
        "Automatic: also code without alignment flags",
        "Off: code that no flagger looked at waits for a person. Without a flagger, that is all of it.",
    )
    auto_unknown_brittleness = _knob(
        "auto_unknown_brittleness",
        "Automatic: also models of unknown brittleness",
        "Off: a model waits for a person while no change of entropy was measured in its bot's cycles.",
    )
    why = forms.CharField(
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 2}),
        label="Reason",
        help_text="Kept in the audit log.",
    )

    @property
    def reason(self) -> str:
        """Why the policy is changed."""
        return str(self.cleaned_data["why"])

    def changes(self, policy: PromotionPolicy) -> dict[str, Any]:
        """Return the knobs that differ from the policy's."""
        values = {name: value for name, value in self.cleaned_data.items() if name != "why"}
        return {name: value for name, value in values.items() if value != getattr(policy, name)}
