"""Validation of ExecuteStatement: the statement is parsed and its values are checked. (Batches and transactions tell
which of their statements is wrong, so their operations do it.)"""

from __future__ import annotations

from ..model import validation_error
from ..partiql import Exists, parse
from ..partiql.plans import bind
from .common import Request, check_table_name


def execute_statement(request: Request) -> Request:
    statement = parse(request["Statement"])
    if isinstance(statement, Exists):
        raise validation_error("EXISTS can only be used in ExecuteTransaction write requests.")
    check_table_name(statement.table)
    request["_bound"] = bind(statement, request.get("Parameters", ()))
    return request
