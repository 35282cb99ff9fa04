"""The statements behind the made rows; all take the ids of the made engines and what is older than they."""

STEPS = """
INSERT INTO engines_cyclestep (cycle_id, name, position, state, attempt, failures, started_at, finished_at,
                               duration, progress, note, result, error, log, cpu_seconds)
SELECT c.id, s.name, s.position - 1,
       CASE WHEN s.position <= c.steps_done THEN 'done' WHEN s.position > c.steps_done + 1 THEN 'skipped'
            WHEN c.state IN ('failed', 'cancelled') THEN c.state ELSE 'skipped' END,
       (s.position <= c.steps_done + 1)::int, 0,
       c.started_at + (s.position - 1) * c.duration / 10 * interval '1 second',
       c.started_at + s.position * c.duration / 10 * interval '1 second',
       c.duration / 10, CASE WHEN s.position <= c.steps_done THEN 1.0 END,
       CASE WHEN s.position <= c.steps_done THEN 'as expected' ELSE '' END,
       CASE WHEN s.name = 'retrain' AND c.roi_delta IS NOT NULL THEN jsonb_build_object(
           'roi', jsonb_build_object('roi_gain', c.roi_gain, 'value', c.value, 'cost', c.cost),
           'verdict', 'no significant gain', 'search', jsonb_build_object('trials', 20)
       ) ELSE '{}' END,
       '', '', c.cpu_seconds / 10
FROM engines_cycle c CROSS JOIN unnest(%(steps)s::text[]) WITH ORDINALITY AS s (name, position)
WHERE c.engine_id = ANY(%(engines)s) AND c.id > %(after)s
"""

POINTS = """
INSERT INTO forecasting_metricpoint (subject, name, value, at, source)
SELECT e.name, m.name, m.position * 10 + e.id %% 7 + random() + random(), c.finished_at, 'cycle:' || c.id
FROM engines_cycle c JOIN engines_engine e ON e.id = c.engine_id
CROSS JOIN unnest(%(metrics)s::text[]) WITH ORDINALITY AS m (name, position)
WHERE c.engine_id = ANY(%(engines)s) AND c.id > %(after)s
ORDER BY e.name, c.id, m.position
"""

# the last value of a day by an index probe a day: sorting a million points for it took longer than the rest
DAYS = """
INSERT INTO forecasting_metricdaily (subject, name, day, count, total, low, high, last)
SELECT d.subject, d.name, d.day, d.count, d.total, d.low, d.high, l.value
FROM (
    SELECT subject, name, (at AT TIME ZONE 'UTC')::date AS day, count(*), sum(value) AS total,
           min(value) AS low, max(value) AS high, max(at) AS at
    FROM forecasting_metricpoint WHERE subject = ANY(%(names)s) GROUP BY 1, 2, 3
) d CROSS JOIN LATERAL (
    SELECT value FROM forecasting_metricpoint p
    WHERE p.subject = d.subject AND p.name = d.name AND p.at = d.at ORDER BY p.id DESC LIMIT 1
) l
ON CONFLICT (subject, name, day) DO UPDATE SET count = EXCLUDED.count, total = EXCLUDED.total,
    low = EXCLUDED.low, high = EXCLUDED.high, last = EXCLUDED.last
"""

ROI_EVENTS = """
INSERT INTO forecasting_roievent (subject, source, action, delta, ema, at)
SELECT e.name, 'cycle:' || c.id, 'cycle', c.roi_delta, c.roi_delta_ema, c.finished_at
FROM engines_cycle c JOIN engines_engine e ON e.id = c.engine_id
WHERE c.engine_id = ANY(%(engines)s) AND c.id > %(after)s AND c.roi_delta IS NOT NULL
"""

ROI_HOURS = """
INSERT INTO forecasting_roirollup (subject, per, at, count, total, low, high, ema)
SELECT subject, 'hour', date_trunc('hour', at, 'UTC'), count(*), sum(delta), min(delta), max(delta),
       (array_agg(ema ORDER BY at DESC, id DESC) FILTER (WHERE ema IS NOT NULL))[1]
FROM forecasting_roievent WHERE subject = ANY(%(names)s) GROUP BY 1, 3
ON CONFLICT (subject, per, at) DO UPDATE SET count = EXCLUDED.count, total = EXCLUDED.total,
    low = EXCLUDED.low, high = EXCLUDED.high, ema = EXCLUDED.ema
"""

ROI_ROLLUPS = """
INSERT INTO forecasting_roirollup (subject, per, at, count, total, low, high, ema)
SELECT subject, p.per, date_trunc(p.per, at, 'UTC'), sum(count), sum(total), min(low), max(high),
       (array_agg(ema ORDER BY at DESC) FILTER (WHERE ema IS NOT NULL))[1]
FROM forecasting_roirollup r CROSS JOIN unnest(ARRAY['day', 'week']) AS p (per)
WHERE r.per = 'hour' AND subject = ANY(%(names)s) GROUP BY 1, 2, 3
ON CONFLICT (subject, per, at) DO UPDATE SET count = EXCLUDED.count, total = EXCLUDED.total,
    low = EXCLUDED.low, high = EXCLUDED.high, ema = EXCLUDED.ema
"""

TALLIES = """
INSERT INTO engines_cycletally AS t (engine_id, state, bucket, count, seconds)
SELECT engine_id, state,
       (SELECT count(*) FROM unnest(%(bounds)s::float8[]) AS b (bound) WHERE duration > b.bound) AS bucket,
       count(*), sum(duration)
FROM engines_cycle WHERE engine_id = ANY(%(engines)s) AND id > %(after)s GROUP BY 1, 2, 3
ON CONFLICT (engine_id, state, bucket)
DO UPDATE SET count = t.count + EXCLUDED.count, seconds = t.seconds + EXCLUDED.seconds
"""

ENGINES = """
UPDATE engines_engine e SET
    roi_delta_ema = l.roi_delta_ema, momentum = l.momentum, last_cycle_at = l.finished_at,
    roi_history = (
        SELECT coalesce(jsonb_agg(h.entry ORDER BY h.id), '[]') FROM (
            SELECT id, jsonb_build_object(
                'cycle', id, 'delta', roi_delta, 'success', roi_delta > 0, 'ema', roi_delta_ema
            ) AS entry
            FROM engines_cycle WHERE engine_id = e.id AND roi_delta IS NOT NULL ORDER BY id DESC LIMIT 50
        ) h
    )
FROM (
    SELECT DISTINCT ON (engine_id) * FROM engines_cycle
    WHERE engine_id = ANY(%(engines)s) AND roi_delta IS NOT NULL ORDER BY engine_id, id DESC
) l
WHERE l.engine_id = e.id
"""

BULK = (STEPS, POINTS, ROI_EVENTS)
BULK_TABLES = ("engines_cycle", "engines_cyclestep", "forecasting_metricpoint", "forecasting_roievent")
SUMS = (DAYS, ROI_HOURS, ROI_ROLLUPS, TALLIES, ENGINES)
"""What is worked out from the rows before, with their indexes."""

REMOVALS = (
    "DELETE FROM engines_cyclestep s USING engines_cycle c"
    " WHERE c.id = s.cycle_id AND c.engine_id = ANY(%(engines)s)",
    "DELETE FROM engines_modelversion WHERE engine_id = ANY(%(engines)s)",
    "DELETE FROM engines_cycletally WHERE engine_id = ANY(%(engines)s)",
    "DELETE FROM engines_cycle WHERE engine_id = ANY(%(engines)s)",
    "DELETE FROM forecasting_metricpoint WHERE subject = ANY(%(names)s)",
    "DELETE FROM forecasting_metricdaily WHERE subject = ANY(%(names)s)",
    "DELETE FROM forecasting_roievent WHERE subject = ANY(%(names)s)",
    "DELETE FROM forecasting_roirollup WHERE subject = ANY(%(names)s)",
    "DELETE FROM engines_engine WHERE id = ANY(%(engines)s)",
)

TIDY = """
VACUUM (ANALYZE, INDEX_CLEANUP {cleanup})
    engines_cycle, engines_cyclestep, engines_cycletally, engines_engine,
    forecasting_metricpoint, forecasting_metricdaily, forecasting_roievent, forecasting_roirollup
"""
"""What autovacuum would do a little later: the planner's figures and the visibility map."""
