"""What the validations of items, queries and batches share: table names, expressions and their placeholders, values.

The compiled expressions are put into the request under names that no API member has: `_condition`, `_update`, `_key`,
`_filter`, `_projection`, and `_values` beside them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from ....errors import AwsError
from ..attributes import check, text_size
from ..expressions import (
    ExpressionError,
    KeyConditionError,
    compile_condition,
    compile_key_condition,
    compile_projection,
    compile_update,
)
from ..model import MAX_EXPRESSION_SIZE, ValueRefused, invalid_parameters, validation_error

Request = dict[str, Any]

_alias = re.compile(r"#[A-Za-z0-9_]+").fullmatch
_reference = re.compile(r":[A-Za-z0-9_]+").fullmatch
_name = re.compile(r"[a-zA-Z0-9_.-]+").fullmatch
_arn = re.compile(
    r"arn:aws[a-z-]*:dynamodb:[a-z0-9-]+:[0-9]{12}:table/([a-zA-Z0-9_.-]+)(/index/[a-zA-Z0-9_.-]+)?"
).fullmatch

CONDITIONS = ("Expected", "QueryFilter", "ScanFilter")
MAX_PLACEHOLDER_SIZE = 255
TOO_LONG = "The expression attribute map contains a key that is too long"

_Compile = Callable[[str, tuple[tuple[str, str], ...]], Any]
Kinds = tuple[tuple[str, str, _Compile], ...]

KINDS: Kinds = (
    ("UpdateExpression", "_update", compile_update),
    ("ConditionExpression", "_condition", compile_condition),
    ("KeyConditionExpression", "_key", compile_key_condition),
    ("FilterExpression", "_filter", compile_condition),
    ("ProjectionExpression", "_projection", compile_projection),
)
CONDITION_FIRST: Kinds = (KINDS[1], KINDS[0])
"""The order in which UpdateItem looks for mistakes; a transaction's update is looked through in the other."""


def is_table_arn(text: str) -> bool:
    return _arn(text) is not None


@lru_cache(maxsize=4096)
def check_table_name(name: str) -> None:
    """A table's name, or its ARN."""
    if _name(name) and 3 <= len(name) <= 255:
        return
    if _arn(name):
        return
    if name.startswith("arn:"):
        raise validation_error("Invalid TableArn")
    broken = []
    if not _name(name):
        broken.append("Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+")
    if len(name) < 3:
        broken.append("Member must have length greater than or equal to 3")
    if len(name) > 255:
        broken.append("Member must have length less than or equal to 255")
    told = "; ".join(f"Value '{name}' at 'tableName' failed to satisfy constraint: {rule}" for rule in broken)
    noun = "error" if len(broken) == 1 else "errors"
    raise validation_error(f"{len(broken)} validation {noun} detected: {told}")


def in_older_words(validate: Callable[[Request], Request]) -> Callable[[Request], Request]:
    """A validation whose operation tells of values as the service did before 2026."""

    def validated(request: Request) -> Request:
        try:
            return validate(request)
        except ValueRefused as error:
            raise validation_error(error.older) from error

    return validated


def check_parameters(
    request: Request, expressions: Sequence[str], legacy: Sequence[str], names_null: bool = True
) -> None:
    """Expressions and the parameters that were before them don't go together."""
    used = [name for name in expressions if name in request]
    old = [name for name in legacy if name in request]
    if used and old:
        if "KeyConditions" in old and "KeyConditionExpression" not in request:
            old.remove("KeyConditions")
        if old:
            raise validation_error(
                "Can not use both expression and non-expression parameters in the same request: "
                f"Non-expression parameters: {{{', '.join(old)}}} Expression parameters: {{{', '.join(used)}}}"
            )
    if "ConditionalOperator" in request:
        _check_operator(request)
    if "ExpressionAttributeNames" in request and not used:
        raise validation_error("ExpressionAttributeNames can only be specified when using expressions")
    if "ExpressionAttributeValues" in request:
        with_values = [name for name in expressions if name != "ProjectionExpression"]
        if with_values and not any(name in request for name in with_values):
            verb = "are" if len(with_values) > 1 else "is"
            null = f": {' and '.join(with_values)} {verb} null" if names_null else ""
            raise validation_error(
                f"ExpressionAttributeValues can only be specified when using expressions{null}"
            )


def _check_operator(request: Request) -> None:
    conditions = next((request[name] for name in CONDITIONS if name in request), ())
    if not conditions:
        raise validation_error("ConditionalOperator cannot be used without Filter or Expected")
    if len(conditions) == 1:
        raise validation_error(
            "ConditionalOperator can only be used when Filter or Expected has two or more elements"
        )


def compile_expressions(request: Request, kinds: Kinds = KINDS) -> None:
    """Compile what expressions the request has, and check its placeholders: known, well formed, all used."""
    names, values = _placeholders(request)
    pairs = tuple(names.items())
    aliases: set[str] = set()
    references: set[str] = set()
    for parameter, target, compile in kinds:
        text = request.get(parameter)
        if text is None:
            continue
        compiled = _compiled(parameter, text, pairs, compile, values)
        aliases |= compiled.aliases
        if target != "_projection":
            references |= compiled.values
        request[target] = compiled
    if len(aliases) != len(names) or len(references) != len(values):
        _check_syntax(names, values)
        _refuse_unused("ExpressionAttributeNames", names, aliases)
        _refuse_unused("ExpressionAttributeValues", values, references)
    request["_values"] = values


def _placeholders(request: Request) -> tuple[dict[str, str], dict[str, Any]]:
    names: dict[str, str] | None = request.get("ExpressionAttributeNames")
    if names is not None and not names:
        raise validation_error("ExpressionAttributeNames must not be empty")
    if names is not None:
        _check_names(names)
    values: dict[str, Any] | None = request.get("ExpressionAttributeValues")
    if values is not None:
        if not values:
            raise validation_error("ExpressionAttributeValues must not be empty")
        if _too_long(values):
            raise validation_error(f"ExpressionAttributeValues contains invalid key: {TOO_LONG};")
        for key, value in values.items():
            try:
                check(value)
            except AwsError as error:
                _check_syntax(names or {}, values)
                raise ValueRefused(
                    error.message,
                    f"ExpressionAttributeValues contains invalid value: {older(error)} for key {key}",
                ) from error
    return names or {}, values or {}


def _check_names(names: Mapping[str, str]) -> None:
    long = _too_long(names)
    if long:
        raise validation_error(
            f"ExpressionAttributeNames contains invalid key: {TOO_LONG}; size of key: {text_size(long)}"
        )
    for key, name in names.items():
        if not name:
            raise validation_error(
                f"ExpressionAttributeNames contains invalid value: Empty attribute name for key {key}"
            )


def _too_long(placeholders: Mapping[str, Any]) -> str | None:
    """A placeholder that is longer than one may be."""
    return next((key for key in placeholders if text_size(key) > MAX_PLACEHOLDER_SIZE), None)


def older(error: AwsError) -> str:
    return error.older if isinstance(error, ValueRefused) else error.message


def _check_syntax(names: Mapping[str, str], values: Mapping[str, Any]) -> None:
    """Placeholders that an expression uses are well formed, so this is only asked when something else is wrong."""
    for parameter, given, well_formed in (
        ("ExpressionAttributeNames", names, _alias),
        ("ExpressionAttributeValues", values, _reference),
    ):
        for key in given:
            if not well_formed(key):
                raise validation_error(f'{parameter} contains invalid key: Syntax error; key: "{key}"')


def _compiled(
    parameter: str,
    text: str,
    names: tuple[tuple[str, str], ...],
    compile: _Compile,
    values: Mapping[str, Any],
) -> Any:
    if len(text) > MAX_EXPRESSION_SIZE and len(text.encode()) > MAX_EXPRESSION_SIZE:
        _check_syntax(dict(names), values)
        told = f"Invalid {parameter}: Expression size has exceeded the maximum allowed size;"
        size = f" expression size: {len(text.encode())}" if parameter == "ConditionExpression" else ""
        raise ValueRefused(told, told + size)
    try:
        compiled = compile(text, names)
        if parameter != "ProjectionExpression":
            compiled.check(values)
        return compiled
    except ExpressionError as error:
        _check_syntax(dict(names), values)
        raise validation_error(f"Invalid {parameter}: {error}") from error
    except KeyConditionError as error:
        raise validation_error(str(error)) from error


def _refuse_unused(parameter: str, given: Mapping[str, Any], used: set[str]) -> None:
    unused = [key for key in given if key not in used]
    if unused:
        raise validation_error(
            f"Value provided in {parameter} unused in expressions: keys: {{{', '.join(unused)}}}"
        )


def check_values(values: Mapping[str, Any]) -> None:
    for value in values.values():
        check(value)


def check_distinct_names(names: Sequence[str]) -> None:
    """AttributesToGet names each attribute once."""
    if len(set(names)) != len(names):
        twice = next(name for i, name in enumerate(names) if name in names[:i])
        raise invalid_parameters(f"Duplicate value in attribute name: {twice}")
