"""Bring everything up in order, keep it up, take it down in the reverse order."""

import os
import signal
import sys
import threading
import time
import webbrowser
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import connections

from engines.domain.errors import NotConfigured
from menace_site.embedded.processes import leash
from menace_site.embedded.services import Services, ensure_services
from menace_site.supervisor import first_run, plan, probes, state
from menace_site.supervisor.child import Child
from menace_site.supervisor.output import Console
from menace_site.supervisor.ready import choose_port, health, missing

TICK_SECONDS = 0.1
REMIND_SECONDS = 15.0
SERVICES_CHECK_SECONDS = 2.0
HOPELESS_FALLS = 4
HEALTH_SECONDS = 0.25
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


class Supervisor:
    """One run of `manage.py up` on one data directory."""

    def __init__(self, data_dir: Path, options: Options, console: Console) -> None:
        self.data_dir = data_dir
        self.options = options
        self.console = console
        self.children: list[Child] = []
        self.url = ""
        self._signals = 0
        self._stop = threading.Event()
        self._begun = time.monotonic()
        self.ready = "web" not in options.only
        self._next_question, self._next_reminder = 0.0, self._begun + REMIND_SECONDS

    def run(self) -> int:
        """Run until SIGINT or SIGTERM; a second one ends the patience. Raises Conflict, NotConfigured."""
        lock = state.take(self.data_dir)
        services: Services | None = None
        try:
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, self._on_signal)
            port = choose_port(self.options.host, self.options.port)
            self.url = f"http://{self.options.host}:{port}/"
            services = self._start_services()
            self._start_children(port)
            self._first_run()
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
        """Look whether the start can succeed, start the servers and bring the tables up to date."""
        problems = probes.lacking(probes.examine(probes.this_machine(self.data_dir), probes.BEFORE_START))
        if problems:
            raise NotConfigured("\n".join(problems))
        services = ensure_services(self.data_dir)
        embedded = " and ".join(services.servers)
        self._say(f"{embedded or 'external servers'} ready after {self._elapsed():.1f} s")
        if first_run.migrate():
            self._say(f"tables up to date after {self._elapsed():.1f} s")
        return services

    def _start_children(self, port: int) -> None:
        environ = {
            **os.environ,
            "SANDBOX_DATA_DIR": str(self.data_dir),
            "DJANGO_SETTINGS_MODULE": "menace_site.settings",
            "PYTHONUNBUFFERED": "1",
            "PYTHONWARNINGS": ROOT_IS_FINE,
        }
        root = Path(settings.BASE_DIR)
        for spec in plan.specs(self.options.host, port, self.options.only):
            child = Child(spec, self.console, environ, root)
            self.children.append(child)
            child.start()
        self._write_state()

    def _first_run(self) -> None:
        """Make the installation usable while the children load."""
        password = first_run.create_admin(self.data_dir)
        kept = first_run.password_file(self.data_dir)
        if self.options.demo:
            first_run.load_demo()
        connections.close_all()
        if password:
            self._say(f"sign in as {first_run.ADMIN} with the password {password} (kept in {kept})")
        elif kept.exists():
            self._say(f"sign in as {first_run.ADMIN}; the first password is in {kept}")

    def _watch(self, port: int) -> None:
        """Restart what falls, and the servers if their keeper was killed, until a signal comes."""
        next_check = 0.0
        while not self._stop.wait(TICK_SECONDS):
            if [child for child in self.children if child.watch()]:
                self._write_state()
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
        self.ready, parts = health(self.options.host, port, _site_name())
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
        connections.close_all()
        if services is not None:
            services.close_and_wait()
        leash().close()
        state.state_file(self.data_dir).unlink(missing_ok=True)
        if self.children:
            self._say("stopped")


def _site_name() -> str:
    """Return a host name that the site answers to."""
    names = [name.lstrip(".") for name in settings.ALLOWED_HOSTS]
    return "localhost" if "localhost" in names or "*" in names or not names else names[0]
