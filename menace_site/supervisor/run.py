"""Bring everything up in order, keep it up, take it down in the reverse order."""

import os
import signal
import sys
import threading
import time
import webbrowser
from dataclasses import dataclass
from pathlib import Path

from engines.domain.errors import NotConfigured
from menace_site.embedded.addresses import ADMIN_PASSWORD_FILE, uses_embedded_database
from menace_site.embedded.processes import leash
from menace_site.embedded.services import Services, ensure_services
from menace_site.supervisor import plan, probes, state
from menace_site.supervisor.child import Child
from menace_site.supervisor.output import Console
from menace_site.supervisor.preparation import Preparation, fingerprint, is_prepared, prepared_file
from menace_site.supervisor.ready import choose_port, health, missing

TICK_SECONDS = 0.1
REMIND_SECONDS = 15.0
SERVICES_CHECK_SECONDS = 2.0
HOPELESS_FALLS = 4
HEALTH_SECONDS = 0.25
LATE_SECONDS = 2.5
# Celery warns because pickled messages would run as root; only JSON with row ids is accepted here
ROOT_IS_FINE = "ignore:You're running the worker with superuser privileges"


@dataclass(frozen=True)
class Options:
    """How `up` was called."""

    host: str = "127.0.0.1"
    port: int | None = None
    only: tuple[str, ...] = plan.NAMES
    demo: bool = True
    open_browser: bool = True
    #: a host name that the site answers to
    site_name: str = "localhost"


class Supervisor:
    """One run of `manage.py up` on one data directory."""

    def __init__(self, root: Path, data_dir: Path, options: Options, console: Console) -> None:
        self.root = root
        self.data_dir = data_dir
        self.options = options
        self.console = console
        self.children: list[Child] = []
        self.url = ""
        self.environ = {
            **os.environ,
            "SANDBOX_DATA_DIR": str(data_dir),
            "DJANGO_SETTINGS_MODULE": "menace_site.settings",
            "PYTHONUNBUFFERED": "1",
            "PYTHONWARNINGS": ROOT_IS_FINE,
        }
        self._preparation: Preparation | None = None
        self._new = False
        self._signals = 0
        self._stop = threading.Event()
        self._begun = time.monotonic()
        self.ready = "web" not in options.only
        self._next_question, self._next_reminder = 0.0, self._begun + REMIND_SECONDS

    def run(self) -> int:
        """Run until SIGINT or SIGTERM; a second one ends the patience. Raises Conflict, NotConfigured."""
        problems = probes.lacking(probes.examine(probes.this_machine(self.data_dir), probes.BEFORE_START))
        if problems:
            raise NotConfigured("\n".join(problems))
        lock = state.take(self.data_dir)
        services: Services | None = None
        try:
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, self._on_signal)
            port = choose_port(self.options.host, self.options.port)
            self.url = f"http://{self.options.host}:{port}/"
            services = self._start_services()
            self._start_children(port)
            self._watch(port)
        finally:
            self._take_down(services)
            lock.release()
        return 0

    def _on_signal(self, number: int, frame: object) -> None:
        self._signals += 1
        self._stop.set()
        if self._signals > 1:
            for child in self.children:
                child.ask_to_stop()

    def _say(self, text: str) -> None:
        self.console.say("menace", text)

    def _start_services(self) -> Services:
        """Start the servers and, unless this code did it before, prepare the database meanwhile."""
        prepared = is_prepared(self.data_dir, self.root) and uses_embedded_database(os.environ)
        if not prepared:
            self._prepare()
        services = ensure_services(self.data_dir)
        embedded = " and ".join(services.servers)
        self._say(f"{embedded or 'external servers'} ready after {self._elapsed():.1f} s")
        while self._preparation is not None and not self._preparation.tables_ready.wait(TICK_SECONDS):
            self._follow_preparation()
            if self._stop.is_set():
                break
        if prepared:
            self._say_how_to_sign_in(new=False)
        return services

    def _prepare(self) -> None:
        self._new = not self._password_file.exists()
        self._preparation = Preparation(self.root, self.environ, demo=self.options.demo, console=self.console)

    def _follow_preparation(self) -> None:
        """Note the end of the preparation. Raises NotConfigured if it failed."""
        if self._preparation is None or (code := self._preparation.exit_code()) is None:
            return
        self._preparation = None
        if code != 0:
            raise NotConfigured("the database could not be prepared; the lines above say why")
        prepared_file(self.data_dir).write_text(fingerprint(self.root))
        self._say_how_to_sign_in(new=self._new)

    @property
    def _password_file(self) -> Path:
        return self.data_dir / ADMIN_PASSWORD_FILE

    def _say_how_to_sign_in(self, *, new: bool) -> None:
        kept = self._password_file
        if kept.exists() and new:
            self._say(f"sign in as admin with the password {kept.read_text().strip()} (kept in {kept})")
        elif kept.exists():
            self._say(f"sign in as admin; the first password is in {kept}")

    def _start_children(self, port: int) -> None:
        for spec in plan.specs(self.options.host, port, self.options.only):
            child = Child(spec, self.console, self.environ, self.root)
            self.children.append(child)
            if spec.name in plan.LATE and not self.ready:
                child.due = time.monotonic() + LATE_SECONDS
            else:
                child.start()
        self._write_state()

    def _watch(self, port: int) -> None:
        """Restart what falls, and the servers if their keeper was killed, until a signal comes."""
        next_check = 0.0
        while not self._stop.wait(TICK_SECONDS):
            if [child for child in self.children if child.watch()]:
                self._write_state()
            self._follow_preparation()
            if not self.ready:
                self._ask_health(port)
                self._give_up_if_hopeless()
            if time.monotonic() >= next_check:
                next_check = time.monotonic() + SERVICES_CHECK_SECONDS
                ensure_services(self.data_dir).close()

    def _ask_health(self, port: int) -> None:
        """Say once that everything is ready, and until then now and then what is missing."""
        now = time.monotonic()
        if now < self._next_question:
            return
        self._next_question = now + HEALTH_SECONDS
        self.ready, parts = health(self.options.host, port, self.options.site_name)
        if self.ready:
            self._announce()
        elif now >= self._next_reminder:
            self._next_reminder = now + REMIND_SECONDS
            self._say(f"waiting for {'; '.join(missing(parts))}")

    def _give_up_if_hopeless(self) -> None:
        """Raise NotConfigured when a process has never stayed up: starting it again will not mend it."""
        for child in self.children:
            if child.backoff.falls >= HOPELESS_FALLS:
                raise NotConfigured(
                    f"{child.spec.name} ended {HOPELESS_FALLS} times; the lines above say why"
                )

    def _announce(self) -> None:
        self._say(f"ready after {self._elapsed():.1f} s: {self.url}")
        has_screen = sys.platform == "darwin" or "DISPLAY" in os.environ or "WAYLAND_DISPLAY" in os.environ
        if self.options.open_browser and sys.stdout.isatty() and has_screen:
            webbrowser.open(self.url)

    def _elapsed(self) -> float:
        return time.monotonic() - self._begun

    def _write_state(self) -> None:
        state.write(self.data_dir, self.url, {child.spec.name: child.pid for child in self.children})

    def _take_down(self, services: Services | None) -> None:
        """Beat, worker, web, then Valkey and PostgreSQL."""
        if self.children:
            self._say("stopping")
        for child in reversed(self.children):
            child.stop(at_once=self._signals > 1)
        if self._preparation is not None:
            self._preparation.stop()
        if services is not None:
            services.close_and_wait()
        leash().close()
        state.state_file(self.data_dir).unlink(missing_ok=True)
        if self.children:
            self._say("stopped")
