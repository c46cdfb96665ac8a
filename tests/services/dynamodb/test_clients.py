"""Other people's clients, as their users use them: PynamoDB, boto3's resource, and the AWS CLI."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import boto3
import pytest
from boto3.dynamodb.conditions import Attr, Key
from pynamodb.attributes import (
    ListAttribute,
    MapAttribute,
    NumberAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
    VersionAttribute,
)
from pynamodb.connection import Connection
from pynamodb.exceptions import DoesNotExist, PutError, TransactWriteError
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex
from pynamodb.models import Model
from pynamodb.transactions import TransactGet, TransactWrite

from tests.harness import REGION

CREDENTIALS = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}


class Address(MapAttribute[Any, Any]):
    city = UnicodeAttribute()
    zip = NumberAttribute(null=True)


class ByCity(GlobalSecondaryIndex[Any]):
    class Meta:
        index_name = "by_city"
        projection = AllProjection()

    town = UnicodeAttribute(hash_key=True)
    age = NumberAttribute(range_key=True)


@pytest.fixture
def person(node: Any, unique: Callable[[str], str]) -> Iterator[Any]:
    """A model of its own table."""

    class Person(Model):
        class Meta:
            table_name = unique("people")
            host = node.endpoint
            region = REGION
            aws_access_key_id = "test"
            aws_secret_access_key = "test"
            billing_mode = "PAY_PER_REQUEST"

        name = UnicodeAttribute(hash_key=True)
        age = NumberAttribute(range_key=True)
        town = UnicodeAttribute(null=True)
        tags = UnicodeSetAttribute(null=True)
        notes: Any = ListAttribute(default=list)
        address = Address(null=True)
        version = VersionAttribute()
        by_city = ByCity()

    Person.create_table(wait=True)
    yield Person
    Person.delete_table()


class TestPynamoDB:
    def test_saves_and_finds(self, person):
        one = person(
            "ann", 30, town="Wels", tags={"a", "b"}, notes=["x", 1], address=Address(city="Wels", zip=4600)
        )
        one.save()
        found = person.get("ann", 30, consistent_read=True)
        assert (found.tags, list(found.notes), found.address.zip) == ({"a", "b"}, ["x", 1], 4600)
        found.update(actions=[person.address.city.set("Graz"), person.notes.set(person.notes.append(["y"]))])
        found.refresh()
        assert (found.address.city, list(found.notes), found.version) == ("Graz", ["x", 1, "y"], 2)
        found.delete()
        with pytest.raises(DoesNotExist):
            person.get("ann", 30)

    def test_a_stale_version_is_refused(self, person):
        person("bob", 1).save()
        mine, theirs = person.get("bob", 1), person.get("bob", 1)
        theirs.town = "Linz"
        theirs.save()
        mine.town = "Wien"
        with pytest.raises(PutError) as raised:
            mine.save()
        assert raised.value.cause_response_code == "ConditionalCheckFailedException"

    def test_queries_pages_and_scans(self, person):
        with person.batch_write() as batch:
            for age in range(60):
                batch.save(person("cleo", age, town="Wels" if age % 2 else "Graz", notes=["x" * 30_000]))
        assert [one.age for one in person.query("cleo", person.age > 55)] == [56, 57, 58, 59]
        assert person.count("cleo", person.age.between(10, 19)) == 10
        assert [one.age for one in person.by_city.query("Wels", scan_index_forward=False, limit=2)] == [
            59,
            57,
        ]
        assert len(list(person.scan(person.town == "Graz", page_size=7))) == 30
        first = person.query("cleo", limit=5, page_size=5)
        assert len(list(first)) == 5
        rest = person.query("cleo", last_evaluated_key=first.last_evaluated_key)
        assert next(iter(rest)).age == 5
        assert len(list(person.batch_get([("cleo", age) for age in range(60)]))) == 60

    def test_transactions(self, person):
        connection = Connection(region=REGION, host=person.Meta.host)
        connection.session.set_credentials("test", "test")
        first = person("dan", 1)
        first.save()
        with TransactWrite(connection=connection, client_request_token="token-of-dan") as write:
            write.save(person("dan", 2))
            write.update(first, actions=[person.town.set("Wels")])
        with TransactGet(connection=connection) as read:
            futures = [read.get(person, "dan", age) for age in (1, 2)]
        assert [future.get().town for future in futures] == ["Wels", None]
        with pytest.raises(TransactWriteError) as raised, TransactWrite(connection=connection) as write:
            write.save(person("eve", 1))
            write.condition_check(person, "dan", 3, condition=person.name.exists())
        codes = [reason and reason.code for reason in raised.value.cancellation_reasons]
        assert codes == ["ConditionalCheckFailed", None]
        assert person.count("eve") == 0


class TestResource:
    def test_types_and_conditions(self, node, users):
        resource: Any = boto3.resource(
            "dynamodb", endpoint_url=node.endpoint, region_name=REGION, **CREDENTIALS
        )
        table = resource.Table(users)
        item = {
            "id": "resource",
            "n": Decimal("1.50"),
            "l": [1, "a", None, True],
            "m": {"b": b"\x00"},
            "s": {"x", "y"},
        }
        table.put_item(Item=item, ConditionExpression=Attr("id").not_exists())
        found = table.get_item(Key={"id": "resource"})["Item"]
        assert found["m"]["b"].value == b"\x00"
        assert (found["n"], found["s"], found["l"]) == (Decimal("1.5"), {"x", "y"}, [1, "a", None, True])
        with table.batch_writer(overwrite_by_pkeys=["id"]) as batch:
            for n in range(60):
                batch.put_item(Item={"id": f"resource{n % 40}", "n": n})
        answer = table.query(
            KeyConditionExpression=Key("id").eq("resource7"), FilterExpression=Attr("n").gte(40)
        )
        assert answer["Items"] == [{"id": "resource7", "n": Decimal(47)}]
        answer = table.scan(FilterExpression=Attr("id").begins_with("resource") & Attr("n").is_in([47, 59]))
        assert {item["n"] for item in answer["Items"]} == {47, 59}


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("aws") is None, reason="there is no AWS CLI on this machine")
def test_the_command_line(node: Any, unique: Callable[[str], str]) -> None:
    table = unique("cli")
    environment = {
        **os.environ,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_PAGER": "",
    }

    def aws(*words: str, service: str = "dynamodb") -> Any:
        command = ["aws", service, *words, "--endpoint-url", node.endpoint, "--output", "json"]
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False, timeout=60
        )
        if done.returncode:
            return done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else {}

    made = aws(
        "create-table", "--table-name", table, "--billing-mode", "PAY_PER_REQUEST",
        "--attribute-definitions", "AttributeName=id,AttributeType=S", "--key-schema", "AttributeName=id,KeyType=HASH",
        "--stream-specification", "StreamEnabled=true,StreamViewType=NEW_IMAGE",
    )  # fmt: skip
    assert made["TableDescription"]["TableStatus"] == "CREATING"
    aws("wait", "table-exists", "--table-name", table)
    aws("put-item", "--table-name", table, "--item", '{"id": {"S": "a"}}')
    got = aws(
        "get-item",
        "--table-name",
        table,
        "--key",
        '{"id": {"S": "a"}}',
        "--return-consumed-capacity",
        "TOTAL",
    )
    assert got["Item"] == {"id": {"S": "a"}}
    assert got["ConsumedCapacity"]["CapacityUnits"] == 0.5
    items = aws("execute-statement", "--statement", f"SELECT id FROM \"{table}\" WHERE id = 'a'")["Items"]
    assert items == [{"id": {"S": "a"}}]
    arn = aws("list-streams", "--table-name", table, service="dynamodbstreams")["Streams"][0]["StreamArn"]
    described = aws("describe-stream", "--stream-arn", arn, service="dynamodbstreams")["StreamDescription"]
    assert described["StreamViewType"] == "NEW_IMAGE"
    again = aws(
        "put-item", "--table-name", table, "--item", '{"id": {"S": "a"}}',
        "--condition-expression", "attribute_not_exists(id)",
    )  # fmt: skip
    assert "(ConditionalCheckFailedException)" in again and "The conditional request failed" in again
    assert aws("scan", "--table-name", table)["Count"] == 1
    aws("delete-table", "--table-name", table)
