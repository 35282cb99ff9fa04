"""Sums of modules are NULL until something was measured."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """Lets the sums be NULL."""

    dependencies = [
        ('forecasting', '0005_forecast_model'),
    ]

    operations = [
        migrations.AlterField(
            model_name='moduleprogress',
            name='entropy_change',
            field=models.FloatField(help_text='Sum of all changes, regardless of sign.', null=True),
        ),
        migrations.AlterField(
            model_name='moduleprogress',
            name='roi_total',
            field=models.FloatField(help_text='Sum of the measured ROI deltas.', null=True),
        ),
    ]
