"""Tables without their indexes while many rows go in: built at once they cost a third of the time."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from django.db.backends.utils import CursorWrapper

CONSTRAINTS = """
SELECT format('ALTER TABLE %%s DROP CONSTRAINT %%I', conrelid::regclass, conname),
       format('ALTER TABLE %%s ADD CONSTRAINT %%I ', conrelid::regclass, conname) || pg_get_constraintdef(oid)
FROM pg_constraint WHERE contype IN ('f', 'u') AND conrelid = ANY(%(tables)s::regclass[])
ORDER BY contype = 'f' DESC, oid
"""
# a partial tree stays: it has few of the rows, and its condition would come back in other words
INDEXES = """
SELECT format('DROP INDEX %%s', indexrelid::regclass), pg_get_indexdef(indexrelid)
FROM pg_index i JOIN pg_class c ON c.oid = indexrelid JOIN pg_am a ON a.oid = c.relam
WHERE NOT indisprimary AND (indpred IS NULL OR amname = 'gin') AND indrelid = ANY(%(tables)s::regclass[])
    AND NOT EXISTS (SELECT FROM pg_constraint o WHERE o.conindid = i.indexrelid)
ORDER BY indexrelid
"""


@contextmanager
def bare(cursor: CursorWrapper, tables: Sequence[str]) -> Iterator[None]:
    """Drop indexes and foreign keys of tables, and make them anew at the end, all inside one transaction.

    The tables are locked to its end, for readers too. Primary keys stay. If anything fails, everything is as
    it was. What was made is checked again: a foreign key and a unique index read every row.
    """
    # events that wait for the end of the transaction would forbid to change a table
    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    pairs: list[tuple[str, str]] = []
    for statement in (CONSTRAINTS, INDEXES):
        cursor.execute(statement, {"tables": list(tables)})
        pairs += cursor.fetchall()
    for drop, _ in pairs:
        cursor.execute(drop)
    yield
    for _, make in reversed(pairs):
        cursor.execute(make)
    cursor.execute("SET CONSTRAINTS ALL DEFERRED")
