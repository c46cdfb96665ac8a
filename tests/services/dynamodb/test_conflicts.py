"""What meets a transaction that is under way: decided, and not on disk yet.

The meetings that are certain happen in a node within this process, whose requests take their first step one after the
other in one turn of the loop; those with a real node are many clients at once.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cloudlet.app import CloudletNode
from cloudlet.config import Config
from cloudlet.errors import AwsError
from cloudlet.store.interface import StoreError

from .conftest import definitions, keys

ONGOING = "Transaction is ongoing for the item"
CONFLICT = {"Code": "TransactionConflict", "Message": ONGOING}
NONE = {"Code": "None"}
Item = dict[str, Any]


def item(id: str, value: int = 0) -> Item:
    return {"id": {"S": id}, "v": {"N": str(value)}}


def put(id: str, value: int = 0, **options: Any) -> dict[str, Any]:
    return {"Put": {"TableName": "table", "Item": item(id, value), **options}}


class Table:
    """A table of a node within this process, through the inner door."""

    def __init__(self, node: CloudletNode) -> None:
        self.node = node
        self._ctx = node.context()

    def call(self, operation: str, **asked: Any) -> asyncio.Future[dict[str, Any]]:
        return asyncio.ensure_future(self._ctx.call("dynamodb", operation, asked))

    def on(self, operation: str, **asked: Any) -> asyncio.Future[dict[str, Any]]:
        return self.call(operation, TableName="table", **asked)

    def write(self, *actions: dict[str, Any], **options: Any) -> asyncio.Future[dict[str, Any]]:
        return self.call("TransactWriteItems", TransactItems=list(actions), **options)

    async def value(self, id: str) -> str | None:
        found = await self.on("GetItem", Key={"id": {"S": id}})
        return found["Item"]["v"]["N"] if "Item" in found else None


@pytest.fixture
async def table(tmp_path: Path) -> AsyncIterator[Table]:
    node = CloudletNode(Config(data=tmp_path / "data", port=0), logging.getLogger("test"))
    await node.start()
    table = Table(node)
    await table.on(
        "CreateTable",
        KeySchema=keys("id"),
        AttributeDefinitions=definitions(id="S"),
        BillingMode="PAY_PER_REQUEST",
    )
    yield table
    await node.stop()


async def refused(asked: asyncio.Future[dict[str, Any]]) -> AwsError:
    with pytest.raises(AwsError) as raised:
        await asked
    return raised.value


async def reasons(asked: asyncio.Future[dict[str, Any]]) -> list[dict[str, Any]]:
    error = await refused(asked)
    assert error.code == "TransactionCanceledException"
    told: list[dict[str, Any]] = error.fields["CancellationReasons"]
    codes = ", ".join(reason["Code"] for reason in told)
    assert error.message == (
        f"Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]"
    )
    return told


@pytest.mark.node_only
class TestTransactions:
    async def test_the_second_is_cancelled(self, table):
        first = table.write(put("a", 1), put("b", 1))
        second = table.write(put("c", 2), put("b", 2), put("d", 2))
        other = table.write(put("e", 3))
        assert await reasons(second) == [NONE, CONFLICT, NONE]
        await first
        await other
        found = [await table.value(id) for id in "abcde"]
        assert found == ["1", "1", None, None, "3"]

    async def test_it_is_over_when_it_is_on_disk(self, table):
        await table.write(put("a", 1))
        await table.write(put("a", 2))
        assert await table.value("a") == "2"

    async def test_a_check_holds_its_item_too(self, table):
        check = {
            "ConditionCheck": {
                "TableName": "table",
                "Key": {"id": {"S": "a"}},
                "ConditionExpression": "attribute_not_exists(id)",
            }
        }
        first = table.write(check, put("b"))
        assert await reasons(table.write(check, put("c"))) == [CONFLICT, NONE]
        await first

    async def test_beside_what_failed(self, table):
        first = table.write(put("a", 1))
        second = table.write(put("b", ConditionExpression="attribute_exists(id)"), put("a"))
        failed = {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed"}
        assert await reasons(second) == [failed, CONFLICT]
        await first

    async def test_the_same_key_of_another_table(self, table):
        await table.call(
            "CreateTable",
            TableName="other",
            KeySchema=keys("id"),
            AttributeDefinitions=definitions(id="S"),
            BillingMode="PAY_PER_REQUEST",
        )
        first = table.write(put("a", 1))
        second = table.write({"Put": {"TableName": "other", "Item": item("a")}})
        await asyncio.gather(first, second)

    async def test_one_that_was_cancelled_holds_nothing(self, table):
        first = table.write(put("a"), put("b", ConditionExpression="attribute_exists(id)"))
        second = table.write(put("a", 2))
        assert (await reasons(first))[0] == NONE
        await second
        assert await table.value("a") == "2"

    async def test_one_that_the_disk_refused_holds_nothing(self, table, monkeypatch):
        def broken() -> None:
            raise OSError("broken")

        with monkeypatch.context() as patched:
            patched.setattr(table.node.store._files, "sync", broken)
            with pytest.raises(StoreError):
                await table.write(put("a", 1))

        async def attempt() -> bool:
            try:
                await table.write(put("a", 2))
            except StoreError:
                return False
            return True

        async with asyncio.timeout(20):  # the disk is healed in a thread
            while not await attempt():
                await asyncio.sleep(0)
        assert await table.value("a") == "2"

    async def test_one_whose_client_has_gone_holds_nothing(self, table):
        first = table.write(put("a", 1))
        await asyncio.sleep(0)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        await table.write(put("a", 2))
        assert await table.value("a") == "2"


@pytest.mark.node_only
class TestToken:
    async def test_the_same_is_in_progress(self, table):
        first = table.write(put("a", 1), ClientRequestToken="token")
        error = await refused(table.write(put("a", 1), ClientRequestToken="token"))
        assert error.code == "TransactionInProgressException"
        assert error.message == "Transaction from previous request is still in progress"
        await first
        await table.write(put("a", 1), ClientRequestToken="token")

    async def test_another_transaction_is_a_mismatch_meanwhile(self, table):
        first = table.write(put("a", 1), ClientRequestToken="token")
        error = await refused(table.write(put("a", 2), ClientRequestToken="token"))
        assert error.code == "IdempotentParameterMismatchException"
        await first


@pytest.mark.node_only
class TestPlain:
    @pytest.mark.parametrize(
        ("operation", "asked"),
        [
            ("PutItem", {"Item": item("a", 2)}),
            ("PutItem", {"Item": item("a", 2), "ConditionExpression": "attribute_not_exists(id)"}),
            ("DeleteItem", {"Key": {"id": {"S": "a"}}}),
            ("UpdateItem", {"Key": {"id": {"S": "a"}}, "UpdateExpression": "REMOVE v"}),
        ],
    )
    async def test_a_write_conflicts(self, table, operation, asked):
        first = table.write(put("a", 1))
        error = await refused(table.on(operation, **asked))
        assert (error.code, error.message) == ("TransactionConflictException", ONGOING)
        await first
        assert await table.value("a") == "1"

    async def test_other_items_do_not(self, table):
        first = table.write(put("a", 1))
        await table.on("PutItem", Item=item("b", 2))
        await first

    async def test_a_batch_leaves_the_item_unprocessed(self, table):
        first = table.write(put("a", 1), put("b", 1))
        writes = [
            {"PutRequest": {"Item": item("a", 2)}},
            {"PutRequest": {"Item": item("c", 2)}},
            {"DeleteRequest": {"Key": {"id": {"S": "b"}}}},
        ]
        answer = await table.call("BatchWriteItem", RequestItems={"table": writes})
        assert answer["UnprocessedItems"] == {"table": [writes[0], writes[2]]}
        await first
        assert [await table.value(id) for id in "abc"] == ["1", "1", "2"]
        again = await table.call("BatchWriteItem", RequestItems=answer["UnprocessedItems"])
        assert again["UnprocessedItems"] == {}
        assert [await table.value(id) for id in "ab"] == ["2", None]

    async def test_reads_are_not_disturbed(self, table):
        first = table.write(put("a", 1))
        assert await table.value("a") == "1"
        assert (await table.on("Scan"))["Count"] == 1
        await first

    async def test_a_transaction_after_a_write_is_done_after_it(self, table):
        first = table.on("PutItem", Item=item("a", 1))
        await table.write(put("a", 2))
        await first
        assert await table.value("a") == "2"


@pytest.mark.node_only
class TestReads:
    def get(self, *ids: str) -> list[dict[str, Any]]:
        return [{"Get": {"TableName": "table", "Key": {"id": {"S": id}}}} for id in ids]

    async def test_a_transaction_of_reads_is_cancelled(self, table):
        first = table.write(put("a", 1))
        asked = table.call("TransactGetItems", TransactItems=self.get("b", "a"))
        assert await reasons(asked) == [NONE, CONFLICT]
        await first
        found = await table.call("TransactGetItems", TransactItems=self.get("b", "a"))
        assert found["Responses"] == [{}, {"Item": item("a", 1)}]

    async def test_reads_do_not_hold_each_other_off(self, table):
        both = [table.call("TransactGetItems", TransactItems=self.get("a")) for _ in range(2)]
        await asyncio.gather(*both)


@pytest.mark.node_only
class TestStatements:
    INSERT = "INSERT INTO \"table\" VALUE {'id': 'a', 'v': 1}"
    UPDATE = "UPDATE \"table\" SET v = 2 WHERE id = 'a'"

    async def test_a_transaction_of_statements_holds(self, table):
        first = table.call("ExecuteTransaction", TransactStatements=[{"Statement": self.INSERT}])
        assert await reasons(table.write(put("a", 2))) == [CONFLICT]
        await first
        assert await table.value("a") == "1"

    async def test_a_transaction_of_statements_is_cancelled(self, table):
        first = table.write(put("a", 1))
        second = table.call("ExecuteTransaction", TransactStatements=[{"Statement": self.INSERT}])
        assert await reasons(second) == [CONFLICT]
        await first

    async def test_a_statement_conflicts(self, table):
        await table.on("PutItem", Item=item("a"))
        first = table.write(put("a", 1))
        error = await refused(table.call("ExecuteStatement", Statement=self.UPDATE))
        assert (error.code, error.message) == ("TransactionConflictException", ONGOING)
        await first

    async def test_of_a_batch_the_statement_conflicts(self, table):
        first = table.write(put("a", 1))
        other = "INSERT INTO \"table\" VALUE {'id': 'b', 'v': 2}"
        statements = [{"Statement": self.UPDATE}, {"Statement": other}]
        answer = await table.call("BatchExecuteStatement", Statements=statements)
        assert answer["Responses"] == [{"TableName": "table", "Error": CONFLICT}, {"TableName": "table"}]
        await first


class TestManyClients:
    """Every acknowledged transaction is applied, each refused one leaves no trace."""

    def test_counters(self, ddb, users, unique):
        ids = [unique("counter") for _ in range(3)]

        def add(turn: int) -> str:
            """One more to two of the three counters, and a receipt."""
            mine = [id for place, id in enumerate(ids) if place != turn % 3]
            one = {"UpdateExpression": "ADD n :one", "ExpressionAttributeValues": {":one": {"N": "1"}}}
            actions: list[dict[str, Any]] = [
                {"Update": {"TableName": users, "Key": {"id": {"S": id}}, **one}} for id in mine
            ]
            actions.append({"Put": {"TableName": users, "Item": {"id": {"S": f"{ids[0]}-{turn}"}}}})
            try:
                ddb.transact_write_items(TransactItems=actions)
            except ClientError as error:
                told = error.response
                assert told["Error"]["Code"] == "TransactionCanceledException", told
                codes = [reason["Code"] for reason in told["CancellationReasons"]]
                assert "TransactionConflict" in codes and set(codes) <= {"None", "TransactionConflict"}
                assert codes[2] == "None"
                return "refused"
            return "done"

        with ThreadPoolExecutor(12) as pool:
            outcomes = list(pool.map(add, range(150)))
        expected = Counter(
            {
                id: sum(done == "done" and turn % 3 != place for turn, done in enumerate(outcomes))
                for place, id in enumerate(ids)
            }
        )
        for id in ids:
            found = ddb.get_item(TableName=users, Key={"id": {"S": id}}, ConsistentRead=True)["Item"]["n"]
            assert found == {"N": str(expected[id])}
        for turn, done in enumerate(outcomes):
            receipt = ddb.get_item(
                TableName=users, Key={"id": {"S": f"{ids[0]}-{turn}"}}, ConsistentRead=True
            )
            assert ("Item" in receipt) == (done == "done")

    def test_beside_plain_writes(self, ddb, users, unique):
        id = unique("counter")
        add = {
            "TableName": users,
            "Key": {"id": {"S": id}},
            "UpdateExpression": "ADD n :one",
            "ExpressionAttributeValues": {":one": {"N": "1"}},
        }

        def attempt(turn: int) -> bool:
            try:
                if turn % 2:
                    ddb.update_item(**add)
                else:
                    ddb.transact_write_items(TransactItems=[{"Update": add}])
            except (
                ddb.exceptions.TransactionConflictException,
                ddb.exceptions.TransactionCanceledException,
            ):
                return False
            return True

        with ThreadPoolExecutor(12) as pool:
            done = sum(pool.map(attempt, range(200)))
        found = ddb.get_item(TableName=users, Key={"id": {"S": id}}, ConsistentRead=True)["Item"]["n"]
        assert found == {"N": str(done)}
