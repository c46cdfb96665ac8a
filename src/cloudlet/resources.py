"""How CloudFormation's resource types are declared: data in the service that owns them, read by `cloudformation`.

    RESOURCES = {
        "AWS::DynamoDB::Table": Resource(
            name="TableName",
            create=[Call("dynamodb", "CreateTable", result="TableDescription")],
            update=[Call("dynamodb", "UpdateTable", lambda r: {...}, when={"BillingMode"})],
            delete=[Call("dynamodb", "DeleteTable", lambda r: {"TableName": r.id}, gone={"ResourceNotFoundException"})],
            id="{TableName}",
            attributes={"Arn": "{TableArn}", "StreamArn": "{LatestStreamArn}"},
            replace={"TableName", "KeySchema"},
        ),
    }

Values are coerced to the types of the operation's input shape (a template's "5" becomes 5, "true" becomes True), and
members that the shape doesn't have are an error that names the property.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class View:
    """What a `Call`'s function sees: the resource as it is wanted, as it was, and what its creation answered."""

    new: dict[str, Any]
    """Properties from the template, intrinsic functions resolved, the generated name filled in."""
    old: dict[str, Any] = field(default_factory=dict)
    """The properties of the stack's last state; {} at creation."""
    made: dict[str, Any] = field(default_factory=dict)
    """The members of the create calls' results (top level of `result`), later calls over earlier ones."""
    id: str = ""
    """The physical id, once there is one."""
    env: dict[str, str] = field(default_factory=dict)
    """account, region, partition, url_suffix, stack_name, stack_id, logical_id; in a deletion whose policy is Snapshot
    the name for one: snapshot."""

    def changed(self, *names: str) -> bool:
        return any(self.new.get(name) != self.old.get(name) for name in names)


Params = Mapping[str, Any]


@dataclass(slots=True, frozen=True)
class Call:
    """One operation, through the inner door. `params` gives its input, or a list of inputs for several calls, or an
    empty list for none; without it the properties themselves are the input (those in `drop` left out)."""

    service: str
    operation: str
    params: Callable[[View], Params | Sequence[Params]] | None = None
    drop: frozenset[str] | set[str] = frozenset()
    result: str = ""
    """The member of the output whose members go to `made`; "" is the output itself."""
    when: frozenset[str] | set[str] | None = None
    """In an update: only if one of these properties changed."""
    gone: frozenset[str] | set[str] = frozenset()
    """Error codes that mean it is already as wanted (deleting what is not there)."""


@dataclass(slots=True, frozen=True)
class Resource:
    create: Sequence[Call]
    delete: Sequence[Call] = ()
    update: Sequence[Call] = ()
    id: str = ""
    """The physical id (`Ref`), a format over properties, `made` and env: "{ApiId}", "{FunctionName}"."""
    attributes: Mapping[str, str] = field(default_factory=dict)
    """`Fn::GetAtt` names, formats as `id`."""
    replace: frozenset[str] | set[str] = frozenset()
    """Properties whose change needs a new resource."""
    name: str = ""
    """The property that names it; without one given, CloudFormation makes `{stack}-{logical}-{12 random}`."""
    name_max: int = 255
    lower_case: bool = False
    """Whether a generated name has to be in lower case."""
    required: frozenset[str] | set[str] = frozenset()
    ignore: frozenset[str] | set[str] = frozenset()
    """Properties that are accepted and have no effect here; they stand in the docs."""
