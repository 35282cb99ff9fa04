import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='MetricDaily',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('subject', models.CharField(max_length=128)),
                ('name', models.CharField(max_length=64)),
                ('day', models.DateField(help_text='UTC')),
                ('count', models.PositiveIntegerField()),
                ('total', models.FloatField()),
                ('low', models.FloatField()),
                ('high', models.FloatField()),
                ('last', models.FloatField()),
            ],
            options={
                'ordering': ['subject', 'name', 'day'],
                'constraints': [models.UniqueConstraint(fields=('subject', 'name', 'day'), name='one_row_per_day')],
            },
        ),
        migrations.CreateModel(
            name='MetricPoint',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('subject', models.CharField(help_text='Whose number it is, such as `alpha`.', max_length=128)),
                ('name', models.CharField(max_length=64)),
                ('value', models.FloatField()),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('source', models.CharField(help_text='What measured it, such as `cycle:7` or `push`.', max_length=64)),
            ],
            options={
                'ordering': ['id'],
                'indexes': [models.Index(fields=['subject', 'name', 'at'], name='point_subject_name_at')],
                'constraints': [models.UniqueConstraint(fields=('subject', 'source', 'name'), name='one_point_per_source')],
            },
        ),
        migrations.CreateModel(
            name='RoiEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('subject', models.CharField(max_length=128)),
                ('source', models.CharField(help_text='What caused it, such as `cycle:7`; once each.', max_length=64)),
                ('action', models.CharField(max_length=64)),
                ('roi_before', models.FloatField(null=True)),
                ('roi_after', models.FloatField(null=True)),
                ('delta', models.FloatField()),
                ('ema', models.FloatField(null=True)),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                'ordering': ['id'],
                'indexes': [models.Index(fields=['subject', '-id'], name='roi_subject_id')],
                'constraints': [models.UniqueConstraint(fields=('subject', 'source'), name='one_roi_event_per_source')],
            },
        ),
    ]
