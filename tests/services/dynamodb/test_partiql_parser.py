"""Near-statements: the parser understands them or refuses them, and does nothing else."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from cloudlet.errors import AwsError
from cloudlet.services.dynamodb import storage
from cloudlet.services.dynamodb.partiql import Select, parse
from cloudlet.services.dynamodb.partiql.plans import bind, named, write_of
from cloudlet.services.dynamodb.partiql.readings import reading_of

TABLE = storage.compiled(
    {
        "name": "music",
        "id": "1",
        "arn": "arn:aws:dynamodb:us-east-1:000000000000:table/music",
        "attributes": {"id": "S", "at": "N"},
        "keys": ["id", "at"],
        "indexes": [],
    }
)
KEYWORDS = (
    "SELECT", "FROM", "INTO", "VALUE", "WHERE", "AND", "OR", "NOT", "IN", "BETWEEN", "IS", "MISSING", "NULL", "STRING",
    "SET", "REMOVE", "RETURNING", "ALL", "OLD", "ORDER", "BY",
)  # fmt: skip
SIGNS = (*"*?()[]{},.:;=<+-#", "<<", ">>", "<>", "<=", "--", "/*")
VALUES = (
    "1",
    "2.5",
    "1e126",
    "'a'",
    "'it''s'",
    '"q"',
    "id",
    "at",
    "n",
    "music",
    "true",
    "''",
    "['a', 1]",
    "<<1>>",
)
FUNCTIONS = (
    "size", "begins_with", "list_append", "set_add", "contains", "if_not_exists", "attribute_type", "attribute_exists",
)  # fmt: skip
WORDS = (*KEYWORDS, *SIGNS, *VALUES)
PARTS = (
    "SELECT * FROM music", "SELECT id, n.m[0] FROM music", "UPDATE music SET n = n + 1", "DELETE FROM music",
    "INSERT INTO music VALUE {'id': 'a', 'at': 1}", "WHERE id = 'a' AND at = 1", "WHERE id IN ['a', ?]",
    "RETURNING ALL OLD *", "ORDER BY at DESC", "REMOVE n", "SET ss = set_add(ss, <<'x'>>)",
)  # fmt: skip
calls = st.tuples(st.sampled_from(FUNCTIONS), st.lists(st.sampled_from(VALUES), max_size=3)).map(
    lambda call: f"{call[0]}({', '.join(call[1])})"
)
compared = st.tuples(calls | st.sampled_from(VALUES), st.sampled_from(("=", "<", "IN (1,", "IS")), calls).map(
    " ".join
)
noise = (
    st.lists(st.sampled_from((*WORDS, *PARTS)) | calls, max_size=10).map(" ".join)
    | calls
    | compared
    | compared.map(lambda text: text + ")")
)
near = st.tuples(
    st.sampled_from(
        (
            "SELECT * FROM music WHERE id = 'a' AND {}",
            "SELECT {} FROM music WHERE {}",
            "UPDATE music SET n = {} WHERE id = 'a' AND at = 1",
            "UPDATE music {} WHERE id = 'a' AND at = 1 AND {}",
            "INSERT INTO music VALUE {}",
            "DELETE FROM music WHERE {} AND at = 1",
        )
    ),
    noise,
).map(lambda pair: pair[0].replace("{}", pair[1]))
texts = noise | near


@settings(max_examples=600, deadline=None)
@given(text=texts)
@example("(" * 500)
@example("SELECT * FROM music WHERE list_append(n, n) = 1")
@example("SELECT * FROM music WHERE size() = 1")
@example("UPDATE music SET n = list_append() WHERE id = 'a' AND at = 1")
@example("SELECT * FROM music WHERE " + "NOT " * 500 + "n = 1")
@example("SELECT * FROM music WHERE n = " + "[" * 500)
@example("SELECT * FROM music WHERE n[99999999999999] = 1")
def test_understood_or_refused(text: str) -> None:
    try:
        statement = parse(text)
        bound = bind(statement, [{"S": "p"}] * statement.parameters)
        named(bound)
        if isinstance(statement, Select):
            reading_of(TABLE, bound)
        else:
            write_of(TABLE, bound)
    except AwsError as error:
        assert error.code == "ValidationException"
        assert error.message
