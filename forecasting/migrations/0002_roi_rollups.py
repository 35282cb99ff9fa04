"""Roll-ups of ROI events by hour, day and week, with what there is already."""

from django.db import migrations, models

# date_trunc at a named zone: the same periods whatever zone the session is in
HOURS = """
INSERT INTO forecasting_roirollup (subject, per, at, count, total, low, high, ema)
SELECT subject, 'hour', date_trunc('hour', at, 'UTC'), count(*), sum(delta), min(delta), max(delta),
       (array_agg(ema ORDER BY at DESC, id DESC) FILTER (WHERE ema IS NOT NULL))[1]
FROM forecasting_roievent GROUP BY 1, 3
"""
COARSER = """
INSERT INTO forecasting_roirollup (subject, per, at, count, total, low, high, ema)
SELECT subject, p.per, date_trunc(p.per, at, 'UTC'), sum(count), sum(total), min(low), max(high),
       (array_agg(ema ORDER BY at DESC) FILTER (WHERE ema IS NOT NULL))[1]
FROM forecasting_roirollup r CROSS JOIN unnest(ARRAY['day', 'week']) AS p (per)
WHERE r.per = 'hour' GROUP BY 1, 2, 3
"""


class Migration(migrations.Migration):
    """Adds the roll-ups, fills them, and puts the events' index in order of time."""

    dependencies = [("forecasting", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="RoiRollup",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("subject", models.CharField(max_length=128)),
                (
                    "per",
                    models.CharField(
                        choices=[("hour", "hour"), ("day", "day"), ("week", "week")], max_length=4
                    ),
                ),
                ("at", models.DateTimeField(help_text="When it began, UTC; weeks begin on Monday.")),
                ("count", models.PositiveIntegerField()),
                ("total", models.FloatField()),
                ("low", models.FloatField()),
                ("high", models.FloatField()),
                ("ema", models.FloatField(help_text="Moving average after its last event.", null=True)),
            ],
            options={
                "ordering": ["subject", "per", "at"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("subject", "per", "at"), name="one_roi_rollup_per_period"
                    )
                ],
            },
        ),
        migrations.RemoveIndex(model_name="roievent", name="roi_subject_id"),
        migrations.AddIndex(
            model_name="roievent", index=models.Index(fields=["subject", "at"], name="roi_subject_at")
        ),
        migrations.RunSQL([HOURS, COARSER], migrations.RunSQL.noop),
    ]
