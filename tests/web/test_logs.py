"""The logs of a cycle."""

import pytest
from django.test import Client

from engines.models import Cycle
from tests.factories import make_cycle, make_step


def logged(**logs: str) -> Cycle:
    """Make a cycle whose steps wrote something."""
    cycle = make_cycle()
    for name, log in logs.items():
        make_step(cycle, name, log=log)
    return cycle


def test_it_shows_whole_logs_with_numbered_lines(viewer: Client) -> None:
    cycle = logged(retrain="\n".join(f"line {number}" for number in range(300)))
    page = viewer.get(f"/cycles/{cycle.pk}/logs/")
    (log,) = page.context["logs"]
    assert (log["total"], len(log["lines"])) == (300, 300)
    assert 'id="retrain-300"' in page.content.decode()


def test_a_search_marks_every_match_without_regard_to_case(viewer: Client) -> None:
    cycle = logged(inspect="Trial 1\nnothing", retrain="trial 2 after TRIAL 1")
    page = viewer.get(f"/cycles/{cycle.pk}/logs/?q=trial")
    text = page.content.decode()
    assert page.context["matches"] == 3
    assert "3 matches" in text
    for place, found in enumerate(("Trial", "trial", "TRIAL"), start=1):
        assert f'<mark id="hit-{place}">{found}</mark>' in text


def test_it_can_leave_the_matching_lines_alone_with_their_numbers(viewer: Client) -> None:
    cycle = logged(retrain="a\nfault here\nb\nanother fault")
    (log,) = viewer.get(f"/cycles/{cycle.pk}/logs/?q=fault&only=1").context["logs"]
    assert [number for number, _ in log["lines"]] == [2, 4]


@pytest.mark.parametrize("text", ["(", "[a-", "\\", ".*", "$"])
def test_a_text_is_no_pattern(viewer: Client, text: str) -> None:
    cycle = logged(retrain=f"before{text}after")
    page = viewer.get(f"/cycles/{cycle.pk}/logs/", {"q": text})
    assert page.context["matches"] == 1


def test_what_a_bot_wrote_is_escaped_inside_and_outside_of_marks(viewer: Client) -> None:
    cycle = logged(retrain="<img src=x> <b>")
    text = viewer.get(f"/cycles/{cycle.pk}/logs/", {"q": "<b>"}).content.decode()
    assert "&lt;img src=x&gt;" in text
    assert ">&lt;b&gt;</mark>" in text


def test_marks_end_somewhere(viewer: Client) -> None:
    cycle = logged(retrain="a" * 5_000)
    page = viewer.get(f"/cycles/{cycle.pk}/logs/?q=a")
    assert page.context["capped"]
    assert "the first 2000" in page.content.decode()


def test_no_log_says_why(viewer: Client) -> None:
    assert (
        "No step of this cycle wrote anything"
        in viewer.get(f"/cycles/{make_cycle().pk}/logs/").content.decode()
    )
    running = make_cycle(state="running")
    assert "once the step ends" in viewer.get(f"/cycles/{running.pk}/logs/").content.decode()


def test_all_logs_are_one_file(viewer: Client) -> None:
    cycle = logged(inspect="one\n", retrain="two")
    response = viewer.get(f"/cycles/{cycle.pk}/logs.txt")
    assert response.content.decode() == "===== inspect (done)\none\n\n===== retrain (done)\ntwo\n"
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert f"cycle-{cycle.pk}.log" in response["Content-Disposition"]
