"""What cycles measured of a subject, and the latest verdict on it."""

import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    """Adds both."""

    dependencies = [
        ('forecasting', '0002_roi_rollups'),
    ]

    operations = [
        migrations.CreateModel(
            name='CycleMetrics',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('subject', models.CharField(help_text='Such as `alpha` or `alpha/score`.', max_length=128)),
                ('cycle', models.PositiveBigIntegerField(help_text='Number of the cycle; the order of time.')),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('roi', models.FloatField(help_text="In the subject's own unit, such as what a run is worth.", null=True)),
                ('entropy', models.FloatField(help_text='How much the scenarios degrade it, 0 to 1.', null=True)),
                ('raroi', models.FloatField(help_text='Risk-adjusted ROI.', null=True)),
                ('confidence', models.FloatField(help_text='0 to 1.', null=True)),
                ('resilience', models.FloatField(help_text="Share of the hard stages' runs that succeeded.", null=True)),
                ('more', models.JSONField(default=dict, help_text='Other numbers by name.')),
            ],
            options={
                'ordering': ['subject', 'cycle'],
                'constraints': [models.UniqueConstraint(fields=('subject', 'cycle'), name='one_row_per_subject_cycle')],
            },
        ),
        migrations.CreateModel(
            name='Verdict',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('subject', models.CharField(max_length=128, unique=True)),
                ('risk', models.CharField(choices=[('Stable', 'Stable'), ('Slow decay', 'Slow decay'), ('Volatile', 'Volatile'), ('Immediate collapse risk', 'Immediate collapse risk'), ('Insufficient data', 'Insufficient data')], default='Insufficient data', max_length=32)),
                ('brittle', models.BooleanField(default=False)),
                ('p_collapse', models.FloatField(help_text='Probability that half of the ROI is lost soon.', null=True)),
                ('collapse_in', models.PositiveIntegerField(help_text='Cycles until then; null: not in sight.', null=True)),
                ('curve', models.JSONField(default=list, help_text='Expected ROI of the next cycles.')),
                ('probabilities', models.JSONField(default=dict, help_text='By label.')),
                ('elasticity', models.FloatField(help_text='Share of the ROI that a unit of entropy costs.', null=True)),
                ('reason', models.CharField(blank=True, max_length=500)),
                ('evidence', models.CharField(choices=[('none', 'none'), ('low', 'low'), ('enough', 'enough')], default='none', max_length=6)),
                ('template', models.JSONField(help_text='Curve shown for want of data, and whose it is.', null=True)),
                ('cycles', models.PositiveIntegerField(default=0, help_text='How many cycles it was made from.')),
                ('cycle', models.PositiveBigIntegerField(help_text='The latest of them.', null=True)),
                ('at', models.DateTimeField(help_text='When it was made; null: not yet.', null=True)),
                ('marks', models.PositiveBigIntegerField(default=0, help_text='How often the subject was measured.')),
                ('due', models.BooleanField(default=True, help_text='Measured since, so it is made anew.')),
            ],
            options={
                'ordering': ['subject'],
                'indexes': [models.Index(condition=models.Q(('due', True)), fields=['subject'], name='verdict_due'), models.Index(fields=['risk', 'subject'], name='verdict_risk')],
            },
        ),
    ]
