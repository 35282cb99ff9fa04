"""What Prometheus reads of forecasts and of modules that are complete, from rows at each scrape.

A subject's newest forecast is one index probe, so a scrape costs the same however long the history is. Labels
come from a bounded set: at most `MAX_SUBJECTS` subjects. What was not measured has no sample.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from django.db import connection
from django.db.models import Count
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from forecasting.models import ModuleProgress

MAX_SUBJECTS: Final = 500

# a loose index scan over the subjects, then the newest forecast of each, and the newest that has its error
NEWEST: Final = """
WITH RECURSIVE known (subject) AS (
    (SELECT subject FROM forecasting_forecast WHERE scenario = '' ORDER BY subject LIMIT 1)
    UNION ALL
    SELECT (SELECT f.subject FROM forecasting_forecast f
        WHERE f.scenario = '' AND f.subject > known.subject ORDER BY f.subject LIMIT 1)
    FROM known WHERE known.subject IS NOT NULL
), subjects AS (SELECT subject FROM known WHERE subject IS NOT NULL LIMIT %(most)s)
SELECT s.subject, latest.confidence, latest.p_collapse, (latest.mean ->> 0)::float8, missed.mae
FROM subjects s CROSS JOIN LATERAL (
    SELECT confidence, p_collapse, mean FROM forecasting_forecast
    WHERE subject = s.subject AND scenario = '' ORDER BY at DESC, id DESC LIMIT 1
) latest CROSS JOIN LATERAL (
    SELECT avg(error) AS mae FROM (
        SELECT error FROM forecasting_forecast WHERE subject = s.subject AND scenario = ''
        ORDER BY at DESC, id DESC LIMIT 21
    ) x
) missed ORDER BY s.subject
"""

GAUGES: Final[Mapping[str, str]] = {
    "menace_forecast_confidence": "Confidence of the newest forecast, 0 to 1.",
    "menace_forecast_p_collapse": "Probability of a collapse by the newest forecast.",
    "menace_forecast_next_roi": "ROI that the newest forecast expects next.",
    "menace_forecast_scaled_error": "Mean error of the newest 20 forecasts over that of a naive one.",
}


def families() -> Iterator[Metric]:
    """Return all metric families of forecasts and modules."""
    with connection.cursor() as cursor:
        cursor.execute(NEWEST, {"most": MAX_SUBJECTS})
        rows = cursor.fetchall()
    for place, (name, text) in enumerate(GAUGES.items(), 1):
        yield _family(name, text, ((row[0], row[place]) for row in rows))
    complete = ModuleProgress.objects.filter(complete=True).order_by().values_list("subject")
    counted = complete.annotate(modules=Count("id")).order_by("subject")[:MAX_SUBJECTS]
    yield _family("menace_modules_complete", "Modules that cycles skip for want of returns.", counted)


def _family(name: str, text: str, samples: Iterable[tuple[str, Any]]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=["subject"])
    for subject, value in samples:
        if value is not None:
            family.add_metric([subject], float(value))
    return family
