"""The database itself refuses to change the content of a workflow's revision."""

from django.db import migrations

from engines.migrations._immutable import refusals

CHECKS = """
    IF (NEW.engine_id, NEW.workflow, NEW.parent_id, NEW.steps, NEW.input, NEW.inserted_step, NEW.module_path,
        NEW.module_hash, NEW.position, NEW.commit, NEW.evidence, NEW.match_score, NEW.created_at)
       IS DISTINCT FROM
       (OLD.engine_id, OLD.workflow, OLD.parent_id, OLD.steps, OLD.input, OLD.inserted_step, OLD.module_path,
        OLD.module_hash, OLD.position, OLD.commit, OLD.evidence, OLD.match_score, OLD.created_at)
    THEN RAISE EXCEPTION 'a workflow revision is immutable; make a new one';
    END IF;
"""


class Migration(migrations.Migration):
    """A trigger on the revisions."""

    dependencies = [("engines", "0002_workflowrevision")]

    operations = [refusals("revision", "engines_workflowrevision", CHECKS)]
