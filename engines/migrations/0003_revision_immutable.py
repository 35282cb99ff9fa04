"""The database itself refuses to change the content of a workflow's revision."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION revision_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.engine_id, NEW.workflow, NEW.parent_id, NEW.steps, NEW.input, NEW.inserted_step, NEW.module_path,
        NEW.module_hash, NEW.position, NEW.commit, NEW.evidence, NEW.match_score, NEW.created_at)
       IS DISTINCT FROM
       (OLD.engine_id, OLD.workflow, OLD.parent_id, OLD.steps, OLD.input, OLD.inserted_step, OLD.module_path,
        OLD.module_hash, OLD.position, OLD.commit, OLD.evidence, OLD.match_score, OLD.created_at)
    THEN RAISE EXCEPTION 'a workflow revision is immutable; make a new one';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER revision_immutable BEFORE UPDATE ON engines_workflowrevision
    FOR EACH ROW EXECUTE FUNCTION revision_refuse();
"""

BACKWARD = """
DROP TRIGGER revision_immutable ON engines_workflowrevision;
DROP FUNCTION revision_refuse();
"""


class Migration(migrations.Migration):
    """A trigger on the revisions."""

    dependencies = [("engines", "0002_workflowrevision")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
