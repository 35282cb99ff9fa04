"""What this project makes of a hostile program's words, in the form that a checker of other hands asks for.

    PYTHONPATH=. .venv/bin/python FOLDER/ingest_check.py --half dev --impl benchmarks.sandbox_ingest:ingested

FOLDER holds the corpus. Every part comes from the product's own functions: output as people see it, metrics
as they are stored, a page, one line of a log, and a file for spreadsheets.
"""

import csv
import io
import json
import os
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "menace_site.settings")

import django  # noqa: E402

django.setup()

from django.template import Context, Template  # noqa: E402

from engines.views.exports import harmless  # noqa: E402
from orphans.domain.ingest import IngestError, clean_output, clean_text, read_metrics, read_result  # noqa: E402

LEAD = b"RESULT "
SHOWN = 16_000
PAGE = Template(
    "<pre>{{ text }}</pre><table>{% for name, value in metrics.items %}"
    '<tr><td>{{ name }}</td><td>{{ value }}</td></tr>{% endfor %}</table>{{ metrics|json_script:"data" }}'
)


def ingested(raw: bytes) -> dict[str, Any]:
    """Return text, metrics, page, log line and CSV of a program's output."""
    text = clean_output(raw, SHOWN)
    metrics = measured(raw)
    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerows([harmless(name), harmless(value)] for name, value in metrics.items())
    return {
        "text": text,
        "metrics": metrics,
        "html": PAGE.render(Context({"text": text, "metrics": metrics})),
        "log": json.dumps({"event": "output", "text": clean_text(text, 500)}),
        "csv": table.getvalue(),
    }


def measured(raw: bytes) -> dict[str, float]:
    """Return the metrics of the last line that claims to be a result; none when any of it is refused."""
    lines = [line for line in raw.splitlines() if line.startswith(LEAD)]
    if not lines:
        return {}
    try:
        told = read_result(lines[-1][len(LEAD) :])
        return read_metrics(told.get("metrics", {}) if isinstance(told, dict) else None)
    except IngestError:
        return {}
