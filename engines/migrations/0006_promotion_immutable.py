"""The database itself refuses to change what a promotion was opened with, and what was decided on it."""

from django.db import migrations

from engines.migrations._immutable import refusals

CHECKS = """
    IF (NEW.engine_id, NEW.kind, NEW.version_id, NEW.revision_id, NEW.subject, NEW.verdict, NEW.evidence,
        NEW.evidence_sha256, NEW.decision, NEW.policy, NEW.requested_label, NEW.created_at)
       IS DISTINCT FROM
       (OLD.engine_id, OLD.kind, OLD.version_id, OLD.revision_id, OLD.subject, OLD.verdict, OLD.evidence,
        OLD.evidence_sha256, OLD.decision, OLD.policy, OLD.requested_label, OLD.created_at)
    THEN RAISE EXCEPTION 'the evidence of a promotion is immutable; open a new one';
    END IF;
    IF NEW.requested_by_id IS DISTINCT FROM OLD.requested_by_id AND NEW.requested_by_id IS NOT NULL
    THEN RAISE EXCEPTION 'who requested a promotion is immutable';
    END IF;
    IF OLD.before IS NOT NULL AND OLD.applied_at IS NOT NULL
       AND (NEW.before, NEW.before_sha256, NEW.after, NEW.after_sha256, NEW.applied_at)
           IS DISTINCT FROM (OLD.before, OLD.before_sha256, OLD.after, OLD.after_sha256, OLD.applied_at)
    THEN RAISE EXCEPTION 'what was applied is immutable; roll it back';
    END IF;
    IF OLD.state IN ('rejected', 'superseded', 'stale', 'failed', 'rolled_back') AND NEW.state <> OLD.state
    THEN RAISE EXCEPTION 'a promotion that came to an end stays there; open a new one';
    END IF;
"""


class Migration(migrations.Migration):
    """A trigger on the promotions."""

    dependencies = [("engines", "0005_promotion")]

    operations = [refusals("promotion", "engines_promotion", CHECKS)]
