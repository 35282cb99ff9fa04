"""The parts of the supervisor, one by one."""

import io
import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
from django.contrib.auth.models import User

from engines.domain.errors import Conflict
from menace_site.supervisor import first_run, plan, state
from menace_site.supervisor.backoff import LONGEST_SECONDS, Backoff
from menace_site.supervisor.child import Child, Spec
from menace_site.supervisor.output import Console
from menace_site.supervisor.ready import choose_port, health, is_free, missing
from tests.waiting import until


def test_pauses_double_up_to_a_bound() -> None:
    backoff = Backoff()
    assert [backoff.pause_after(0.1) for _ in range(7)] == [1, 2, 4, 8, 16, LONGEST_SECONDS, LONGEST_SECONDS]


def test_a_long_run_forgets_earlier_falls() -> None:
    backoff = Backoff(falls=5)
    assert backoff.pause_after(61) == 1
    assert backoff.pause_after(59) == 2


def test_every_line_carries_its_speaker() -> None:
    stream = io.StringIO()
    console = Console(stream)
    console.say("web", "one\ntwo")
    console.say("postgres", "three")
    assert stream.getvalue() == "web      | one\nweb      | two\npostgres | three\n"


def test_colour_is_for_terminals_only() -> None:
    stream = io.StringIO()
    Console(stream, colour=True).say("web", "hello")
    assert stream.getvalue().startswith("\x1b[32mweb")
    assert not Console(stream)._colour


def test_output_of_a_process_is_followed_even_if_it_is_no_text() -> None:
    stream = io.StringIO()
    words = [sys.executable, "-c", "import os; os.write(1, b'caf\\xe9\\nlast')"]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        Console(stream).follow("web", process.stdout).join(10)
    assert stream.getvalue().splitlines() == ["web      | caf\ufffd", "web      | last"]


def test_processes_start_web_first_and_only_those_chosen() -> None:
    assert [spec.name for spec in plan.specs("127.0.0.1", 8000)] == ["web", "worker", "beat"]
    assert [spec.name for spec in plan.specs("127.0.0.1", 8000, ("beat", "web"))] == ["web", "beat"]
    assert "8123" in plan.specs("127.0.0.1", 8123)[0].command


@contextmanager
def child(code: str) -> Iterator[tuple[Child, io.StringIO]]:
    """A supervised Python process."""
    stream = io.StringIO()
    spec = Spec("web", (sys.executable, "-c", code), patience=5)
    one = Child(spec, Console(stream), dict(os.environ), Path.cwd())
    one.start()
    yield one, stream
    one.stop(at_once=True)


def test_a_fallen_child_is_started_again_after_its_pause() -> None:
    with child("import sys; sys.exit(7)") as (one, stream):
        until(one.watch)
    assert "web ended with code 7; starting it again in 1 s" in stream.getvalue()
    assert one.backoff.falls == 1


def test_a_running_child_is_left_alone_and_stops_when_asked() -> None:
    with child("import time; time.sleep(60)") as (one, _):
        pid = one.pid
        assert pid is not None
        assert not one.watch()
        assert one.pid == pid
        one.ask_to_stop()
        one.stop()
        assert one.pid is None


def test_one_supervisor_per_data_folder(tmp_path: Path) -> None:
    lock = state.take(tmp_path)
    state.write(tmp_path, "http://127.0.0.1:8000/", {"web": 12})
    assert state.running(tmp_path)["children"] == {"web": 12}
    with pytest.raises(Conflict, match=rf"process {os.getpid()} at http://127.0.0.1:8000/"):
        state.take(tmp_path)
    state.take(tmp_path / "other").release()
    lock.release()
    assert state.running(tmp_path) == {}
    state.take(tmp_path).release()


def test_a_torn_state_file_is_no_state(tmp_path: Path) -> None:
    state.state_file(tmp_path).parent.mkdir()
    state.state_file(tmp_path).write_text('{"pid": 1')
    assert state.read(tmp_path) == {}


class Answer(BaseHTTPRequestHandler):
    """Answers /health as the test says."""

    status = 200
    body: object = {}

    def do_GET(self) -> None:
        """Answer."""
        self.send_response(self.status)
        self.end_headers()
        self.wfile.write(json.dumps(self.body).encode())

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.mark.parametrize(("status", "ready"), [(200, True), (503, False)])
def test_ready_is_what_health_says(monkeypatch: pytest.MonkeyPatch, status: int, ready: bool) -> None:
    monkeypatch.setattr(Answer, "status", status)
    monkeypatch.setattr(Answer, "body", {"ready": ready, "beat": {"ok": ready, "detail": "no beat"}})
    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = Thread(target=server.handle_request)
        thread.start()
        found, parts = health("127.0.0.1", server.server_port)
        thread.join()
    assert found is ready
    assert missing(parts) == ([] if ready else ["beat: no beat"])


def test_nobody_listening_is_not_ready() -> None:
    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        port = server.server_port
        assert not is_free("127.0.0.1", port)
        with pytest.raises(Conflict, match=f"port {port} on 127.0.0.1 is taken"):
            choose_port("127.0.0.1", port)
    assert health("127.0.0.1", port) == (False, {})
    assert missing({}) == ["web: no answer yet"]
    assert choose_port("127.0.0.1", port) == port


def test_the_first_administrator_is_made_once_with_a_kept_password(db: None, tmp_path: Path) -> None:
    password = first_run.create_admin(tmp_path)
    assert password is not None
    assert first_run.password_file(tmp_path).read_text().strip() == password
    assert stat.S_IMODE(first_run.password_file(tmp_path).stat().st_mode) == 0o600
    assert User.objects.get(username=first_run.ADMIN).check_password(password)
    assert first_run.create_admin(tmp_path) is None


def test_nothing_is_migrated_twice(db: None) -> None:
    assert first_run.migrate() is False
