"""What permission and signature checks add to a request: GetItem as a role with a policy, beside the administrator's.

The administrator isn't asked and his signature isn't verified. Measured is the processor time of the node's process, a
request; so other load on the machine doesn't count.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.credentials import Credentials

from bench import load
from bench.table import Figure
from tests.harness import ACCOUNT, REGION, Node

KEYS = 2000
ROUNDS = 3
TABLE = "bench"
ARN = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{TABLE}"


@dataclass(frozen=True)
class Cost:
    micros: float
    per_second: float


def figures(folder: Path, seconds: float) -> list[Figure]:
    node = Node(folder / "permissions")
    try:
        _fill(node)
        plain = _allow("dynamodb:GetItem", ARN)
        asked = {
            "a policy": _requests(node, _session(node, "plain", plain)),
            "20 statements, a condition": _requests(node, _session(node, "many", *_many())),
        }
        administrator = _requests(node, Credentials("test", "test"))
        _measure(node, administrator, seconds / 4)
        costs: dict[str, list[Cost]] = {name: [] for name in ("off", *asked)}
        for _ in range(ROUNDS):
            costs["off"].append(_measure(node, administrator, seconds / ROUNDS))
            for name, requests in asked.items():
                costs[name].append(_measure(node, requests, seconds / ROUNDS))
        off = min(costs["off"], key=lambda cost: cost.micros)
        return [_figure(name, off, min(costs[name], key=lambda cost: cost.micros)) for name in asked]
    finally:
        node.stop()


def _figure(name: str, off: Cost, on: Cost) -> Figure:
    floor = f"on {on.micros:.1f} µs and {on.per_second:,.0f}/s, off {off.micros:.1f} µs and {off.per_second:,.0f}/s"
    added = on.micros - off.micros
    return Figure(f"Permission and signature of a role with {name} add", added, "µs", 60, True, floor)


def _measure(node: Node, requests: Sequence[bytes], seconds: float) -> Cost:
    before = _processor(node.pid)
    result = load.run(node.port, requests, connections=32, seconds=seconds)
    assert result.errors == 0, f"{result.errors} errors"
    done = result.per_second * seconds
    return Cost((_processor(node.pid) - before) / done * 1e6, result.per_second)


def _processor(pid: int) -> float:
    """Seconds of processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _requests(node: Node, credentials: Credentials) -> list[bytes]:
    headers = {
        "Content-Type": "application/x-amz-json-1.0",
        "X-Amz-Target": "DynamoDB_20120810.GetItem",
    }
    bodies = [json.dumps({"TableName": TABLE, "Key": _key(n)}).encode() for n in range(KEYS)]
    return [
        load.signed(node.endpoint, "POST", "/", headers, body, "dynamodb", credentials) for body in bodies
    ]


def _session(node: Node, name: str, *statements: dict[str, Any]) -> Credentials:
    iam = node.client("iam")
    trust = _allow("sts:AssumeRole", Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"})
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=_document(trust))["Role"]["Arn"]
    iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=_document(*statements))
    made = node.client("sts").assume_role(RoleArn=role, RoleSessionName="bench")["Credentials"]
    return Credentials(made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"])


def _many() -> list[dict[str, Any]]:
    others = [_allow(f"service{n}:*", f"arn:aws:service{n}:::thing/*") for n in range(19)]
    here = {"StringEquals": {"aws:RequestedRegion": REGION}, "IpAddress": {"aws:SourceIp": "127.0.0.0/8"}}
    return [*others, _allow("dynamodb:Get*", f"{ARN}*", Condition=here)]


def _allow(action: str, resource: str = "", **more: Any) -> dict[str, Any]:
    about = {"Resource": resource} if resource else {}
    return {"Effect": "Allow", "Action": action, **about, **more}


def _document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def _key(n: int) -> dict[str, object]:
    return {"id": {"S": f"user{n}"}}


def _fill(node: Node) -> None:
    client = node.client("dynamodb")
    client.create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    )
    for at in range(0, KEYS, 25):
        items = [{**_key(n), "name": {"S": f"The user with number {n}"}} for n in range(at, at + 25)]
        client.batch_write_item(RequestItems={TABLE: [{"PutRequest": {"Item": item}} for item in items]})
