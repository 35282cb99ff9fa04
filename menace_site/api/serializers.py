"""What the site's own endpoints say and take: tokens, the person, health, audit."""

from typing import Any

from rest_framework import serializers

from engines.serializers import Columns, Input, Partial, StrictText
from menace_site.models import ApiToken, AuditEntry
from menace_site.tokens import SCOPES

AUDIT_COLUMNS = Columns(
    {name: name for name in ("id", "at", "actor", "actor_kind", "verb", "target", "detail", "sha256")},
    ("id", "at", "actor", "actor_kind", "verb", "target", "detail"),
)
TOKEN_COLUMNS = Columns(
    {
        name: name
        for name in (
            "id",
            "name",
            "prefix",
            "scopes",
            "created_at",
            "expires_at",
            "last_used_at",
            "revoked_at",
        )
    },
    ("id", "name", "prefix", "scopes", "created_at", "expires_at", "last_used_at", "revoked_at"),
)


class StrictChoice(serializers.ChoiceField):
    """One of the words, as a JSON string."""

    def to_internal_value(self, data: Any) -> Any:
        """Return the word."""
        if not isinstance(data, str):
            self.fail("invalid_choice", input=data)
        return super().to_internal_value(data)


class StrictTime(serializers.DateTimeField):
    """An ISO 8601 time with its zone."""

    def to_internal_value(self, value: Any) -> Any:
        """Return the time."""
        if not isinstance(value, str):
            self.fail("invalid", format="YYYY-MM-DDThh:mm:ssZ")
        try:
            return super().to_internal_value(value)
        except OverflowError:
            self.fail("invalid", format="YYYY-MM-DDThh:mm:ssZ")


class TokenSerializer(serializers.ModelSerializer[ApiToken]):
    """A token, without its secret."""

    scopes = serializers.ListField(child=serializers.ChoiceField(choices=SCOPES), read_only=True)

    class Meta:
        model = ApiToken
        fields: tuple[str, ...] = tuple(TOKEN_COLUMNS.paths)
        read_only_fields = fields


class TokenRow(Partial, TokenSerializer):
    """A token in a list: the fields asked for."""


class NewTokenSerializer(TokenSerializer):
    """A new token with its secret."""

    secret = serializers.CharField(
        read_only=True, allow_null=True, help_text="Shown this once; null when the answer is a replay."
    )

    class Meta(TokenSerializer.Meta):
        fields = (*TokenSerializer.Meta.fields, "secret")
        read_only_fields = fields


class TokenInput(Input):
    """A token to make."""

    name = StrictText(max_length=100)
    scopes = serializers.ListField(
        child=StrictChoice(choices=SCOPES),
        min_length=1,
        max_length=len(SCOPES),
        help_text="What it may be used for.",
    )
    expires_at = StrictTime(help_text="At most ten years ahead.")


class MeSerializer(serializers.Serializer[Any]):
    """Who asks, and what they may."""

    username = serializers.CharField()
    roles = serializers.ListField(child=serializers.CharField(), help_text="Groups: roles and teams.")
    superuser = serializers.BooleanField()
    permissions = serializers.ListField(child=serializers.CharField())
    token = TokenSerializer(allow_null=True, help_text="The token in use; null: a session.")


class PartSerializer(serializers.Serializer[Any]):
    """Whether a part answers."""

    ok = serializers.BooleanField()
    detail = serializers.CharField()


class HealthSerializer(serializers.Serializer[Any]):
    """Whether all parts answer."""

    ready = serializers.BooleanField()
    web = PartSerializer()
    database = PartSerializer()
    broker = PartSerializer()
    workers = PartSerializer()
    beat = PartSerializer()


class AuditRow(Partial, serializers.ModelSerializer[AuditEntry]):
    """One act: the fields asked for."""

    detail = serializers.DictField(read_only=True)

    class Meta:
        model = AuditEntry
        fields = tuple(AUDIT_COLUMNS.paths)
        read_only_fields = fields
