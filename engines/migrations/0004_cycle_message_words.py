"""The index that the search of cycles' messages reads."""

from django.contrib.postgres.indexes import GinIndex
from django.db import migrations, models

from engines.models.search import Words


class Migration(migrations.Migration):
    """Adds the index."""

    dependencies = [("engines", "0003_revision_immutable")]

    operations = [
        migrations.AddIndex(
            model_name="cycle",
            index=GinIndex(
                Words(models.F("message")),
                name="cycle_message_words",
                condition=models.Q(("message", ""), _negated=True),
                fastupdate=False,
            ),
        ),
    ]
