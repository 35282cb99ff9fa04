"""Jobs for tests, as this project's own are called: `function(payload, job)`."""

from typing import Any


def shout(payload: Any, job: Any) -> dict[str, Any]:
    job.progress(0.0, "starting")
    return {"text": (job.scratch / "in.txt").read_text().upper(), "n": payload["n"]}
