"""What is foreseen of each synergy metric, beside its sample."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """Adds the column."""

    dependencies = [
        ("forecasting", "0007_newest_first"),
    ]

    operations = [
        migrations.AddField(
            model_name="synergysample",
            name="ahead",
            field=models.JSONField(
                default=dict, help_text="What is foreseen next: value, reliability, count, by."
            ),
        ),
    ]
