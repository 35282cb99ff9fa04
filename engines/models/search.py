"""Search of the words of a text, by PostgreSQL's own full-text index.

A text is cut into words at blanks and signs; capitals don't matter. It matches when each word that was typed
begins one of its words, in any order: `exit ret` finds "retrain: exit code 1".
"""

import re
import string
from typing import Any

from django.contrib.postgres.indexes import GinIndex
from django.db.models import BooleanField, F, Func, Q, TextField, Value

# signs by which PostgreSQL would join words to paths, hosts, addresses, numbers with a sign …: all part here
JOINING = r"-+/\@._:&<>~=?#"
CUT = re.compile(rf"[\s{re.escape(string.punctuation)}]+")


class Words(Func):
    """The words of a text column, as the index has them."""

    template = (
        f"to_tsvector('simple'::regconfig, translate(%(expressions)s, '{JOINING}', '{' ' * len(JOINING)}'))"
    )
    output_field = TextField()


class _Query(Func):
    template = "to_tsquery('simple'::regconfig, %(expressions)s)"
    output_field = TextField()


class _Matches(Func):
    template = "(%(expressions)s)"
    arg_joiner = " @@ "
    output_field = BooleanField()


def words_index(column: str, name: str) -> GinIndex:
    """Return the index that a search of the column needs; empty texts are not in it."""
    # without a list of pending entries: a search would read all of it
    return GinIndex(Words(F(column)), name=name, condition=~Q(**{column: ""}), fastupdate=False)


def has_words(column: str, typed: str) -> Q:
    """Return the condition that every typed word begins a word of the column; signs alone match nothing."""
    words = [word for word in CUT.split(typed) if word]
    if not words:
        return Q(pk__in=[])
    query = " & ".join(f"'{word}':*" for word in words)
    match: Any = _Matches(Words(F(column)), _Query(Value(query)))
    return Q(match) & ~Q(**{column: ""})
