"""Validation of operations on tables: all that can be told without the table."""

from __future__ import annotations

from collections.abc import Sequence

from ....policies.documents import parsed
from ..model import (
    MAX_CAPACITY_UNITS,
    MAX_GLOBAL_INDEXES,
    MAX_KEY_ATTRIBUTES,
    MAX_LOCAL_INDEXES,
    MAX_POLICY_SIZE,
    MAX_PROJECTED_ATTRIBUTES,
    MAX_TAGS,
    TABLE_CLASSES,
    invalid_parameters,
    limit_exceeded,
    too_many_tags,
    validation_error,
)
from .common import Request, check_table_name, is_table_arn


def create_table(request: Request) -> Request:
    check_table_name(request["TableName"])
    if request["TableName"].startswith("arn:"):
        raise validation_error("TableArn is not supported for this operation")
    _check_throughput(request)
    for member in ("AttributeDefinitions", "KeySchema"):
        if member not in request:
            name = member[0].lower() + member[1:]
            raise validation_error(
                f"1 validation error detected: Value null at '{name}' failed to satisfy constraint: "
                "Member must not be null"
            )
    check_settings(request, request.get("BillingMode", "PROVISIONED"))
    definitions = [definition["AttributeName"] for definition in request["AttributeDefinitions"]]
    for place, name in enumerate(definitions):
        if name in definitions[:place]:
            raise validation_error(f"Attribute Name is duplicated: {name}")
    keys = check_keys(request["KeySchema"], definitions, table=True)
    used = set(keys)
    names: set[str] = set()
    local = request.get("LocalSecondaryIndexes")
    if local is not None:
        _check_local(local, keys, definitions, names)
    global_ = request.get("GlobalSecondaryIndexes")
    if global_ is not None:
        _check_global(request, global_, definitions, names)
    for index in (*(local or ()), *(global_ or ())):
        used.update(element["AttributeName"] for element in index["KeySchema"])
    if local is None and global_ is None and len(keys) != len(definitions):
        raise invalid_parameters(
            "Number of attributes in KeySchema does not exactly match number of attributes defined "
            "in AttributeDefinitions"
        )
    if len(used) != len(definitions):
        raise invalid_parameters(
            "Some AttributeDefinitions are not used. "
            f"AttributeDefinitions: [{', '.join(definitions)}], keys used: [{', '.join(sorted(used))}]"
        )
    _check_stream(request)
    if "ResourcePolicy" in request:
        check_policy(request["ResourcePolicy"])
    check_tags(request.get("Tags", ()))
    return request


def _check_throughput(request: Request) -> None:
    throughput = request.get("ProvisionedThroughput")
    if request.get("BillingMode") == "PAY_PER_REQUEST":
        if throughput is not None:
            raise invalid_parameters(
                "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST"
            )
        return
    if throughput is None:
        raise invalid_parameters(
            "ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED"
        )
    check_bounds(throughput)


def check_bounds(throughput: Request, index: str = "") -> None:
    for name in ("ReadCapacityUnits", "WriteCapacityUnits"):
        if throughput[name] > MAX_CAPACITY_UNITS:
            suffix = f" for index {index}" if index else ""
            raise validation_error(f"Given value {throughput[name]} for {name} is out of bounds{suffix}")


def check_keys(
    schema: list[Request], definitions: Sequence[str], table: bool = False, composite: bool = False
) -> list[str]:
    """A KeySchema: defined attributes, HASH and then perhaps RANGE. `composite`: several of either."""
    keys = [element["AttributeName"] for element in schema]
    if table and len(keys) > len(definitions):
        raise validation_error("Invalid KeySchema: Some index key attribute have no definition")
    if any(key not in definitions for key in keys):
        raise invalid_parameters(
            "Some index key attributes are not defined in AttributeDefinitions. "
            f"Keys: [{', '.join(keys)}], AttributeDefinitions: [{', '.join(definitions)}]"
        )
    if composite and (len(keys) > 2 or all(element["KeyType"] == "HASH" for element in schema[:2])):
        _check_composite(schema, keys)
        return keys
    if len(keys) > 2:
        shown = ", ".join(
            f"KeySchemaElement(attributeName={element['AttributeName']}, keyType={element['KeyType']})"
            for element in schema
        )
        raise validation_error(
            f"1 validation error detected: Value '[{shown}]' at 'keySchema' failed to satisfy constraint: "
            "Member must have length less than or equal to 2"
        )
    if len(keys) == 2 and keys[0] == keys[1]:
        raise validation_error(
            "Both the Hash Key and the Range Key element in the KeySchema have the same name"
        )
    if schema[0]["KeyType"] != "HASH":
        raise validation_error("Invalid KeySchema: The first KeySchemaElement is not a HASH key type")
    if len(schema) == 2 and schema[1]["KeyType"] != "RANGE":
        raise validation_error("Invalid KeySchema: The second KeySchemaElement is not a RANGE key type")
    return keys


def _check_composite(schema: list[Request], keys: list[str]) -> None:
    kinds = [element["KeyType"] for element in schema]
    if len(set(keys)) != len(keys):
        raise validation_error("The KeySchema contains multiple key attributes with the same name")
    if kinds[0] != "HASH":
        raise validation_error("Invalid KeySchema: The first KeySchemaElement is not a HASH key type")
    if kinds != sorted(kinds):
        raise invalid_parameters("All HASH key attributes must precede RANGE key attributes in the KeySchema")
    for kind in ("HASH", "RANGE"):
        if kinds.count(kind) > MAX_KEY_ATTRIBUTES:
            raise invalid_parameters(
                f"The KeySchema exceeds the maximum allowed number of {kind} key attributes"
            )


def _check_local(
    indexes: list[Request], table_keys: list[str], definitions: Sequence[str], names: set[str]
) -> None:
    if not indexes:
        raise invalid_parameters("List of LocalSecondaryIndexes is empty")
    if len(table_keys) != 2:
        raise invalid_parameters(
            "Table KeySchema does not have a range key, which is required when specifying a LocalSecondaryIndex"
        )
    for index in indexes:
        keys = check_keys(index["KeySchema"], definitions)
        if len(keys) != 2:
            raise invalid_parameters(
                f"Index KeySchema does not have a range key for index: {index['IndexName']}"
            )
        if keys[0] != table_keys[0]:
            raise invalid_parameters(
                "Index KeySchema does not have the same leading hash key as table KeySchema for index: "
                f"{index['IndexName']}. index hash key: {keys[0]}, table hash key: {table_keys[0]}"
            )
        check_projection(index)
        _check_new_name(index, names)
    if len(indexes) > MAX_LOCAL_INDEXES:
        raise invalid_parameters(
            f"Number of LocalSecondaryIndexes exceeds per-table limit of {MAX_LOCAL_INDEXES}"
        )


def _check_global(
    request: Request, indexes: list[Request], definitions: Sequence[str], names: set[str]
) -> None:
    if not indexes:
        raise invalid_parameters("List of GlobalSecondaryIndexes is empty")
    for index in indexes:
        check_keys(index["KeySchema"], definitions, composite=True)
        check_projection(index)
        check_index_throughput(index, request.get("BillingMode") != "PAY_PER_REQUEST")
        _check_new_name(index, names)
    if len(indexes) > MAX_GLOBAL_INDEXES:
        raise invalid_parameters(
            f"GlobalSecondaryIndex count exceeds the per-table limit of {MAX_GLOBAL_INDEXES}"
        )


def check_index_throughput(index: Request, provisioned: bool) -> None:
    throughput = index.get("ProvisionedThroughput")
    if provisioned and throughput is None:
        raise invalid_parameters(f"ProvisionedThroughput is not specified for index: {index['IndexName']}")
    if not provisioned and throughput is not None:
        raise invalid_parameters(
            f"ProvisionedThroughput should not be specified for index: {index['IndexName']} "
            "when BillingMode is PAY_PER_REQUEST"
        )
    if throughput is not None:
        check_bounds(throughput, index["IndexName"])


def check_projection(index: Request) -> None:
    projection = index["Projection"]
    kind = projection.get("ProjectionType")
    if kind is None:
        raise invalid_parameters("Unknown ProjectionType: null")
    attributes = projection.get("NonKeyAttributes")
    if attributes is not None and kind != "INCLUDE":
        raise invalid_parameters(f"ProjectionType is {kind}, but NonKeyAttributes is specified")
    if attributes is None and kind == "INCLUDE":
        raise invalid_parameters("ProjectionType is INCLUDE, but NonKeyAttributes is not specified")
    for place, name in enumerate(attributes or ()):
        if name in attributes[:place]:
            raise invalid_parameters(f"Duplicate element in NonKeyAttributes: {name}")
    if attributes is not None and len(attributes) > MAX_PROJECTED_ATTRIBUTES:
        raise invalid_parameters("Number of NonKeyAttributes exceeds the limit of 100")


def _check_new_name(index: Request, names: set[str]) -> None:
    if index["IndexName"] in names:
        raise invalid_parameters(f"Duplicate index name: {index['IndexName']}")
    names.add(index["IndexName"])


def _check_stream(request: Request) -> None:
    stream = request.get("StreamSpecification")
    if stream is None:
        return
    if stream["StreamEnabled"] and "StreamViewType" not in stream:
        raise invalid_parameters("Table is being created with a stream enabled, UpdateViewType is required")
    if not stream["StreamEnabled"] and "StreamViewType" in stream:
        raise invalid_parameters(
            "Table is being created with a stream disabled, UpdateViewType should not be specified"
        )


def check_settings(request: Request, billing: str | None = None) -> None:
    """What a table may have besides keys and indexes: its class, encryption, and limits of what it takes on demand."""
    if request.get("TableClass", TABLE_CLASSES[0]) not in TABLE_CLASSES:
        raise validation_error(
            "Invalid table-class parameter provided. Please try again with a valid table-class value: "
            f"[{', '.join(TABLE_CLASSES)}]."
        )
    encryption = request.get("SSESpecification", {})
    if not encryption.get("Enabled"):
        for member in ("SSEType", "KMSMasterKeyId"):
            if member in encryption:
                raise invalid_parameters(f"{member} can not be specified if Enabled is false")
    elif encryption.get("SSEType") == "AES256":
        raise invalid_parameters("SSEType AES256 is not supported")
    elif "KMSMasterKeyId" in encryption and "SSEType" not in encryption:
        raise invalid_parameters("SSEType KMS is required if KMSMasterKeyId is specified")
    for member, units in request.get("OnDemandThroughput", {}).items():
        if billing == "PROVISIONED":
            raise invalid_parameters(
                f"{member} for OnDemandThroughput cannot be specified when the table BillingMode is PROVISIONED"
            )
        if units < 1 and units != -1:
            raise invalid_parameters(
                f"Requested {member} for OnDemandThroughput for table is outside of valid range"
            )


def check_policy(text: str) -> None:
    if len(text.encode()) > MAX_POLICY_SIZE:
        raise limit_exceeded("Resource-based policy size has exceeded the maximum allowed size of 20 KB")
    try:
        parsed(text)
    except ValueError as error:
        raise validation_error(f"Invalid policy document: {error}") from error


def put_resource_policy(request: Request) -> Request:
    check_policy(request["Policy"])
    return request


def check_tags(tags: Sequence[Request]) -> None:
    keys = [tag["Key"] for tag in tags]
    for place, key in enumerate(keys):
        if key in keys[:place]:
            raise validation_error(f"Duplicate Tag Keys provided as input: Duplicate Tag Key found {key}")
        if key.startswith("aws:"):
            raise validation_error(f"Tag Key cannot be prefixed with aws:, Key: {key}")
    if len(keys) > MAX_TAGS:
        raise too_many_tags()


def describe_table(request: Request) -> Request:
    check_table_name(request["TableName"])
    return request


delete_table = describe_table
describe_time_to_live = describe_table
update_time_to_live = describe_table
describe_continuous_backups = describe_table
update_continuous_backups = describe_table


def tag_resource(request: Request) -> Request:
    _check_arn(request["ResourceArn"])
    if not request["Tags"]:
        raise validation_error("Atleast one Tag needs to be provided as Input.")
    check_tags(request["Tags"])
    return request


def untag_resource(request: Request) -> Request:
    _check_arn(request["ResourceArn"])
    if not request["TagKeys"]:
        raise validation_error("Atleast one Tag Key needs to be provided as Input.")
    return request


def list_tags_of_resource(request: Request) -> Request:
    _check_arn(request["ResourceArn"])
    return request


def _check_arn(arn: str) -> None:
    if not arn.startswith("arn:"):
        raise invalid_parameters(f"ARNs must start with 'arn:': {arn}")
    parts = arn.split(":", 5)
    if len(parts) < 6 or parts[2] != "dynamodb":
        raise invalid_parameters(f"Provided Arn is not a DynamoDB resource arn: {arn}")
    if not is_table_arn(arn) or "/index/" in parts[5]:
        raise invalid_parameters(
            f"Invalid resource arn provided, only table or stream is accepted. Provided resource arn: {arn}"
        )


def list_tables(request: Request) -> Request:
    start = request.get("ExclusiveStartTableName")
    if start is not None:
        check_table_name(start)
    return request
