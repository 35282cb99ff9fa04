"""Rows of the site itself: tokens, audit, heartbeats, idempotency keys, preferences."""

from typing import Any, NoReturn

from django.conf import settings
from django.db import models
from django.db.models.functions import Now


class ApiToken(models.Model):
    """A token of a person for programs. Only its hash is kept."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=100)
    prefix = models.CharField(
        max_length=12, unique=True, help_text="First characters, shown to tell tokens apart."
    )
    sha256 = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(default=list, help_text="Of: read, operate, approve.")
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.prefix}…"


class AppendOnly(models.QuerySet[Any]):
    """Rows that nobody may change; the database has a trigger that says the same."""

    def update(self, **_: Any) -> NoReturn:
        """Refuse."""
        raise TypeError("the audit log is append-only")

    def delete(self) -> NoReturn:
        """Refuse."""
        raise TypeError("the audit log is append-only")


class AuditEntry(models.Model):
    """One act of a person, a token or the system. Append-only; each row's hash covers the one before."""

    at = models.DateTimeField(db_default=Now())
    actor = models.CharField(max_length=150)
    actor_kind = models.CharField(max_length=10)
    user_id_at_time = models.BigIntegerField(null=True)
    verb = models.CharField(max_length=40, help_text="Such as `cycle.cancel`.")
    target = models.CharField(max_length=150, help_text="Such as `cycle:7`.")
    detail = models.JSONField(default=dict)
    previous = models.CharField(max_length=64, blank=True, help_text="Hash of the row before.")
    sha256 = models.CharField(max_length=64, help_text="Hash of this row and the one before.")

    objects = AppendOnly.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["target", "-id"], name="audit_target_id"),
            models.Index(fields=["actor", "-id"], name="audit_actor_id"),
        ]

    def __str__(self) -> str:
        return f"{self.actor} {self.verb} {self.target}"


class ServiceBeat(models.Model):
    """Latest sign of life of a process."""

    service = models.CharField(max_length=10, help_text="worker or beat")
    name = models.CharField(max_length=150, unique=True, help_text="host:pid")
    at = models.DateTimeField(db_default=Now())
    detail = models.JSONField(default=dict)

    class Meta:
        ordering = ["service", "name"]

    def __str__(self) -> str:
        return f"{self.service} {self.name}"


class IdempotencyKey(models.Model):
    """The answer to a request that a program may repeat."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=100)
    fingerprint = models.CharField(max_length=64, help_text="Hash of method, path and body.")
    status = models.PositiveSmallIntegerField(null=True, help_text="Empty while the first request runs.")
    body = models.JSONField(null=True)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="one_answer_per_key")]

    def __str__(self) -> str:
        return self.key


class Preference(models.Model):
    """How a person wants pages to look."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="preference")
    time_zone = models.CharField(max_length=64, blank=True, help_text="Empty: the browser's.")
    theme = models.CharField(
        max_length=6, blank=True, choices=[("", "system"), ("light", "light"), ("dark", "dark")]
    )

    def __str__(self) -> str:
        return f"{self.user_id}"


class SavedView(models.Model):
    """A list as a person wants to find it again: filters, order and page size under a name."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_views")
    page = models.CharField(max_length=20, help_text="Which list, such as `cycles`.")
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=1000, blank=True, help_text="The part of the address after the ?.")
    usual = models.BooleanField(default=False, help_text="Shown when the list is opened without a filter.")

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["user", "page", "name"], name="one_view_per_name"),
            models.UniqueConstraint(
                fields=["user", "page"], condition=models.Q(usual=True), name="one_usual_view"
            ),
        ]

    def __str__(self) -> str:
        return self.name
