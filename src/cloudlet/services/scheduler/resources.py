"""EventBridge Scheduler's CloudFormation types."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ...resources import Call, Params, Resource, View

PROPERTIES = (
    "Description", "EndDate", "FlexibleTimeWindow", "GroupName", "KmsKeyArn", "Name", "ScheduleExpression",
    "ScheduleExpressionTimezone", "StartDate", "State", "Target",
)  # fmt: skip
_GONE = frozenset({"ResourceNotFoundException"})


def _date(text: Any) -> Any:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() if isinstance(text, str) else text


def _schedule(view: View) -> Params:
    given = {name: view.new[name] for name in PROPERTIES if name in view.new}
    return given | {name: _date(given[name]) for name in ("StartDate", "EndDate") if name in given}


def _named(view: View) -> Params:
    group = {"GroupName": view.new["GroupName"]} if "GroupName" in view.new else {}
    return {"Name": view.id, **group}


def _tag(view: View) -> list[Params]:
    tags = view.new.get("Tags", [])
    return [{"ResourceArn": _arn(view), "Tags": tags}] if tags else []


def _untag(view: View) -> list[Params]:
    kept = {tag["Key"] for tag in view.new.get("Tags", [])}
    gone = [tag["Key"] for tag in view.old.get("Tags", []) if tag["Key"] not in kept]
    return [{"ResourceArn": _arn(view), "TagKeys": gone}] if gone else []


def _arn(view: View) -> str:
    env = view.env
    return f"arn:{env['partition']}:scheduler:{env['region']}:{env['account']}:schedule-group/{view.id}"


RESOURCES: dict[str, Resource] = {
    "AWS::Scheduler::Schedule": Resource(
        name="Name",
        name_max=64,
        required={"FlexibleTimeWindow", "ScheduleExpression", "Target"},
        create=[Call("scheduler", "CreateSchedule", _schedule)],
        update=[Call("scheduler", "UpdateSchedule", _schedule)],
        delete=[Call("scheduler", "DeleteSchedule", _named, gone=_GONE)],
        id="{Name}",
        attributes={"Arn": "{ScheduleArn}"},
        replace={"Name", "GroupName"},
    ),
    "AWS::Scheduler::ScheduleGroup": Resource(
        name="Name",
        name_max=64,
        create=[
            Call("scheduler", "CreateScheduleGroup"),
            Call("scheduler", "GetScheduleGroup", lambda view: {"Name": view.new["Name"]}),
        ],
        update=[
            Call("scheduler", "UntagResource", _untag, when={"Tags"}),
            Call("scheduler", "TagResource", _tag, when={"Tags"}),
        ],
        delete=[Call("scheduler", "DeleteScheduleGroup", lambda view: {"Name": view.id}, gone=_GONE)],
        id="{Name}",
        attributes={
            "Arn": "{ScheduleGroupArn}",
            "CreationDate": "{CreationDate:time}",
            "LastModificationDate": "{LastModificationDate:time}",
            "State": "{State}",
        },
        replace={"Name"},
    ),
}
