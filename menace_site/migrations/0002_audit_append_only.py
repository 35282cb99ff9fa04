"""The audit log refuses UPDATE and DELETE in the database itself; TRUNCATE only passes in a test's database."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION menace_refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'TRUNCATE' AND current_database() LIKE 'test\\_%' THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'the audit log is append-only: % refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON menace_site_auditentry
    FOR EACH ROW EXECUTE FUNCTION menace_refuse_audit_change();
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON menace_site_auditentry
    FOR EACH STATEMENT EXECUTE FUNCTION menace_refuse_audit_change();
"""

BACKWARD = """
DROP TRIGGER audit_no_truncate ON menace_site_auditentry;
DROP TRIGGER audit_append_only ON menace_site_auditentry;
DROP FUNCTION menace_refuse_audit_change();
"""


class Migration(migrations.Migration):

    dependencies = [("menace_site", "0001_initial")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
