"""Tags of the templates."""

import datetime as dt

import pytest
from django.template import Context, Template
from django.utils import timezone

from menace_site.templatetags.menace import ICONS, after, ago, bead, exact, icon, relative, state, ticking

NOW = dt.datetime(2026, 3, 1, 12, 0, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "just now"),
        (7, "7 s ago"),
        (61, "1 m ago"),
        (7_500, "2 h ago"),
        (200_000, "2 d ago"),
        (-90, "in 1 m"),
        (-8, "in 8 s"),
    ],
)
def test_moments_are_told_relative_to_now(seconds: int, said: str) -> None:
    assert relative(NOW - dt.timedelta(seconds=seconds), NOW) == said


def test_a_moment_has_its_exact_time_with_the_viewers_zone() -> None:
    with timezone.override("Asia/Tokyo"):
        text = ago(NOW)
    assert 'datetime="2026-03-01T12:00:00+00:00"' in text
    assert 'title="2026-03-01 21:00:00 JST"' in text


def test_an_exact_moment_names_its_zone() -> None:
    assert "2026-03-01 12:00:00 UTC</time>" in exact(NOW)


def test_a_missing_moment_is_said_in_words() -> None:
    assert ago(None, "never") == "never"
    assert exact(None, "not yet") == "not yet"
    assert ticking(None) == ""


def test_a_clock_that_runs_ahead_counts_from_zero() -> None:
    assert "0 ms" in ticking(timezone.now() + dt.timedelta(minutes=1))


def test_a_state_is_an_icon_and_a_word() -> None:
    text = state("not_configured")
    assert "#i-dash" in text
    assert "not configured" in text


def test_what_is_said_instead_is_escaped() -> None:
    assert "<b>" not in state("done", "<b>")
    assert "<b>" not in icon("<b>")


def test_every_icon_of_a_state_is_in_the_sprite() -> None:
    sprite = Template('{% include "parts/sprite.html" %}').render(Context())
    for name in {*ICONS, "something else"}:
        symbol = bead(name).split('href="#')[1].split('"')[0]
        assert f'id="{symbol}"' in sprite


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("cycle:7", '<a href="/cycles/7/">cycle #7</a>'),
        ("cycle:12:1aa49063270a", '<a href="/cycles/12/">cycle #12</a>'),
        ("web:ada", "web:ada"),
        ("cycle:", "cycle:"),
        ("cycle:9999999999999999999", "cycle:9999999999999999999"),
        ("cycle:\u0663", "cycle:\u0663"),
        ("a\u202eb", "a\\u202eb"),
    ],
)
def test_what_a_cycle_made_links_to_it(source: str, said: str) -> None:
    assert after(source) == said


def test_a_source_that_is_no_cycle_is_escaped() -> None:
    shown = Template("{% load menace %}{% after source %}").render(Context({"source": "<b>"}))
    assert shown == "&lt;b&gt;"
