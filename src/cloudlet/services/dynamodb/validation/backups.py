"""Requests that restore tables: what can be said without the backup."""

from __future__ import annotations

from ..model import invalid_parameters
from .common import Request
from .tables import check_bounds


def restored(request: Request) -> Request:
    throughput = request.get("ProvisionedThroughputOverride")
    if throughput is not None:
        check_bounds(throughput)
    elif request.get("BillingModeOverride") == "PROVISIONED":
        raise invalid_parameters(
            "ProvisionedThroughputOverride must be specified when BillingModeOverride is PROVISIONED"
        )
    return request


restore_table_from_backup = restored
restore_table_to_point_in_time = restored
