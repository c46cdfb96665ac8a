"""Schedules of EventBridge Scheduler: how late they reach a queue on an idle node, beside a bare timer of the loop."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.table import Figure
from tests.harness import ACCOUNT, REGION, Node

PER_SECOND = 4
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "scheduler.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}


def figures(folder: Path, seconds: float) -> list[Figure]:
    node = Node(folder / "schedules")
    try:
        times = _plan(node, max(1, round(seconds)))
        late = sorted(_lateness(node, len(times)))
        floor = sorted(asyncio.run(_timers(times)))
        notes = f"bare timers of a loop: p50 {_middle(floor):.1f} ms, max {floor[-1]:.1f} ms"
        return [
            Figure("a schedule is late in its queue, idle node, p50", _middle(late), "ms", 100, True, notes),
            Figure("a schedule is late in its queue, idle node, max", late[-1], "ms", 100, True, notes),
        ]
    finally:
        node.stop()


def _middle(values: list[float]) -> float:
    return values[len(values) // 2]


def _plan(node: Node, seconds: int) -> list[float]:
    """One-time schedules in the next seconds; their times."""
    iam = node.client("iam")
    role = iam.create_role(RoleName="bench", AssumeRolePolicyDocument=json.dumps(TRUST))
    iam.attach_role_policy(RoleName="bench", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    node.client("sqs").create_queue(QueueName="bench")
    scheduler = node.client("scheduler")
    begin = int(time.time()) + 2
    times = [begin + second for second in range(seconds) for _ in range(PER_SECOND)]
    for number, moment in enumerate(times):
        wall = datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S")
        scheduler.create_schedule(
            Name=f"bench-{number}",
            ScheduleExpression=f"at({wall})",
            FlexibleTimeWindow={"Mode": "OFF"},
            Target={
                "Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:bench",
                "RoleArn": role["Role"]["Arn"],
                "Input": str(moment),
            },
        )
    time.sleep(max(0.0, times[-1] + 1 - time.time()))
    return [float(moment) for moment in times]


def _lateness(node: Node, count: int) -> list[float]:
    """Milliseconds between each schedule's time and its message's."""
    sqs = node.client("sqs")
    late: list[float] = []
    while len(late) < count:
        answer: dict[str, Any] = sqs.receive_message(
            QueueUrl=f"http://localhost/{ACCOUNT}/bench",
            MaxNumberOfMessages=10,
            WaitTimeSeconds=5,
            AttributeNames=["SentTimestamp"],
        )
        messages = answer.get("Messages", [])
        assert messages, f"{len(late)} of {count} schedules came"
        late += [int(one["Attributes"]["SentTimestamp"]) - int(one["Body"]) * 1000 for one in messages]
    return late


async def _timers(times: list[float]) -> list[float]:
    """Milliseconds by which timers of a plain loop are late."""

    async def late(delay: float) -> float:
        due = time.time() + delay
        await asyncio.sleep(delay)
        return (time.time() - due) * 1e3

    return list(await asyncio.gather(*(late((moment - times[0]) / 4 + 0.1) for moment in times)))
