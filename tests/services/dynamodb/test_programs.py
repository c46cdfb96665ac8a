"""Random programs of operations on a real node, held against a plain dict that does what the documentation says."""

from __future__ import annotations

import itertools
from decimal import Decimal
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .conftest import definitions, index, keys

Item = dict[str, dict[str, Any]]
Key = tuple[str, Decimal]

hashes = st.sampled_from(["a", "b"])
seqs = st.sampled_from(["-1.5", "0", "2", "10"])
numbers = st.sampled_from(["-10", "-1.5", "-1", "0", "1", "2", "10"])
cities = st.sampled_from(["Wels", "Graz"])
extras = st.fixed_dictionaries(
    {}, optional={"city": cities.map(lambda c: {"S": c}), "price": numbers.map(lambda n: {"N": n})}
)
conditions = st.sampled_from(
    [None, "attribute_not_exists(who)", "attribute_exists(who)", "price > :p", "NOT city = :c"]
)
updates = st.sampled_from(
    ["SET price = if_not_exists(price, :p) + :p", "SET city = :c", "REMOVE city", "ADD price :p REMOVE city"]
)
bounds = st.sampled_from([None, "<", "<=", "=", ">=", ">"])

programs = st.lists(
    st.one_of(
        st.tuples(st.just("put"), hashes, seqs, extras, conditions),
        st.tuples(st.just("delete"), hashes, seqs, conditions),
        st.tuples(st.just("update"), hashes, seqs, updates, conditions),
        st.tuples(st.just("get"), hashes, seqs),
        st.tuples(st.just("query"), hashes, bounds, numbers, st.booleans(), st.integers(1, 4)),
        st.tuples(st.just("by_city"), cities, st.booleans(), st.integers(1, 4)),
        st.tuples(
            st.just("transact"),
            st.lists(st.tuples(hashes, seqs, st.none() | extras, st.booleans()), min_size=1, max_size=4),
        ),
        st.tuples(st.just("statement"), hashes, bounds, numbers),
        st.tuples(st.just("batch"), st.lists(st.tuples(hashes, seqs, st.none() | extras), max_size=4)),
    ),
    max_size=30,
)
GIVEN = {":p": {"N": "1"}, ":c": {"S": "Wels"}}
_tables = itertools.count()


class Model:
    def __init__(self) -> None:
        self.items: dict[Key, Item] = {}

    def allows(self, key: Key, condition: str | None) -> bool:
        item = self.items.get(key, {})
        if condition is None:
            return True
        if condition.startswith("attribute"):
            return (condition == "attribute_exists(who)") == bool(item)
        if condition.startswith("price"):
            return "price" in item and Decimal(item["price"]["N"]) > 1
        return item.get("city") != {"S": "Wels"}

    def update(self, key: Key, expression: str) -> None:
        old = self.items.get(key, {"who": {"S": key[0]}, "seq": {"N": str(key[1])}})
        new = dict(old)
        if expression.startswith("SET price"):
            new["price"] = {"N": str(Decimal(old.get("price", {"N": "1"})["N"]) + 1)}
        if expression.startswith("ADD"):
            new["price"] = {"N": str(Decimal(old.get("price", {"N": "0"})["N"]) + 1)}
        if expression.startswith("SET city"):
            new["city"] = {"S": "Wels"}
        if "REMOVE city" in expression:
            new.pop("city", None)
        self.items[key] = new

    def query(self, who: str, sign: str | None, bound: str, forward: bool) -> list[Key]:
        compare = {
            "<": Decimal.__lt__, "<=": Decimal.__le__, "=": Decimal.__eq__, ">=": Decimal.__ge__, ">": Decimal.__gt__,
        }  # fmt: skip
        found = [
            key
            for key in self.items
            if key[0] == who and (sign is None or compare[sign](key[1], Decimal(bound)))
        ]
        return sorted(found, key=lambda key: key[1], reverse=not forward)


class Runner:
    """Does each step on the node and on the model, and compares what they say."""

    def __init__(self, ddb: Any, table: str) -> None:
        self.ddb = ddb
        self.table = table
        self.model = Model()

    def step(self, kind: str, *args: Any) -> None:
        getattr(self, kind)(*args)

    def put(self, who: str, seq: str, extra: Item, condition: str | None) -> None:
        item = {"who": {"S": who}, "seq": {"N": seq}, **extra}
        if self._write(self.ddb.put_item, (who, Decimal(seq)), condition, Item=item):
            self.model.items[who, Decimal(seq)] = item

    def delete(self, who: str, seq: str, condition: str | None) -> None:
        key = {"who": {"S": who}, "seq": {"N": seq}}
        if self._write(self.ddb.delete_item, (who, Decimal(seq)), condition, Key=key):
            self.model.items.pop((who, Decimal(seq)), None)

    def update(self, who: str, seq: str, expression: str, condition: str | None) -> None:
        key = {"who": {"S": who}, "seq": {"N": seq}}
        if self._write(
            self.ddb.update_item, (who, Decimal(seq)), condition, Key=key, UpdateExpression=expression
        ):
            self.model.update((who, Decimal(seq)), expression)

    def _write(self, call: Any, key: Key, condition: str | None, **asked: Any) -> bool:
        if condition is not None:
            asked["ConditionExpression"] = condition
        text = (condition or "") + asked.get("UpdateExpression", "")
        used = {name: value for name, value in GIVEN.items() if name in text}
        if used:
            asked["ExpressionAttributeValues"] = used
        try:
            call(TableName=self.table, **asked)
            done = True
        except ClientError as error:
            assert error.response["Error"]["Code"] == "ConditionalCheckFailedException"
            done = False
        assert done == self.model.allows(key, condition)
        return done

    def get(self, who: str, seq: str) -> None:
        found = self.ddb.get_item(TableName=self.table, Key={"who": {"S": who}, "seq": {"N": seq}})
        assert same([found["Item"]] if "Item" in found else [], self.expected([(who, Decimal(seq))]))

    def query(self, who: str, sign: str | None, bound: str, forward: bool, limit: int) -> None:
        condition = "who = :w" + (f" AND seq {sign} :b" if sign else "")
        values = {":w": {"S": who}} | ({":b": {"N": bound}} if sign else {})
        found = self._pages(condition, values, forward, limit)
        assert same(found, self.expected(self.model.query(who, sign, bound, forward)))

    def by_city(self, city: str, forward: bool, limit: int) -> None:
        found = self._pages("city = :c", {":c": {"S": city}}, forward, limit, IndexName="by_city")
        wanted = [key for key, item in self.model.items.items() if item.get("city") == {"S": city}]
        order = [Decimal(item["seq"]["N"]) for item in found]
        assert order == sorted(order, reverse=not forward)
        assert same(by_key(found), self.expected(sorted(wanted)))

    def _pages(self, condition: str, values: Item, forward: bool, limit: int, **options: Any) -> list[Item]:
        pages = self.ddb.get_paginator("query").paginate(
            TableName=self.table,
            KeyConditionExpression=condition,
            ExpressionAttributeValues=values,
            ScanIndexForward=forward,
            PaginationConfig={"PageSize": limit},
            **options,
        )
        return [item for page in pages for item in page["Items"]]

    def batch(self, writes: list[tuple[str, str, Item | None]]) -> None:
        last = {(who, Decimal(seq)): extra for who, seq, extra in writes}
        requests = []
        for (who, seq), extra in last.items():
            key = {"who": {"S": who}, "seq": {"N": str(seq)}}
            if extra is None:
                requests.append({"DeleteRequest": {"Key": key}})
                self.model.items.pop((who, seq), None)
            else:
                requests.append({"PutRequest": {"Item": {**key, **extra}}})
                self.model.items[who, seq] = {**key, **extra}
        if requests:
            self.ddb.batch_write_item(RequestItems={self.table: requests})

    def transact(self, writes: list[tuple[str, str, Item | None, bool]]) -> None:
        """Puts and deletes, some only if the item is there: all of them or none."""
        last = {(who, Decimal(seq)): (extra, guarded) for who, seq, extra, guarded in writes}
        actions: list[Any] = []
        for (who, seq), (extra, guarded) in last.items():
            key = {"who": {"S": who}, "seq": {"N": str(seq)}}
            guard = {"ConditionExpression": "attribute_exists(who)"} if guarded else {}
            kind, what = ("Delete", {"Key": key}) if extra is None else ("Put", {"Item": {**key, **extra}})
            actions.append({kind: {"TableName": self.table, **what, **guard}})
        fine = [key in self.model.items or not guarded for key, (_, guarded) in last.items()]
        try:
            self.ddb.transact_write_items(TransactItems=actions)
        except ClientError as error:
            codes = [reason["Code"] for reason in error.response["CancellationReasons"]]
            assert codes == ["None" if one else "ConditionalCheckFailed" for one in fine]
            assert not all(fine)
            return
        assert all(fine)
        for (key, (extra, _)), action in zip(last.items(), actions, strict=True):
            if extra is None:
                self.model.items.pop(key, None)
            else:
                self.model.items[key] = action["Put"]["Item"]

    def statement(self, who: str, sign: str | None, bound: str) -> None:
        where = f"who = '{who}'" + (f" AND seq {sign} {bound}" if sign else "")
        found = self.ddb.execute_statement(Statement=f'SELECT * FROM "{self.table}" WHERE {where}')["Items"]
        assert same(found, self.expected(self.model.query(who, sign, bound, True)))

    def replay(self, streams: Any) -> None:
        """The stream, from its beginning, tells how the table came to be what it is."""
        arn = self.ddb.describe_table(TableName=self.table)["Table"]["LatestStreamArn"]
        (shard,) = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
        place = streams.get_shard_iterator(
            StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        items: dict[Key, Item] = {}
        for record in streams.get_records(ShardIterator=place)["Records"]:
            told = record["dynamodb"]
            key = told["Keys"]["who"]["S"], Decimal(told["Keys"]["seq"]["N"])
            assert items.get(key) == told.get("OldImage")
            assert told.get("NewImage") != told.get("OldImage")
            if "NewImage" in told:
                items[key] = told["NewImage"]
            else:
                del items[key]
        assert same([items[key] for key in sorted(items)], self.expected(sorted(self.model.items)))

    def expected(self, wanted: list[Key]) -> list[Item]:
        return [self.model.items[key] for key in wanted if key in self.model.items]

    def settle(self) -> None:
        """At the end the table and its indexes hold what the model holds, and nothing else."""
        everything = self.expected(sorted(self.model.items))
        assert same(by_key(self.ddb.scan(TableName=self.table)["Items"]), everything)
        for name, attribute in (("by_city", "city"), ("by_price", "price")):
            found = self.ddb.scan(TableName=self.table, IndexName=name)["Items"]
            assert same(by_key(found), [item for item in everything if attribute in item])


def by_key(items: list[Item]) -> list[Item]:
    return sorted(items, key=lambda item: (item["who"]["S"], Decimal(item["seq"]["N"])))


def same(found: list[Item], wanted: list[Item]) -> bool:
    """Equal, numbers by their value."""

    def plain(items: list[Item]) -> list[dict[str, Any]]:
        return [
            {name: Decimal(value["N"]) if "N" in value else value for name, value in item.items()}
            for item in items
        ]

    return plain(found) == plain(wanted)


@pytest.mark.slow
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(program=programs)
def test_programs(ddb, client, unique, program):
    table = f"{unique('programs')}-{next(_tables)}"
    ddb.create_table(
        TableName=table,
        KeySchema=keys("who", "seq"),
        AttributeDefinitions=definitions(who="S", seq="N", city="S", price="N"),
        BillingMode="PAY_PER_REQUEST",
        GlobalSecondaryIndexes=[index("by_city", "city", "seq")],
        LocalSecondaryIndexes=[index("by_price", "who", "price")],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )
    ddb.get_waiter("table_exists").wait(TableName=table)
    runner = Runner(ddb, table)
    try:
        for step in program:
            runner.step(*step)
        runner.settle()
        runner.replay(client("dynamodbstreams"))
    finally:
        ddb.delete_table(TableName=table)
