"""Newest forecasts, evaluations and samples of a subject by time, whatever others wrote since."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """Adds the indexes."""

    dependencies = [
        ('forecasting', '0006_module_sums'),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='evaluation',
            name='evaluation_subject_id',
        ),
        migrations.RemoveIndex(
            model_name='synergysample',
            name='synergy_subject_id',
        ),
        migrations.AddIndex(
            model_name='evaluation',
            index=models.Index(fields=['subject', '-at', '-id'], name='evaluation_subject_at'),
        ),
        migrations.AddIndex(
            model_name='forecast',
            index=models.Index(fields=['subject', 'scenario', '-at', '-id'], name='forecast_subject_at'),
        ),
        migrations.AddIndex(
            model_name='synergysample',
            index=models.Index(fields=['subject', 'scenario', 'id'], name='synergy_scenario_id'),
        ),
        migrations.AddIndex(
            model_name='synergysample',
            index=models.Index(fields=['subject', 'scenario', '-at', '-id'], name='synergy_subject_at'),
        ),
    ]
