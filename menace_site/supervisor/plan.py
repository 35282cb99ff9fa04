"""Which processes an installation has, in the order in which they start; they stop in the reverse order."""

import sys

from menace_site.supervisor.child import Spec

WEB_THREADS = 4
WORKER_PROCESSES = 2
WEB_PATIENCE, WORKER_PATIENCE, BEAT_PATIENCE = 10.0, 20.0, 5.0
NAMES = ("web", "worker", "beat")
LATE = {"beat"}  # nobody waits for it: it leaves the processors to the first page


def specs(host: str, port: int, only: tuple[str, ...] = NAMES) -> list[Spec]:
    """Return the chosen processes: web before worker before beat, so that they stop beat, worker, web."""
    python = (sys.executable, "-m")
    web = (
        *(*python, "granian", "--interface", "wsgi", "--host", host, "--port", str(port)),
        *("--workers", "1", "--blocking-threads", str(WEB_THREADS), "--no-ws", "--log-level", "warning"),
        "menace_site.wsgi:application",
    )
    celery = (*python, "celery", "-A", "menace_site", "--quiet", "--skip-checks")  # checks load every page
    worker = (
        *celery,
        "worker",
        "-c",
        str(WORKER_PROCESSES),
        "-l",
        "INFO",
        "--without-gossip",
        "--without-mingle",
    )
    beat = (*celery, "beat", "-l", "WARNING", "--pidfile=")
    every = [
        Spec("web", web, WEB_PATIENCE),
        Spec("worker", worker, WORKER_PATIENCE),
        Spec("beat", beat, BEAT_PATIENCE),
    ]
    return [spec for spec in every if spec.name in only]
