"""Whatever comes, the answer is a result or the service's own error, never a failure of ours."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import botocore.session
import pytest
from botocore.model import Shape
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

TEXTS = [
    "", "id", "who", "seq", "city", "by_city", "by_price", "nope", "a.b[1]", "a = :v", "#n = :v AND city > :v", "1",
    "-1.5", "1e200", "SET a = :v", "SET a.b = if_not_exists(a, :v) + :v REMOVE c[0]", "ADD n :v", "who = :v",
    "who = :v AND seq < :v", "attribute_exists(a) OR size(#n) IN (:v, a)", "a, #n", ":v", "#n", "x" * 300,
    "ä\u0000", "arn:aws:dynamodb:::table/x",
]  # fmt: skip
STATEMENTS = [
    "SELECT * FROM {t} WHERE who = ?", "SELECT a.b[0], who FROM {t}.by_city WHERE city = ? ORDER BY seq DESC",
    "SELECT who FROM {t} WHERE who IN [?, 'b'] AND (seq = 1 OR seq > ?)",
    "SELECT * FROM {t} WHERE a = ? OR size(b) > ?",
    "INSERT INTO {t} VALUE {{'who': ?, 'seq': 1, 'x': ?}}", "INSERT INTO {t} VALUE ?", "DELETE FROM {t} WHERE who = ?",
    "UPDATE {t} SET a = ? SET b = set_add(b, ?) WHERE who = 'w' AND seq = 1 RETURNING ALL OLD *",
    "EXISTS(SELECT * FROM {t} WHERE who = 'w' AND seq = ? AND a = 1)", "DELETE FROM {t} WHERE who = ? AND seq = ?",
]  # fmt: skip
KEYS = ["who", "seq", "city", ":v", "#n", "id", "a", ""]
OPERATIONS = [
    "BatchExecuteStatement", "BatchGetItem", "BatchWriteItem", "CreateBackup", "CreateTable", "DeleteItem",
    "DescribeBackup", "DescribeTable", "DescribeTimeToLive", "ExecuteStatement", "ExecuteTransaction", "GetItem",
    "GetResourcePolicy", "ListBackups", "ListTables", "ListTagsOfResource", "PutItem", "PutResourcePolicy", "Query",
    "RestoreTableFromBackup", "RestoreTableToPointInTime", "Scan", "TagResource", "TransactGetItems",
    "TransactWriteItems", "UpdateContinuousBackups", "UpdateItem", "UpdateTable", "UpdateTimeToLive",
]  # fmt: skip

SETTINGS = ("CreateTable", "UpdateContinuousBackups", "UpdateTable", "UpdateTimeToLive", "TagResource")


@lru_cache
def model() -> Any:
    return botocore.session.get_session().get_service_model("dynamodb")


def values(shape: Shape, tables: list[str], depth: int = 0) -> st.SearchStrategy[Any]:
    """Values that suit the shape, or nearly."""
    kind = shape.type_name
    if kind == "structure":
        members = shape.members
        if shape.name == "AttributeValue":
            return attribute_values(depth)
        required = {n: values(s, tables, depth) for n, s in members.items() if n in shape.required_members}
        others = {n: values(s, tables, depth) for n, s in members.items() if n not in shape.required_members}
        return st.fixed_dictionaries(required, optional=others)
    if kind == "map":
        names = st.sampled_from(tables) if shape.key.name == "TableArn" else st.sampled_from(KEYS)
        return st.dictionaries(names, values(shape.value, tables, depth + 1), max_size=3)
    if kind == "list":
        return st.lists(values(shape.member, tables, depth + 1), max_size=3)
    if kind == "string":
        if shape.name == "PartiQLStatement":
            texts = [text.format(t=f'"{table}"') for text in STATEMENTS for table in tables]
            return st.sampled_from([*texts, *TEXTS])
        if shape.name in ("TableArn", "TableName"):
            return st.sampled_from(tables)
        return st.sampled_from(list(getattr(shape, "enum", None) or TEXTS))
    if kind == "boolean":
        return st.booleans()
    if kind == "timestamp":
        return st.sampled_from([0, 1.5, 4_000_000_000])
    return st.integers(-1, 5)


def attribute_values(depth: int) -> st.SearchStrategy[Any]:
    text, number = st.sampled_from(TEXTS), st.sampled_from(["1", "2", "-7.50", "x", "9e130"])
    kinds: dict[str, Any] = {
        "S": text,
        "N": number,
        "B": st.sampled_from(["", "YQ==", "YWI="]),
        "SS": st.lists(text, max_size=3),
        "NS": st.lists(number, max_size=3),
        "NULL": st.booleans(),
        "BOOL": st.booleans(),
    }
    if depth < 4:
        inner = st.deferred(lambda: attribute_values(depth + 1))
        kinds["L"] = st.lists(inner, max_size=2)
        kinds["M"] = st.dictionaries(st.sampled_from(KEYS), inner, max_size=2)
    single = [value.map(lambda v, kind=kind: {kind: v}) for kind, value in kinds.items()]
    return st.one_of(*single, st.just({}), st.fixed_dictionaries({"S": text, "N": number}))


@pytest.mark.slow
@pytest.mark.parametrize("operation", OPERATIONS)
def test_no_failures_of_ours(post, users, orders, unique, operation):
    shape = model().operation_model(operation).input_shape
    tables = [users, orders, "no-such-table", "x"]
    if operation in SETTINGS:
        tables = [unique("bad")]

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(values(shape, tables))
    def run(body: Any) -> None:
        answer = post(operation, body)
        assert answer.status < 500, (operation, body, answer.body)
        assert answer.status == 200 or answer.body["__type"]

    run()
