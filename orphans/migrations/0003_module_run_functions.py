"""How often each function of a module was called in its self-test."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """Adds the column."""

    dependencies = [
        ('orphans', '0002_scenario_preset'),
    ]

    operations = [
        migrations.AddField(
            model_name='modulerun',
            name='functions',
            field=models.JSONField(default=dict, help_text='How often each of its functions was called, as the run told.'),
        ),
    ]
