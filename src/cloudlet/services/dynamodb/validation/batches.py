"""Validation of BatchGetItem and BatchWriteItem: all that can be told without the tables."""

from __future__ import annotations

from ..attributes import check_item
from ..expressions import project_attributes
from ..model import MAX_BATCH_GET, MAX_BATCH_WRITE, validation_error
from .common import (
    Request,
    check_distinct_names,
    check_parameters,
    check_table_name,
    check_values,
    compile_expressions,
    in_older_words,
)


def batch_get_item(request: Request) -> Request:
    for name, wanted in request["RequestItems"].items():
        if not 1 <= len(wanted["Keys"]) <= MAX_BATCH_GET:
            limit = (
                f"less than or equal to {MAX_BATCH_GET}" if wanted["Keys"] else "greater than or equal to 1"
            )
            raise validation_error(
                f"1 validation error detected: Value at 'RequestItems.{name}.member.Keys' failed to satisfy "
                f"constraint: Member must have length {limit}"
            )
    count = 0
    members = ("ProjectionExpression", "AttributesToGet")
    used = {
        member: "" for wanted in request["RequestItems"].values() for member in members if member in wanted
    }
    check_parameters(used, members[:1], members[1:])
    request["RequestItems"] = {name: dict(wanted) for name, wanted in request["RequestItems"].items()}
    for name, wanted in request["RequestItems"].items():
        check_table_name(name)
        check_parameters(wanted, ("ProjectionExpression",), ("AttributesToGet",))
        if "AttributesToGet" in wanted:
            check_distinct_names(wanted["AttributesToGet"])
            wanted["_projection"] = project_attributes(tuple(wanted["AttributesToGet"]))
        compile_expressions(wanted)
        for key in wanted["Keys"]:
            check_values(key)
        if any(key in wanted["Keys"][:i] for i, key in enumerate(wanted["Keys"])):
            raise validation_error("Provided list of item keys contains duplicates")
        count += len(wanted["Keys"])
        if count > MAX_BATCH_GET:
            raise validation_error("Too many items requested for the BatchGetItem call")
    return request


@in_older_words
def batch_write_item(request: Request) -> Request:
    count = 0
    request["RequestItems"] = {
        name: [dict(write) for write in writes] for name, writes in request["RequestItems"].items()
    }
    for name, writes in request["RequestItems"].items():
        check_table_name(name)
        for write in writes:
            if len(write) != 1:
                raise validation_error(
                    "Supplied AttributeValue has more than one datatypes set, "
                    "must contain exactly one of the supported datatypes"
                )
            if "PutRequest" in write:
                write["_size"] = check_item(write["PutRequest"]["Item"])
            else:
                check_values(write["DeleteRequest"]["Key"])
        count += len(writes)
        if count > MAX_BATCH_WRITE:
            raise validation_error("Too many items requested for the BatchWriteItem call")
    return request
