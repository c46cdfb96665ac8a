"""Streams: what writes leave in them, and how they are read."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.harness import eventually

from .conftest import definitions, failure, index, keys, refusal

DAY = 86400


@pytest.fixture(scope="session")
def streams(client: Any) -> Any:
    return client("dynamodbstreams")


@pytest.fixture
def watched(make_table: Any) -> Any:
    """`watched("KEYS_ONLY")`: a table with a stream."""

    def make(view: str = "NEW_AND_OLD_IMAGES", **options: Any) -> str:
        table: str = make_table(
            ["id"],
            {"id": "S"},
            StreamSpecification={"StreamEnabled": True, "StreamViewType": view},
            **options,
        )
        return table

    return make


def arn_of(ddb: Any, table: str) -> str:
    return str(ddb.describe_table(TableName=table)["Table"]["LatestStreamArn"])


def iterator(streams: Any, arn: str, kind: str = "TRIM_HORIZON", **more: Any) -> str:
    shards = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
    (shard,) = shards
    found = streams.get_shard_iterator(
        StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType=kind, **more
    )
    return str(found["ShardIterator"])


def records(streams: Any, arn: str, kind: str = "TRIM_HORIZON", **more: Any) -> list[Any]:
    return list(streams.get_records(ShardIterator=iterator(streams, arn, kind, **more))["Records"])


def put(ddb: Any, table: str, id: str, **attributes: Any) -> None:
    ddb.put_item(TableName=table, Item={"id": {"S": id}, **attributes})


class TestRecords:
    def test_a_life(self, ddb, streams, watched):
        table = watched()
        put(ddb, table, "a", n={"N": "101"})
        put(ddb, table, "a", n={"N": "102"}, b={"B": b"\x00"})
        ddb.delete_item(TableName=table, Key={"id": {"S": "a"}})
        found = records(streams, arn_of(ddb, table))
        assert [one["eventName"] for one in found] == ["INSERT", "MODIFY", "REMOVE"]
        first, second, third = [one["dynamodb"] for one in found]
        old = {"id": {"S": "a"}, "n": {"N": "101"}}
        new = {"id": {"S": "a"}, "n": {"N": "102"}, "b": {"B": b"\x00"}}
        assert (first.get("OldImage"), first["NewImage"]) == (None, old)
        assert (second["OldImage"], second["NewImage"]) == (old, new)
        assert (third["OldImage"], third.get("NewImage")) == (new, None)
        assert all(one["Keys"] == {"id": {"S": "a"}} for one in (first, second, third))
        assert [one["SizeBytes"] for one in (first, second, third)] == [3 + 7, 3 + 7 + 9, 3 + 9]
        numbers = [one["SequenceNumber"] for one in (first, second, third)]
        assert numbers == sorted(set(numbers)) and all(21 <= len(one) <= 40 for one in numbers)
        assert len({one["eventID"] for one in found}) == 3
        assert {(one["eventVersion"], one["eventSource"], one["awsRegion"]) for one in found} == {
            ("1.1", "aws:dynamodb", ddb.meta.region_name)
        }
        assert all("userIdentity" not in one for one in found)

    @pytest.mark.parametrize(
        ("view", "images"),
        [
            ("KEYS_ONLY", set()),
            ("NEW_IMAGE", {"NewImage"}),
            ("OLD_IMAGE", {"OldImage"}),
            ("NEW_AND_OLD_IMAGES", {"NewImage", "OldImage"}),
        ],
    )
    def test_view_types(self, ddb, streams, watched, view, images):
        table = watched(view)
        put(ddb, table, "a", n={"N": "1"})
        put(ddb, table, "a", n={"N": "2"})
        change = records(streams, arn_of(ddb, table))[1]["dynamodb"]
        assert change["StreamViewType"] == view
        assert {"NewImage", "OldImage"} & change.keys() == images

    def test_what_changes_nothing_leaves_nothing(self, ddb, streams, watched):
        table = watched()
        put(ddb, table, "a", s={"SS": ["x", "y"]})
        put(ddb, table, "a", s={"SS": ["y", "x"]})
        ddb.delete_item(TableName=table, Key={"id": {"S": "nobody"}})
        ddb.update_item(TableName=table, Key={"id": {"S": "a"}}, UpdateExpression="REMOVE nothing")
        with pytest.raises(ClientError):
            ddb.put_item(
                TableName=table, Item={"id": {"S": "a"}}, ConditionExpression="attribute_not_exists(id)"
            )
        assert len(records(streams, arn_of(ddb, table))) == 1

    def test_batches_and_transactions_in_their_order(self, ddb, streams, watched):
        table = watched("KEYS_ONLY")
        ddb.batch_write_item(
            RequestItems={table: [{"PutRequest": {"Item": {"id": {"S": id}}}} for id in "abc"]}
        )
        ddb.transact_write_items(
            TransactItems=[
                {"Delete": {"TableName": table, "Key": {"id": {"S": "b"}}}},
                {"Put": {"TableName": table, "Item": {"id": {"S": "d"}}}},
                {
                    "ConditionCheck": {
                        "TableName": table,
                        "Key": {"id": {"S": "a"}},
                        "ConditionExpression": "attribute_exists(id)",
                    }
                },
            ]
        )
        found = [
            (one["eventName"], one["dynamodb"]["Keys"]["id"]["S"])
            for one in records(streams, arn_of(ddb, table))
        ]
        assert found == [("INSERT", "a"), ("INSERT", "b"), ("INSERT", "c"), ("REMOVE", "b"), ("INSERT", "d")]

    def test_with_indexes(self, ddb, streams, make_table):
        table = make_table(
            ["id"],
            {"id": "S", "city": "S"},
            GlobalSecondaryIndexes=[index("by_city", "city", ProjectionType="KEYS_ONLY")],
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "OLD_IMAGE"},
        )
        put(ddb, table, "a", city={"S": "Wels"}, note={"S": "kept"})
        ddb.update_item(
            TableName=table,
            Key={"id": {"S": "a"}},
            UpdateExpression="SET city = :c",
            ExpressionAttributeValues={":c": {"S": "Graz"}},
        )
        (change,) = records(streams, arn_of(ddb, table))[1:]
        assert change["dynamodb"]["OldImage"]["note"] == {"S": "kept"}
        assert ddb.scan(TableName=table, IndexName="by_city")["Items"][0]["city"] == {"S": "Graz"}


class TestGetShardIterator:
    def test_every_place(self, ddb, streams, watched):
        table = watched("KEYS_ONLY")
        arn = arn_of(ddb, table)
        for id in "abc":
            put(ddb, table, id)
        latest = iterator(streams, arn, "LATEST")
        put(ddb, table, "d")

        def ids(found: list[Any]) -> str:
            return "".join(one["dynamodb"]["Keys"]["id"]["S"] for one in found)

        everything = records(streams, arn)
        second = everything[1]["dynamodb"]["SequenceNumber"]
        assert ids(everything) == "abcd"
        assert ids(streams.get_records(ShardIterator=latest)["Records"]) == "d"
        assert ids(records(streams, arn, "AT_SEQUENCE_NUMBER", SequenceNumber=second)) == "bcd"
        assert ids(records(streams, arn, "AFTER_SEQUENCE_NUMBER", SequenceNumber=second)) == "cd"
        assert ids(records(streams, arn, "AT_TIMESTAMP", Timestamp=0)) == "abcd"
        assert records(streams, arn, "AT_TIMESTAMP", Timestamp=4_000_000_000) == []

    def test_wrong_ones(self, ddb, streams, watched):
        arn = arn_of(ddb, watched())
        other = f"{arn}1"
        shard = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][0]["ShardId"]
        known = {"StreamArn": arn, "ShardId": shard}
        get = streams.get_shard_iterator
        code, message = failure(get, **{**known, "StreamArn": other}, ShardIteratorType="LATEST")
        assert (code, message) == (
            "ResourceNotFoundException", f"Requested resource not found: Stream: {other} not found"
        )  # fmt: skip
        code, _ = failure(get, **{**known, "ShardId": shard[:-1] + "x"}, ShardIteratorType="LATEST")
        assert code == "ResourceNotFoundException"
        assert "SequenceNumber" in refusal(get, **known, ShardIteratorType="AT_SEQUENCE_NUMBER")
        assert refusal(streams.get_records, ShardIterator="nonsense") == "Invalid ShardIterator"


class TestGetRecords:
    def test_page_after_page(self, ddb, streams, watched):
        table = watched("KEYS_ONLY")
        for id in "abcde":
            put(ddb, table, id)
        place: str | None = iterator(streams, arn_of(ddb, table))
        seen = []
        while len(seen) < 5:
            page = streams.get_records(ShardIterator=place, Limit=2)
            assert 1 <= len(page["Records"]) <= 2
            seen += [one["dynamodb"]["Keys"]["id"]["S"] for one in page["Records"]]
            place = page["NextShardIterator"]
        assert seen == list("abcde")
        page = streams.get_records(ShardIterator=place)
        assert page["Records"] == [] and page["NextShardIterator"]

    def test_no_page_over_a_megabyte(self, ddb, streams, watched):
        table = watched("NEW_IMAGE")
        for id in "abcd":
            put(ddb, table, id, text={"S": "x" * 300_000})
        page = streams.get_records(ShardIterator=iterator(streams, arn_of(ddb, table)))
        assert len(page["Records"]) == 3
        assert len(streams.get_records(ShardIterator=page["NextShardIterator"])["Records"]) == 1

    def test_no_more_than_a_thousand(self, ddb, streams, watched):
        place = iterator(streams, arn_of(ddb, watched()))
        message = refusal(streams.get_records, ShardIterator=place, Limit=1001)
        assert message.endswith("Member must have value less than or equal to 1000")


class TestLife:
    def test_switched_on_and_off(self, ddb, streams, make_table):
        table = make_table(["id"], {"id": "S"})
        put(ddb, table, "before")
        on = {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
        answer = ddb.update_table(TableName=table, StreamSpecification=on)["TableDescription"]
        first = answer["LatestStreamArn"]
        assert first.endswith(f":table/{table}/stream/{answer['LatestStreamLabel']}")
        assert refusal(ddb.update_table, TableName=table, StreamSpecification=on).startswith(
            "Table already has an enabled stream"
        )
        put(ddb, table, "during")
        ddb.update_table(TableName=table, StreamSpecification={"StreamEnabled": False})
        put(ddb, table, "after")
        told = streams.describe_stream(StreamArn=first)["StreamDescription"]
        assert told["StreamStatus"] == "DISABLED"
        assert "EndingSequenceNumber" in told["Shards"][0]["SequenceNumberRange"]
        page = streams.get_records(ShardIterator=iterator(streams, first))
        assert [one["dynamodb"]["Keys"]["id"]["S"] for one in page["Records"]] == ["during"]
        assert "NextShardIterator" not in streams.get_records(ShardIterator=page["NextShardIterator"])

        ddb.update_table(TableName=table, StreamSpecification=on)
        second = arn_of(ddb, table)
        assert second != first
        listed = streams.list_streams(TableName=table)["Streams"]
        assert [one["StreamArn"] for one in listed] == [first, second]
        page = streams.list_streams(TableName=table, Limit=1)
        assert page["LastEvaluatedStreamArn"] == first
        rest = streams.list_streams(TableName=table, ExclusiveStartStreamArn=first)
        assert [one["StreamArn"] for one in rest["Streams"]] == [second]

    def test_outlives_its_table(self, ddb, streams, watched):
        table = watched("KEYS_ONLY")
        arn = arn_of(ddb, table)
        put(ddb, table, "a")
        ddb.delete_table(TableName=table)
        assert len(records(streams, arn)) == 1
        told = streams.describe_stream(StreamArn=arn)["StreamDescription"]
        assert (told["StreamStatus"], told["TableName"]) == ("DISABLED", table)
        assert told["KeySchema"] == keys("id")


@pytest.mark.node_only
class TestTime:
    @pytest.fixture
    def own(self, fresh_node: Any) -> Any:
        node = fresh_node()
        node.ddb = node.client("dynamodb")
        node.streams = node.client("dynamodbstreams")
        node.ddb.create_table(
            TableName="visits",
            KeySchema=keys("id"),
            AttributeDefinitions=definitions(id="S"),
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        )
        node.arn = arn_of(node.ddb, "visits")
        return node

    def test_records_go_after_a_day(self, own):
        put(own.ddb, "visits", "a")
        held = iterator(own.streams, own.arn)
        own.advance(DAY / 2)
        put(own.ddb, "visits", "b")
        a, b = records(own.streams, own.arn)
        own.advance(DAY / 2 + 5)

        def left() -> list[Any]:
            return records(own.streams, own.arn)

        assert eventually(lambda: [one["eventID"] for one in left()] == [b["eventID"]])
        number = a["dynamodb"]["SequenceNumber"]
        code, _ = failure(
            iterator, streams=own.streams, arn=own.arn, kind="AT_SEQUENCE_NUMBER", SequenceNumber=number
        )
        assert code == "TrimmedDataAccessException"
        code, _ = failure(own.streams.get_records, ShardIterator=held)
        assert code == "ExpiredIteratorException"
        own.advance(DAY)
        assert eventually(lambda: left() == [])

    def test_a_disabled_stream_goes_after_a_day(self, own):
        put(own.ddb, "visits", "a")
        own.advance(100)
        own.ddb.delete_table(TableName="visits")
        own.advance(DAY - 50)
        assert own.streams.describe_stream(StreamArn=own.arn)
        own.advance(100)
        assert eventually(lambda: own.streams.list_streams()["Streams"] == [])

    def test_items_whose_time_is_up_go_by_the_service(self, own):
        now = 1_900_000_000
        own.post("/_cloudlet/clock", {"set": now})
        own.ddb.update_time_to_live(
            TableName="visits", TimeToLiveSpecification={"Enabled": True, "AttributeName": "until"}
        )
        put(own.ddb, "visits", "a", until={"N": str(now + 50)})
        own.advance(100)
        assert eventually(lambda: len(records(own.streams, own.arn)) == 2)
        gone = records(own.streams, own.arn)[1]
        assert gone["eventName"] == "REMOVE"
        assert gone["userIdentity"] == {"PrincipalId": "dynamodb.amazonaws.com", "Type": "Service"}

    def test_survives_a_kill(self, own):
        put(own.ddb, "visits", "a")
        before = records(own.streams, own.arn)
        own.kill()
        own.start()
        put(own.ddb, "visits", "b")
        after = records(own.streams, own.arn)
        assert after[:1] == before and len(after) == 2
        assert after[1]["dynamodb"]["SequenceNumber"] > before[0]["dynamodb"]["SequenceNumber"]
