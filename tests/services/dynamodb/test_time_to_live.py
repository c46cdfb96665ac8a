"""Items go when the clock says so."""

from __future__ import annotations

from typing import Any

import pytest

from tests.harness import eventually

from .conftest import definitions, index, keys

pytestmark = pytest.mark.node_only
NOW = 1_900_000_000


@pytest.fixture
def still(fresh_node: Any) -> Any:
    """A node at a known time, with a table whose items expire by `expires_at`."""
    node = fresh_node()
    node.post("/_cloudlet/clock", {"set": NOW})
    node.ddb = node.client("dynamodb")
    node.ddb.create_table(
        TableName="visits",
        KeySchema=keys("id"),
        AttributeDefinitions=definitions(id="S", day="S"),
        BillingMode="PAY_PER_REQUEST",
        GlobalSecondaryIndexes=[index("by_day", "day")],
    )
    return node


def enable(node: Any) -> None:
    node.ddb.update_time_to_live(
        TableName="visits", TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires_at"}
    )


def put(node: Any, id: str, until: dict[str, str] | None) -> None:
    item: dict[str, Any] = {"id": {"S": id}, "day": {"S": "monday"}}
    node.ddb.put_item(TableName="visits", Item={**item, **({"expires_at": until} if until else {})})


def left(node: Any, **options: Any) -> set[str]:
    return {item["id"]["S"] for item in node.ddb.scan(TableName="visits", **options)["Items"]}


def test_goes_with_its_index_entries(still):
    enable(still)
    put(still, "soon", {"N": str(NOW + 100)})
    put(still, "later", {"N": str(NOW + 10_000)})
    put(still, "never", None)
    put(still, "text", {"S": str(NOW + 100)})
    put(still, "milliseconds", {"N": str((NOW + 100) * 1000)})
    assert left(still) == {"soon", "later", "never", "text", "milliseconds"}
    still.advance(200)
    kept = {"later", "never", "text", "milliseconds"}
    assert eventually(lambda: left(still) == kept)
    assert left(still, IndexName="by_day") == kept


def test_what_was_prolonged_stays(still):
    enable(still)
    put(still, "a", {"N": str(NOW + 100)})
    put(still, "b", {"N": str(NOW + 100)})
    still.ddb.update_item(
        TableName="visits",
        Key={"id": {"S": "a"}},
        UpdateExpression="SET expires_at = :u",
        ExpressionAttributeValues={":u": {"N": str(NOW + 1000)}},
    )
    still.advance(200)
    assert eventually(lambda: left(still) == {"a"})
    still.advance(1000)
    assert eventually(lambda: left(still) == set())


def test_items_from_before_it_was_enabled(still):
    put(still, "old", {"N": str(NOW - 100)})
    put(still, "ancient", {"N": str(NOW - 10 * 365 * 86400)})
    assert left(still) == {"old", "ancient"}
    enable(still)
    assert eventually(lambda: left(still) == {"ancient"})


def test_survives_a_kill(still):
    enable(still)
    put(still, "soon", {"N": str(NOW + 100)})
    still.kill()
    still.start()
    still.post("/_cloudlet/clock", {"set": NOW + 200})
    assert eventually(lambda: left(still) == set())
