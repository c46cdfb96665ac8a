"""Validation of ExecuteStatement: the statement is parsed and its values are checked. (Batches and transactions tell
which of their statements is wrong, so their operations do it.)"""

from __future__ import annotations

from .common import Request, check_table_name


def execute_statement(request: Request) -> Request:
    from ..partiql.plans import (
        prepare,
        refuse_exists,
    )  # not before the first statement: see operations/partiql.py

    bound = prepare(request)
    refuse_exists(bound)
    check_table_name(bound.statement.table)
    request["_bound"] = bound
    return request
