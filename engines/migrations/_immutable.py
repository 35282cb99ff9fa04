"""Triggers by which the database itself refuses changes of a row."""

from django.db import migrations


def refusals(name: str, table: str, checks: str) -> migrations.RunSQL:
    """Return the operation that adds a trigger before every UPDATE of a table, and its way back.

    Args:
        name: begins the names of the trigger and of its function.
        table: the table's name in the database.
        checks: statements of PL/pgSQL on OLD and NEW, each of which raises or does nothing.
    """
    forward = f"""
CREATE FUNCTION {name}_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
{checks.strip(chr(10))}
    RETURN NEW;
END $$;
CREATE TRIGGER {name}_immutable BEFORE UPDATE ON {table}
    FOR EACH ROW EXECUTE FUNCTION {name}_refuse();
"""
    backward = f"""
DROP TRIGGER {name}_immutable ON {table};
DROP FUNCTION {name}_refuse();
"""
    return migrations.RunSQL(forward, backward)
