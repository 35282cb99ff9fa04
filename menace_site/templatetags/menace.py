"""Tags of the templates: times, icons, forms."""

import datetime as dt
from typing import Any

from django import template
from django.forms import BoundField, CheckboxInput, CheckboxSelectMultiple
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from engines.domain.unseen import visible
from engines.domain.wording import lasting, word
from menace_site import saved_views

register = template.Library()

ICONS = {
    "queued": "clock", "pending": "circle", "running": "spin", "paused": "pause", "done": "check",
    "skipped": "skip", "failed": "cross", "cancelled": "ban", "quarantined": "shield",
    "not_configured": "dash", "idle": "circle", "off": "ban", "champion": "star", "candidate": "clock",
    "found": "search", "testing": "spin", "passed": "check", "integrated": "star", "restored": "undo",
    "live": "play", "gone": "dash", "active": "star", "superseded": "dash", "reverted": "undo",
    "retired": "dash", "rejected": "cross", "away": "cross", "late": "clock", "up-to-date": "check",
    "waiting": "clock", "held": "pause", "blocked": "ban", "approved": "check", "applying": "spin",
    "applied": "star", "stale": "again", "rolled_back": "undo",
}  # fmt: skip


@register.simple_tag
def icon(name: str) -> SafeString:
    """Return an icon of the sprite in the page's frame."""
    return format_html('<svg class="icon" aria-hidden="true"><use href="#i-{}"/></svg>', name)


@register.simple_tag
def state(name: str, said: str = "") -> SafeString:
    """Return a state as an icon and a word."""
    return format_html(
        '<span class="state {}"><svg class="icon" aria-hidden="true"><use href="#i-{}"/></svg>{}</span>',
        name,
        ICONS.get(name, "circle"),
        said or word(name),
    )


@register.simple_tag
def bead(name: str) -> SafeString:
    """Return the icon of a step's state."""
    return icon(ICONS.get(name, "circle"))


@register.filter
def seen(value: object) -> str:
    """Return a value as text in which every unseen character is its number."""
    return visible(str(value))


@register.simple_tag
def after(source: str) -> SafeString | str:
    """Return what something was made after, such as `cycle:7` or `cycle:7:commit`: a cycle is a link."""
    kind, _, rest = source.partition(":")
    number = rest.partition(":")[0]
    if kind != "cycle" or not (number.isascii() and number.isdigit() and len(number) < 19):
        return visible(source)
    return format_html('<a href="{}">cycle #{}</a>', reverse("cycle-detail", args=[int(number)]), int(number))


@register.simple_tag
def ago(at: dt.datetime | None, missing: str = "") -> SafeString | str:
    """Return a moment relative to now; its title has the exact time in the viewer's zone."""
    if at is None:
        return missing
    local = timezone.localtime(at)
    return format_html(
        '<time datetime="{}" title="{} {}" data-ago>{}</time>',
        at.isoformat(timespec="seconds"),
        local.strftime("%Y-%m-%d %H:%M:%S"),
        local.tzname() or "UTC",
        relative(at, timezone.now()),
    )


@register.simple_tag
def exact(at: dt.datetime | None, missing: str = "") -> SafeString | str:
    """Return a moment exactly, with its zone."""
    if at is None:
        return missing
    local = timezone.localtime(at)
    text = f"{local:%Y-%m-%d %H:%M:%S} {local.tzname() or 'UTC'}"
    return format_html('<time datetime="{}">{}</time>', at.isoformat(timespec="seconds"), text)


def relative(at: dt.datetime, now: dt.datetime) -> str:
    """Return how long ago, or in how long, something is."""
    seconds = (now - at).total_seconds()
    if abs(seconds) < 5:
        return "just now"
    told = lasting(float(round(abs(seconds)))) if abs(seconds) >= 10 else f"{abs(seconds):.0f} s"
    most = " ".join(told.split()[:2])
    return f"{most} ago" if seconds > 0 else f"in {most}"


@register.simple_tag
def ticking(since: dt.datetime | None) -> SafeString | str:
    """Return a duration that the page counts on."""
    if since is None:
        return ""
    seconds = (timezone.now() - since).total_seconds()
    return format_html(
        '<span data-since="{}">{}</span>', since.isoformat(timespec="seconds"), lasting(max(seconds, 0.0))
    )


@register.simple_tag(takes_context=True)
def saved(context: template.Context, page: str, current: str = "") -> list[dict[str, Any]]:
    """Return the viewer's saved views of a list; the one that shows the query `current` is marked."""
    return saved_views.of(context["user"], page, current)


@register.inclusion_tag("parts/field.html")
def field(bound: BoundField, wide: bool = False) -> dict[str, Any]:
    """Show a form's field with its label, help and errors, tied together for screen readers."""
    ties = [f"{bound.auto_id}-help"] if bound.help_text else []
    ties += [f"{bound.auto_id}-wrong"] if bound.errors else []
    attributes: dict[str, Any] = {"aria-describedby": " ".join(ties)} if ties else {}
    if bound.errors:
        attributes["aria-invalid"] = "true"
    widget = bound.field.widget
    return {
        "field": bound,
        "control": bound.as_widget(attrs=attributes),
        "check": isinstance(widget, CheckboxInput),
        "many": isinstance(widget, CheckboxSelectMultiple),
        "wide": wide,
    }
