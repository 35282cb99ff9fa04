import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
import engines.domain.states
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Engine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(help_text='Also called bot_name.', max_length=63, unique=True, validators=[django.core.validators.RegexValidator('^[a-z0-9][a-z0-9_-]{0,62}$')])),
                ('repository', models.CharField(help_text="Path of the bot's git checkout.", max_length=1024)),
                ('manifest', models.JSONField(default=dict, help_text='The validated manifest as it was at registration.')),
                ('enabled', models.BooleanField(default=True, help_text='Off: nothing is scheduled and nothing runs.')),
                ('base_cpu_seconds', models.FloatField(default=60.0, help_text='CPU seconds that energy 1 may spend.', validators=[django.core.validators.MinValueValidator(0.1), django.core.validators.MaxValueValidator(86400.0)])),
                ('base_trials', models.PositiveIntegerField(default=20, help_text='Configurations that energy 1 may try.', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(100000)])),
                ('base_energy', models.FloatField(default=1.0, help_text='Energy of a scheduled cycle.', validators=[django.core.validators.MinValueValidator(0.01), django.core.validators.MaxValueValidator(100.0)])),
                ('seed', models.PositiveIntegerField(default=0, help_text='Seed of splits and search.')),
                ('schedule_seconds', models.PositiveIntegerField(blank=True, help_text='Seconds between scheduled cycles; empty: only on demand.', null=True, validators=[django.core.validators.MinValueValidator(10), django.core.validators.MaxValueValidator(31536000)])),
                ('next_due_at', models.DateTimeField(blank=True, help_text='When the schedule is due next.', null=True)),
                ('state_path', models.CharField(blank=True, help_text='JSON file that mirrors ROI history and averages.', max_length=1024)),
                ('roi_ema_alpha', models.FloatField(default=0.1, help_text='Smoothing factor of roi_delta_ema.', validators=[django.core.validators.MinValueValidator(0.001), django.core.validators.MaxValueValidator(1.0)])),
                ('roi_delta_ema', models.FloatField(editable=False, null=True)),
                ('roi_history', models.JSONField(default=list, editable=False, help_text='Latest cycles, oldest first: cycle, delta, success, ema.')),
                ('momentum', models.FloatField(editable=False, null=True)),
                ('last_cycle_at', models.DateTimeField(editable=False, null=True)),
                ('decisions_made', models.PositiveIntegerField(default=0, editable=False, help_text='Challengers judged so far: the error rate is divided over them.')),
                ('drift_state', models.JSONField(default=dict, editable=False, help_text='State of the drift detector.')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('created_by', models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, to=settings.AUTH_USER_MODEL)),
                ('team', models.ForeignKey(blank=True, help_text='Only this group sees the engine.', null=True, on_delete=django.db.models.deletion.PROTECT, to='auth.group')),
            ],
            options={
                'ordering': ['name'],
                'permissions': [('operate_engine', 'Can register engines and trigger, cancel, pause and resume their cycles'), ('decide_promotion', 'Can approve and reject promotions')],
            },
        ),
        migrations.CreateModel(
            name='CycleTally',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('cancelled', 'cancelled'), ('done', 'done'), ('failed', 'failed'), ('quarantined', 'quarantined'), ('skipped', 'skipped')], max_length=12)),
                ('bucket', models.SmallIntegerField(help_text="Index of the duration's upper bound; -1: never started.")),
                ('count', models.PositiveBigIntegerField()),
                ('seconds', models.FloatField(help_text='Sum of the durations.')),
                ('engine', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='tallies', to='engines.engine')),
            ],
        ),
        migrations.CreateModel(
            name='Cycle',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('queued', 'queued'), ('running', 'running'), ('paused', 'paused'), ('done', 'done'), ('skipped', 'skipped'), ('failed', 'failed'), ('cancelled', 'cancelled'), ('quarantined', 'quarantined')], default=engines.domain.states.CycleState['QUEUED'], max_length=12)),
                ('trigger', models.CharField(choices=[('manual', 'manual'), ('schedule', 'schedule'), ('api', 'api'), ('cli', 'cli'), ('python', 'python')], max_length=8)),
                ('energy', models.FloatField(help_text="Energy asked for; 1.0 = the engine's base budget.")),
                ('requested_label', models.CharField(blank=True, max_length=150)),
                ('slot', models.BigIntegerField(help_text='Slot of the schedule, one cycle each.', null=True)),
                ('seed', models.PositiveIntegerField(default=0)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('run_after', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), help_text="Not before; moved on by a retry's back-off.")),
                ('started_at', models.DateTimeField(null=True)),
                ('finished_at', models.DateTimeField(null=True)),
                ('duration', models.FloatField(help_text='Seconds from first start to end.', null=True)),
                ('deadline_at', models.DateTimeField(help_text='End of the whole cycle, every retry included.', null=True)),
                ('control', models.CharField(blank=True, choices=[('pause', 'pause'), ('cancel', 'cancel')], default=engines.domain.states.Control['NONE'], max_length=6)),
                ('lease_owner', models.CharField(blank=True, max_length=120)),
                ('lease_token', models.BigIntegerField(default=0, help_text='Fencing number; rises with every claim.')),
                ('lease_until', models.DateTimeField(null=True)),
                ('attempts', models.PositiveSmallIntegerField(default=0, help_text='Claims since the last finished step.')),
                ('takeovers', models.PositiveIntegerField(default=0, help_text='Claims of an expired lease.')),
                ('fenced', models.PositiveIntegerField(default=0, help_text='Writes refused to a worker without the lease.')),
                ('step', models.CharField(blank=True, help_text='The running or next step.', max_length=16)),
                ('steps_done', models.PositiveSmallIntegerField(default=0)),
                ('decision', models.JSONField(null=True)),
                ('message', models.CharField(blank=True, help_text='Why it ended as it did.', max_length=500)),
                ('roi_gain', models.FloatField(null=True)),
                ('value', models.FloatField(null=True)),
                ('cost', models.FloatField(null=True)),
                ('roi_delta', models.FloatField(null=True)),
                ('roi_delta_ema', models.FloatField(null=True)),
                ('momentum', models.FloatField(null=True)),
                ('cpu_seconds', models.FloatField(null=True)),
                ('requested_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('engine', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='cycles', to='engines.engine')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='ModelVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('champion', 'champion'), ('candidate', 'candidate'), ('retired', 'retired'), ('rejected', 'rejected')], max_length=10)),
                ('sha256', models.CharField(blank=True, help_text='Digest of the artifact; empty: none kept.', max_length=64)),
                ('size', models.PositiveBigIntegerField(default=0, help_text='Bytes of the artifact.')),
                ('params', models.JSONField(default=dict)),
                ('metrics', models.JSONField(default=dict)),
                ('commit', models.CharField(blank=True, help_text='Commit of the bot it was trained from.', max_length=40)),
                ('seed', models.PositiveIntegerField(default=0)),
                ('roi_gain', models.FloatField(null=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('cycle', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='versions', to='engines.cycle')),
                ('engine', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='versions', to='engines.engine')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='CycleStep',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=16)),
                ('position', models.PositiveSmallIntegerField()),
                ('state', models.CharField(choices=[('pending', 'pending'), ('running', 'running'), ('done', 'done'), ('skipped', 'skipped'), ('not_configured', 'not configured'), ('failed', 'failed'), ('cancelled', 'cancelled')], default=engines.domain.states.StepState['PENDING'], max_length=14)),
                ('attempt', models.PositiveSmallIntegerField(default=0, help_text='How often it was started.')),
                ('failures', models.PositiveSmallIntegerField(default=0, help_text='How often it failed and was retried.')),
                ('started_at', models.DateTimeField(null=True)),
                ('finished_at', models.DateTimeField(null=True)),
                ('duration', models.FloatField(help_text='Seconds of the latest attempt.', null=True)),
                ('progress', models.FloatField(help_text='0 to 1; empty: not known.', null=True)),
                ('note', models.CharField(blank=True, max_length=500)),
                ('result', models.JSONField(default=dict)),
                ('error', models.TextField(blank=True)),
                ('log', models.TextField(blank=True, help_text='Tail of the output, cleaned.')),
                ('cpu_seconds', models.FloatField(null=True)),
                ('cycle', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='steps', to='engines.cycle')),
            ],
            options={
                'ordering': ['cycle_id', 'position'],
                'constraints': [models.UniqueConstraint(fields=('cycle', 'name'), name='one_row_per_step')],
            },
        ),
        migrations.AddIndex(
            model_name='engine',
            index=models.Index(condition=models.Q(('enabled', True)), fields=['next_due_at'], name='engine_due'),
        ),
        migrations.AddConstraint(
            model_name='engine',
            constraint=models.CheckConstraint(condition=models.Q(('base_cpu_seconds__gt', 0)), name='engine_base_cpu_positive'),
        ),
        migrations.AddConstraint(
            model_name='engine',
            constraint=models.CheckConstraint(condition=models.Q(('base_energy__gt', 0)), name='engine_base_energy_positive'),
        ),
        migrations.AddConstraint(
            model_name='cycletally',
            constraint=models.UniqueConstraint(fields=('engine', 'state', 'bucket'), name='one_tally_per_engine_state_bucket'),
        ),
        migrations.AddIndex(
            model_name='cycle',
            index=models.Index(fields=['engine', '-id'], name='cycle_engine_id'),
        ),
        migrations.AddIndex(
            model_name='cycle',
            index=models.Index(fields=['state', '-id'], name='cycle_state_id'),
        ),
        migrations.AddIndex(
            model_name='cycle',
            index=models.Index(fields=['engine', 'state', '-id'], name='cycle_engine_state_id'),
        ),
        migrations.AddIndex(
            model_name='cycle',
            index=models.Index(fields=['trigger', '-id'], name='cycle_trigger_id'),
        ),
        migrations.AddIndex(
            model_name='cycle',
            index=models.Index(fields=['roi_delta', 'id'], name='cycle_roi_id'),
        ),
        migrations.AddIndex(
            model_name='cycle',
            index=models.Index(fields=['duration', 'id'], name='cycle_duration_id'),
        ),
        migrations.AddIndex(
            model_name='cycle',
            index=models.Index(fields=['created_at', 'id'], name='cycle_created_id'),
        ),
        migrations.AddIndex(
            model_name='cycle',
            index=models.Index(condition=models.Q(('fenced__gt', 0), ('takeovers__gt', 0), _connector='OR'), fields=['engine'], name='cycle_disturbed'),
        ),
        migrations.AddIndex(
            model_name='cycle',
            index=models.Index(condition=models.Q(('state__in', [engines.domain.states.CycleState['QUEUED'], engines.domain.states.CycleState['RUNNING']])), fields=['run_after'], name='cycle_open'),
        ),
        migrations.AddConstraint(
            model_name='cycle',
            constraint=models.UniqueConstraint(condition=models.Q(('state', engines.domain.states.CycleState['RUNNING'])), fields=('engine',), name='one_running_cycle_per_engine'),
        ),
        migrations.AddConstraint(
            model_name='cycle',
            constraint=models.UniqueConstraint(fields=('engine', 'slot'), name='one_cycle_per_slot'),
        ),
        migrations.AddConstraint(
            model_name='cycle',
            constraint=models.CheckConstraint(condition=models.Q(('energy__gt', 0)), name='cycle_energy_positive'),
        ),
        migrations.AddIndex(
            model_name='modelversion',
            index=models.Index(fields=['engine', '-id'], name='version_engine_id'),
        ),
        migrations.AddConstraint(
            model_name='modelversion',
            constraint=models.UniqueConstraint(condition=models.Q(('state', engines.domain.states.VersionState['CHAMPION'])), fields=('engine',), name='one_champion_per_engine'),
        ),
        migrations.AddConstraint(
            model_name='modelversion',
            constraint=models.UniqueConstraint(condition=models.Q(('state', engines.domain.states.VersionState['CANDIDATE'])), fields=('cycle',), name='one_candidate_per_cycle'),
        ),
    ]
