"""Forecasts, evaluations, synergy samples and the progress of modules; what an event foretold and what came."""

import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    """Adds the rows, and their columns to ROI events."""

    dependencies = [
        ('forecasting', '0003_foresight'),
    ]

    operations = [
        migrations.CreateModel(
            name='Evaluation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('subject', models.CharField(max_length=128)),
                ('source', models.CharField(max_length=64)),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('cv_score', models.FloatField(help_text='Score of the best challenger in cross-validation.', null=True)),
                ('passed', models.BooleanField(help_text='Whether the challenger was judged better.', null=True)),
                ('error', models.CharField(blank=True, help_text='Why there is no score.', max_length=500)),
                ('gpt_feedback', models.TextField(null=True)),
                ('gpt_feedback_score', models.FloatField(null=True)),
                ('gpt_feedback_tokens', models.PositiveIntegerField(null=True)),
                ('long_term_delta', models.FloatField(help_text='Mean ROI delta of the ten events after it, minus that of up to ten before.', null=True)),
                ('long_term_outcome', models.CharField(blank=True, help_text='rose, level or fell.', max_length=8)),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='Forecast',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('subject', models.CharField(max_length=128)),
                ('scenario', models.CharField(blank=True, help_text='Empty: all of them.', max_length=64)),
                ('source', models.CharField(help_text='After what it was made, such as `cycle:7`.', max_length=64)),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('model', models.CharField(help_text='Which model answered.', max_length=64)),
                ('seen', models.PositiveIntegerField(help_text='How many events the model was given.')),
                ('horizon', models.PositiveSmallIntegerField(help_text='Events ahead.')),
                ('mean', models.JSONField(default=list)),
                ('lower80', models.JSONField(default=list)),
                ('upper80', models.JSONField(default=list)),
                ('lower95', models.JSONField(default=list)),
                ('upper95', models.JSONField(default=list)),
                ('growth', models.CharField(blank=True, help_text='exponential, linear or marginal.', max_length=16)),
                ('confidence', models.FloatField(help_text='1 / (1 + mean scaled error + scaled variance).', null=True)),
                ('scale', models.FloatField(help_text='Error of a naive forecast so far; errors divide by it.', null=True)),
                ('risk', models.CharField(blank=True, max_length=32)),
                ('p_collapse', models.FloatField(null=True)),
                ('brittle', models.BooleanField(null=True)),
                ('collapse_in', models.PositiveSmallIntegerField(help_text='Events until the collapse.', null=True)),
                ('probabilities', models.JSONField(default=dict, help_text='Of each label.')),
                ('evidence', models.CharField(blank=True, help_text='none, low or enough.', max_length=8)),
                ('reason', models.CharField(blank=True, max_length=500)),
                ('actual', models.JSONField(default=list, help_text='What came, as far as it has.')),
                ('error', models.FloatField(help_text='|actual - mean| / scale of the first event ahead.', null=True)),
                ('settled_at', models.DateTimeField(help_text='When the last event of the horizon had come.', null=True)),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='ModuleProgress',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('subject', models.CharField(max_length=128)),
                ('path', models.CharField(help_text='Repository-relative POSIX path.', max_length=1024)),
                ('samples', models.PositiveIntegerField(default=0, help_text='Runs that were counted.')),
                ('entropy', models.FloatField(help_text='Bits, of the latest run.', null=True)),
                ('entropy_change', models.FloatField(default=0.0, help_text='Sum of all changes, regardless of sign.')),
                ('entropy_changes', models.PositiveIntegerField(default=0, help_text='How many were measured.')),
                ('roi_total', models.FloatField(default=0.0, help_text='Sum of the measured ROI deltas.')),
                ('roi_count', models.PositiveIntegerField(default=0, help_text='How many were measured.')),
                ('recent', models.JSONField(default=list, help_text='The newest samples, oldest first.')),
                ('updated_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('complete', models.BooleanField(default=False)),
                ('completed_at', models.DateTimeField(null=True)),
                ('completed_by', models.CharField(blank=True, max_length=150)),
                ('reason', models.CharField(blank=True, help_text='Why it counts as complete.', max_length=500)),
                ('reopened_at', models.DateTimeField(null=True)),
                ('reopened_by', models.CharField(blank=True, max_length=150)),
                ('reopened_reason', models.CharField(blank=True, max_length=500)),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='SynergySample',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('subject', models.CharField(max_length=128)),
                ('scenario', models.CharField(blank=True, max_length=64)),
                ('source', models.CharField(max_length=64)),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('roi_delta', models.FloatField(null=True)),
                ('metrics', models.JSONField(default=dict, help_text='`synergy_*`; what was not measured is absent.')),
                ('predicted', models.JSONField(default=dict, help_text='What was foreseen of each metric before.')),
                ('resources', models.JSONField(default=dict, help_text='What the runs used.')),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.AddField(
            model_name='roievent',
            name='actual_horizons',
            field=models.JSONField(help_text='What came, as far as it has.', null=True),
        ),
        migrations.AddField(
            model_name='roievent',
            name='confidence',
            field=models.FloatField(help_text='Of the forecast made after it, 0 to 1.', null=True),
        ),
        migrations.AddField(
            model_name='roievent',
            name='predicted_horizons',
            field=models.JSONField(help_text='What that forecast said of the next events.', null=True),
        ),
        migrations.AddIndex(
            model_name='roievent',
            index=models.Index(fields=['subject', 'id'], name='roi_subject_id'),
        ),
        migrations.AddIndex(
            model_name='evaluation',
            index=models.Index(fields=['subject', '-id'], name='evaluation_subject_id'),
        ),
        migrations.AddConstraint(
            model_name='evaluation',
            constraint=models.UniqueConstraint(fields=('subject', 'source'), name='one_evaluation_per_source'),
        ),
        migrations.AddIndex(
            model_name='forecast',
            index=models.Index(fields=['subject', 'scenario', '-id'], name='forecast_subject_id'),
        ),
        migrations.AddConstraint(
            model_name='forecast',
            constraint=models.UniqueConstraint(fields=('subject', 'scenario', 'source'), name='one_forecast_per_source'),
        ),
        migrations.AddIndex(
            model_name='moduleprogress',
            index=models.Index(fields=['subject', '-roi_total'], name='progress_subject_roi'),
        ),
        migrations.AddIndex(
            model_name='moduleprogress',
            index=models.Index(condition=models.Q(('complete', True)), fields=['subject', 'path'], name='progress_complete'),
        ),
        migrations.AddConstraint(
            model_name='moduleprogress',
            constraint=models.UniqueConstraint(fields=('subject', 'path'), name='one_progress_per_module'),
        ),
        migrations.AddConstraint(
            model_name='moduleprogress',
            constraint=models.CheckConstraint(condition=models.Q(('complete', False), ('completed_at__isnull', False), _connector='OR'), name='complete_since'),
        ),
        migrations.AddIndex(
            model_name='synergysample',
            index=models.Index(fields=['subject', 'scenario', '-id'], name='synergy_subject_id'),
        ),
        migrations.AddConstraint(
            model_name='synergysample',
            constraint=models.UniqueConstraint(fields=('subject', 'scenario', 'source'), name='one_synergy_per_source'),
        ),
    ]
