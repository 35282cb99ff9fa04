"""What a run says is taken line by line, and only as much of it as it may say."""

import signal

import pytest

from orphans.sandbox.channel import TAIL_BYTES, Channel, Output
from orphans.sandbox.spec import Kind, Limits, Outcome
from orphans.sandbox.verdict import judge

LIMITS = Limits(result_bytes=1000)


def heard(*pieces: bytes) -> Channel:
    channel = Channel(1000, None, "k")
    for piece in pieces:
        channel.feed(piece)
    return channel


def test_a_line_may_come_in_pieces() -> None:
    channel = heard(b'{"res', b'ult": [1,', b'2], "key": "k"}\n')
    assert (channel.finished, channel.result) == (True, [1, 2])


def test_half_a_line_is_nothing() -> None:
    assert not heard(b'{"result": 1}').finished


def test_the_first_result_counts() -> None:
    assert heard(b'{"result": 1, "key": "k"}\n{"result": 2, "key": "k"}\n').result == 1


def test_an_error_is_kept_cleaned() -> None:
    channel = heard(b'{"error": "\\u001b[1mBoom\\u202e", "type": "ValueError", "key": "k"}\n')
    assert (channel.exception, channel.error_type, channel.refused) == ("Boom", "ValueError", "")


@pytest.mark.parametrize(
    "line",
    [
        b"x",
        b"3",
        b'{"result": 1}',
        b'{"result": 1, "key": "x"}',
        b'{"result": 1, "error": ""}',
        b'{"res": 1}',
        b"\xff",
    ],
)
def test_other_lines_are_refused_with_the_reason(line: bytes) -> None:
    assert heard(line + b"\n").refused


def test_too_many_bytes_are_noticed_without_being_kept() -> None:
    channel = heard(*[b"x" * 2**16] * 20)
    assert channel.overflown


def test_progress_is_passed_on_sparingly() -> None:
    told: list[tuple[float | None, str]] = []
    channel = Channel(1000, lambda fraction, message: told.append((fraction, message)))
    channel.feed(b'{"progress": -3, "message": "a"}\n' * 100)
    assert told == [(0.0, "a")]


@pytest.mark.parametrize("fraction", [b"null", b'"half"', b"true", b"[1]"])
def test_progress_that_is_no_number_is_unknown(fraction: bytes) -> None:
    told: list[float | None] = []
    channel = Channel(1000, lambda done, message: told.append(done))
    channel.feed(b'{"progress": ' + fraction + b', "message": "a"}\n')
    assert told == [None]


def test_output_keeps_its_end() -> None:
    output = Output(10_000_000)
    for number in range(200):
        output.feed(f"{number} ".encode() * 1000)
    assert output.size > TAIL_BYTES
    assert output.tail().endswith("199 ")
    assert not output.overflown


FINE = {"status": 0, "cause": ""}


@pytest.mark.parametrize(
    ("facts", "cause", "words", "outcome"),
    [
        (FINE, "", b'{"result": 1, "key": "k"}\n', Outcome.OK),
        (FINE, "", b"", Outcome.FAILED),
        (FINE, "", b"x\n", Outcome.FAILED),
        (FINE, "", b'{"error": "", "type": "MemoryError", "key": "k"}\n', Outcome.OOM),
        (FINE, "", b'{"error": "", "type": "KeyError", "key": "k"}\n', Outcome.FAILED),
        ({"status": 3 << 8, "cause": ""}, "", b'{"result": 1, "key": "k"}\n', Outcome.FAILED),
        ({"status": signal.SIGSEGV, "cause": ""}, "", b'{"result": 1, "key": "k"}\n', Outcome.CRASHED),
        ({"status": signal.SIGXCPU, "cause": ""}, "", b"", Outcome.TIMEOUT),
        ({"status": signal.SIGXFSZ, "cause": ""}, "", b"", Outcome.KILLED),
        ({"status": 40, "cause": ""}, "", b"", Outcome.CRASHED),
        ({"status": None, "cause": "wall"}, "", b"", Outcome.TIMEOUT),
        ({"status": None, "cause": "cpu"}, "", b"", Outcome.TIMEOUT),
        ({"status": None, "cause": "memory"}, "", b"", Outcome.OOM),
        ({"status": None, "cause": "processes"}, "", b"", Outcome.KILLED),
        ({"status": None, "cause": "lifeline"}, "cancelled", b"", Outcome.CANCELLED),
        ({"status": None, "cause": "lifeline"}, "output", b"", Outcome.KILLED),
        ({"status": None, "cause": "lifeline"}, "result", b"", Outcome.KILLED),
        ({"status": None, "cause": "lifeline"}, "", b"", Outcome.CRASHED),
        (None, "", b'{"result": 1, "key": "k"}\n', Outcome.CRASHED),
        (None, "wall", b"", Outcome.TIMEOUT),
    ],
)
def test_facts_decide_and_claims_do_not(
    facts: dict[str, object] | None, cause: str, words: bytes, outcome: Outcome
) -> None:
    ending = judge(facts, cause, heard(words), LIMITS, Kind.CALL)
    assert ending.outcome is outcome
    assert bool(ending.reason) is (outcome is not Outcome.OK and b"KeyError" not in words)


def test_a_script_needs_no_result() -> None:
    assert judge(FINE, "", heard(), LIMITS, Kind.FILE).outcome is Outcome.OK
