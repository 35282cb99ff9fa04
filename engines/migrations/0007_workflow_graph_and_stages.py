"""Measured edges between workflows, and how workflows bore hard conditions."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    """Adds their rows."""

    dependencies = [
        ('engines', '0006_promotion_immutable'),
    ]

    operations = [
        migrations.CreateModel(
            name='WorkflowEdge',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('source', models.CharField(help_text='Workflow that changes.', max_length=63)),
                ('target', models.CharField(help_text='Workflow that feels it.', max_length=63)),
                ('resource', models.FloatField(help_text="Share of the target's modules that the source has.", null=True)),
                ('data', models.FloatField(help_text="Share of the target's input keys that the source hands on.", null=True)),
                ('logical', models.FloatField(help_text='Correlation of their ROI, shrunken; -1 to 1.', null=True)),
                ('detail', models.JSONField(default=dict, help_text='What was seen of each kind.')),
                ('engine', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='workflow_edges', to='engines.engine')),
            ],
            options={
                'ordering': ['engine', 'source', 'target'],
                'constraints': [models.UniqueConstraint(fields=('engine', 'source', 'target'), name='one_edge_per_pair')],
            },
        ),
        migrations.CreateModel(
            name='WorkflowGraphState',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('commit', models.CharField(blank=True, help_text='Commit that was read.', max_length=40)),
                ('nodes', models.JSONField(default=dict, help_text='Workflow → what is known of it.')),
                ('refused', models.JSONField(default=list, help_text='Edges left out since they would close a cycle.')),
                ('error', models.CharField(blank=True, help_text='Why it could not be measured.', max_length=500)),
                ('marks', models.PositiveBigIntegerField(default=0, help_text='How often something happened.')),
                ('due', models.BooleanField(default=True, help_text='Something happened since, so it is measured anew.')),
                ('at', models.DateTimeField(help_text='When it was measured; null: not yet.', null=True)),
                ('engine', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='graph_state', to='engines.engine')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('due', True)), fields=['engine'], name='graph_due')],
            },
        ),
        migrations.CreateModel(
            name='WorkflowStages',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('workflow', models.CharField(max_length=63)),
                ('commit', models.CharField(max_length=40)),
                ('seed', models.BigIntegerField()),
                ('repeats', models.PositiveSmallIntegerField()),
                ('stages', models.JSONField(help_text='Stage → runs, successes, seconds, entropy, what the preset did.')),
                ('roi', models.FloatField(help_text='What a run is worth in the normal stage.', null=True)),
                ('degradation', models.FloatField(help_text='Share of the normal throughput that is lost, 0 to 1.', null=True)),
                ('resilience', models.FloatField(help_text="Share of the hard stages' runs that succeeded.", null=True)),
                ('entropy', models.FloatField(help_text='Of the calls in the normal stage, bits.', null=True)),
                ('cpu_seconds', models.FloatField(help_text='Of all its runs.', null=True)),
                ('requested_label', models.CharField(blank=True, max_length=150)),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('cycle', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='stage_sets', to='engines.cycle')),
                ('engine', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='stage_sets', to='engines.engine')),
                ('revision', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='stage_sets', to='engines.workflowrevision')),
            ],
            options={
                'ordering': ['-id'],
                'indexes': [models.Index(fields=['engine', 'workflow', '-id'], name='stages_workflow_id'), models.Index(fields=['revision', '-id'], name='stages_revision_id')],
            },
        ),
    ]
