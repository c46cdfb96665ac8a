"""BatchExecuteStatement and ExecuteTransaction."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from .conftest import refusal

MALFORMED = "Statement wasn't well formed, can't be processed: "
BY_KEY = "Select statements within {} must specify the primary key in the where clause."
NO_MATCH = "The provided key element does not match the schema"
PLACE = "Validation failed in TransactStatements[{}]: "


def said(*statements: str) -> list[dict[str, str]]:
    return [{"Statement": statement} for statement in statements]


class TestBatch:
    @pytest.fixture
    def batch(self, ddb: Any) -> Any:
        """`batch("SELECT …", "SELECT …")` -> the responses."""

        def execute(*statements: str, **options: Any) -> list[dict[str, Any]]:
            return list(ddb.batch_execute_statement(Statements=said(*statements), **options)["Responses"])

        return execute

    def test_writes(self, batch, users, unique):
        insert = f"INSERT INTO \"{users}\" VALUE {{'id': '{unique('id')}', 'n': 1}}"
        assert batch(insert, "SELEC") == [
            {"TableName": users},
            {"Error": {"Code": "ValidationError", "Message": f"{MALFORMED}Expected data manipulation"}},
        ]
        assert batch(insert) == [
            {
                "TableName": users,
                "Error": {"Code": "DuplicateItem", "Message": "Duplicate primary key exists in table"},
            }
        ]

    def test_reads(self, ddb, users, unique):
        id = unique("id")
        ddb.put_item(TableName=users, Item={"id": {"S": id}, "n": {"N": "1"}})
        statements = [
            {"Statement": f'SELECT n FROM "{users}" WHERE id = ?', "Parameters": [{"S": id}]},
            {"Statement": f"SELECT * FROM \"{users}\" WHERE id IN ['nobody']", "ConsistentRead": True},
        ]
        answer = ddb.batch_execute_statement(Statements=statements, ReturnConsumedCapacity="TOTAL")
        assert answer["Responses"] == [
            {"TableName": users, "Item": {"n": {"N": "1"}}},
            {"TableName": users},
        ]
        assert answer["ConsumedCapacity"] == [{"TableName": users, "CapacityUnits": 1.5}]

    @pytest.mark.parametrize(
        "rest", ["", " WHERE n = 1", " WHERE id = 'a' AND n = 1", " WHERE id = 'a' AND id = 'b'"]
    )
    def test_reads_are_by_key(self, batch, users, rest):
        """The table's name is told of statements that ran."""
        message = BY_KEY.format("BatchExecuteStatement")
        assert batch(f'SELECT * FROM "{users}"{rest}') == [
            {"Error": {"Code": "ValidationError", "Message": message}}
        ]

    def test_no_index(self, batch, orders):
        (answer,) = batch(f"SELECT * FROM \"{orders}\".by_city WHERE who = 'a' AND seq = 1 AND city = 'x'")
        assert answer["Error"]["Message"] == BY_KEY.format("BatchExecuteStatement")

    def test_no_table(self, batch):
        error = {"Code": "ResourceNotFound", "Message": "Requested resource not found"}
        assert batch("SELECT * FROM nowhere WHERE id = 'a'") == [{"Error": error}]

    def test_a_condition(self, ddb, users, unique):
        id = unique("id")
        item = {"id": {"S": id}, "n": {"N": "1"}}
        ddb.put_item(TableName=users, Item=item)
        update = f"UPDATE \"{users}\" SET n = 2 WHERE id = '{id}' AND n = 5"
        statements = [{"Statement": update, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}]
        (answer,) = ddb.batch_execute_statement(Statements=statements)["Responses"]
        assert answer == {
            "TableName": users,
            "Error": {
                "Code": "ConditionalCheckFailed",
                "Message": "The conditional request failed",
                "Item": item,
            },
        }

    def test_returning(self, batch, ddb, users, unique):
        id = unique("id")
        ddb.put_item(TableName=users, Item={"id": {"S": id}, "n": {"N": "1"}})
        update = f"UPDATE \"{users}\" REMOVE {{}} WHERE id = '{id}' RETURNING MODIFIED NEW *"
        assert batch(update.format("n")) == [{"TableName": users}]
        delete = f"DELETE FROM \"{users}\" WHERE id = '{id}' RETURNING ALL OLD *"
        assert batch(delete) == [{"TableName": users, "Item": {"id": {"S": id}}}]

    def test_reads_and_writes(self, ddb, users):
        statements = said(
            "SELEC", f"SELECT * FROM \"{users}\" WHERE id = 'a'", f"DELETE FROM \"{users}\" WHERE id = 'b'"
        )
        told = refusal(ddb.batch_execute_statement, Statements=statements)
        assert told == "Read and write requests together in the same batch is not supported."

    @pytest.mark.parametrize(
        "statement", ["SELECT * FROM \"{t}\" WHERE id = 'twice'", "DELETE FROM \"{t}\" WHERE id = 'twice'"]
    )
    def test_twice(self, ddb, users, statement):
        statements = said(*[statement.format(t=users)] * 2)
        told = refusal(ddb.batch_execute_statement, Statements=statements)
        assert told == "Provided list of item keys contains duplicates"

    def test_no_exists(self, batch, users):
        (answer,) = batch(f"EXISTS(SELECT * FROM \"{users}\" WHERE id = 'x' AND n = 1)")
        told = "EXISTS can only be used in ExecuteTransaction write requests."
        assert answer == {"Error": {"Code": "ValidationError", "Message": told}}

    @pytest.mark.parametrize(
        ("count", "words"), [(0, "greater than or equal to 1"), (26, "less than or equal to 25")]
    )
    def test_how_many(self, ddb, count, words):
        told = refusal(ddb.batch_execute_statement, Statements=said(*["x"] * count))
        assert told.endswith(f"at 'statements' failed to satisfy constraint: Member must have length {words}")


class TestTransaction:
    @pytest.fixture
    def reasons(self, ddb: Any) -> Any:
        """`reasons("UPDATE …", …)` -> codes and messages of a cancelled transaction."""

        def execute(*statements: str) -> list[tuple[str, str]]:
            with pytest.raises(ClientError) as raised:
                ddb.execute_transaction(TransactStatements=said(*statements))
            error = raised.value.response
            assert error["Error"]["Code"] == "TransactionCanceledException", error
            return [(reason["Code"], reason.get("Message", "")) for reason in error["CancellationReasons"]]

        return execute

    def test_all_or_nothing(self, ddb, reasons, users, unique):
        a, b = unique("id"), unique("id")

        def insert(id: str) -> str:
            return f"INSERT INTO \"{users}\" VALUE {{'id': '{id}'}}"

        ddb.execute_transaction(TransactStatements=said(insert(a)))
        check = f"EXISTS(SELECT * FROM \"{users}\" WHERE id = 'no' AND n = 1)"
        found = reasons(insert(b), insert(a), check)
        assert [code for code, _ in found] == ["None", "DuplicateItem", "ConditionalCheckFailed"]
        read = ddb.execute_transaction(
            TransactStatements=said(*[f"SELECT * FROM \"{users}\" WHERE id = '{id}'" for id in (a, b)])
        )
        assert read["Responses"] == [{"Item": {"id": {"S": a}}}, {}]

    def test_a_token(self, ddb, users, unique):
        id = unique("id")
        ddb.put_item(TableName=users, Item={"id": {"S": id}, "n": {"N": "0"}})
        asked = {
            "TransactStatements": said(f"UPDATE \"{users}\" SET n = n + 1 WHERE id = '{id}'"),
            "ClientRequestToken": unique("token"),
            "ReturnConsumedCapacity": "TOTAL",
        }
        first = ddb.execute_transaction(**asked)
        assert first["Responses"] == []
        assert first["ConsumedCapacity"][0]["WriteCapacityUnits"] == 2.0
        again = ddb.execute_transaction(**asked)
        assert again["ConsumedCapacity"][0]["ReadCapacityUnits"] == 2.0
        assert ddb.get_item(TableName=users, Key={"id": {"S": id}})["Item"]["n"] == {"N": "1"}

    def test_reads_and_writes(self, ddb, users):
        statements = said(
            f"SELECT * FROM \"{users}\" WHERE id = 'a'", f"DELETE FROM \"{users}\" WHERE id = 'b'"
        )
        assert refusal(ddb.execute_transaction, TransactStatements=statements) == (
            "ExecuteTransaction API does not support both read and write operations in the same request."
        )

    @pytest.mark.parametrize(
        "statement", ["SELECT * FROM \"{t}\" WHERE id = 'twice'", "DELETE FROM \"{t}\" WHERE id = 'twice'"]
    )
    def test_twice(self, ddb, users, statement):
        statements = said(*[statement.format(t=users)] * 2)
        told = refusal(ddb.execute_transaction, TransactStatements=statements)
        assert told == "Transaction request cannot include multiple operations on one item"

    def test_keys_that_are_no_keys_weigh_more(self, reasons, users):
        read = f"SELECT * FROM \"{users}\" WHERE id = 'twice'"
        found = reasons(read, read, f'SELECT * FROM "{users}" WHERE id = 1')
        assert found == [("None", ""), ("None", ""), ("ValidationError", NO_MATCH)]

    def test_writes_that_do_not_name_one_item(self, reasons, orders):
        update = f'UPDATE "{orders}" SET a = 1 WHERE who = '
        found = reasons(
            f"{update}'a'",
            f"{update}'b' AND seq IN [1]",
            f"{update}'c' AND seq = 1 AND who = 'd'",
            f"{update}'e' AND seq = '1'",
            f"DELETE FROM \"{orders}\" WHERE who = 'f' AND seq = 1",
        )
        assert found == [("ValidationError", NO_MATCH)] * 4 + [("None", "")]

    def test_an_insertion_without_its_key(self, reasons, orders):
        missing = "One or more parameter values were invalid: Missing the key seq in the item"
        assert reasons(f"INSERT INTO \"{orders}\" VALUE {{'who': 'a'}}") == [("ValidationError", missing)]

    def test_no_table(self, reasons, users):
        nothing = ("ResourceNotFound", "Requested resource not found")
        update = "UPDATE nowhere SET a = 1 WHERE id = 'x' RETURNING ALL NEW *"
        assert reasons(update, f"DELETE FROM \"{users}\" WHERE id = 'no'") == [nothing, ("None", "")]
        reads = [f"SELECT * FROM \"{users}\" WHERE id = 'no'", "SELECT * FROM nowhere.x WHERE id = 'x'"]
        assert reasons(*reads) == [("None", ""), nothing]

    def test_of_two_keys_exists_takes_the_first(self, reasons, ddb, users, unique):
        id = unique("id")
        ddb.put_item(TableName=users, Item={"id": {"S": id}, "n": {"N": "1"}})
        check = f"EXISTS(SELECT * FROM \"{users}\" WHERE id = '{id}' AND id = 'other' AND n = 1)"
        assert [code for code, _ in reasons(check)] == ["ConditionalCheckFailed"]

    @pytest.mark.parametrize(
        ("statement", "told"),
        [
            (
                "UPDATE {t} SET n = 1 WHERE id = 'x' RETURNING ALL NEW *",
                "RETURNING clause is not supported in ExecuteTransaction.",
            ),
            (
                "EXISTS(SELECT * FROM {t} WHERE id = 'x')",
                "EXISTS() must contain a single item read with additional condition",
            ),
            (
                "EXISTS(SELECT * FROM {t} WHERE id IN ['x'] AND n = 1)",
                "EXISTS() must contain a single item read with additional condition",
            ),
            ("SELECT * FROM {t}", BY_KEY.format("ExecuteTransaction")),
            ("SELECT * FROM {t} WHERE id = 'x' AND n = 1", BY_KEY.format("ExecuteTransaction")),
            (
                "SELECT * FROM {t} WHERE id IN ['x', 'x']",
                "Overlapping conditions with range keys are not supported in where clause",
            ),
            ("SELECT * FROM {t}.y WHERE id = 'x'", "Reads on indices are not supported within transactions."),
            (
                "INSERT INTO {t} VALUE {{'id': 'x', 's': [<<'a', 'a'>>]}}",
                "One or more parameter values were invalid: Input collection [a, a] contains duplicates.",
            ),
        ],
    )
    def test_words(self, ddb, users, statement, told):
        statements = said(statement.format(t=f'"{users}"'))
        assert refusal(ddb.execute_transaction, TransactStatements=statements) == PLACE.format(0) + told

    def test_parameters_come_first(self, ddb, users):
        statements = [*said("SELEC"), {"Statement": "SELEC", "Parameters": [{"SS": ["a", "a"]}]}]
        assert refusal(ddb.execute_transaction, TransactStatements=statements) == (
            "One or more parameter values were invalid: Input collection [a, a] contains duplicates."
        )

    @pytest.mark.parametrize(
        ("count", "words"), [(0, "greater than or equal to 1"), (101, "less than or equal to 100")]
    )
    def test_how_many(self, ddb, count, words):
        told = refusal(ddb.execute_transaction, TransactStatements=said(*["x"] * count))
        assert told.endswith(f"failed to satisfy constraint: Member must have length {words}")


class TestWire:
    @pytest.mark.parametrize("operation", ["BatchExecuteStatement", "ExecuteTransaction", "ExecuteStatement"])
    def test_wrong_types_are_a_serialization_exception(self, post, operation):
        member = {
            "BatchExecuteStatement": "Statements",
            "ExecuteTransaction": "TransactStatements",
            "ExecuteStatement": "Parameters",
        }[operation]
        answer = post(operation, {"Statement": "x", member: {}})
        assert answer.status == 400
        assert answer.body["__type"].endswith("#SerializationException")

    def test_what_leaves(self, post, users):
        statement = f"SELECT * FROM \"{users}\" WHERE id = 'nobody'"
        assert post("ExecuteStatement", {"Statement": statement}).body == {"Items": []}
        assert post("BatchExecuteStatement", {"Statements": said(statement)}).body == {
            "Responses": [{"TableName": users}]
        }
        assert post("ExecuteTransaction", {"TransactStatements": said(statement)}).body == {"Responses": [{}]}
