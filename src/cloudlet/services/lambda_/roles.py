"""The roles that functions are given."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ...context import Context
from ...permissions import trust_in
from . import model
from .destinations import SERVICES, queue_url, service_of

SERVICE = "lambda.amazonaws.com"
TITLES = {"ec2": "EC2", "sns": "SNS", "sqs": "SQS"}

Call = tuple[str, str, dict[str, Any]]


async def check(ctx: Context, name: str, role: str, settings: dict[str, Any]) -> None:
    """Whether Lambda may take the role, and the role do what the function's settings ask of it. One that isn't there is
    let pass: such a function runs with the rights of its account, and says so."""
    trusted = await trust_in(ctx, role, SERVICE)
    if trusted is False:
        raise model.role_not_assumable()
    if not trusted:
        return
    as_role = await ctx.as_role(SERVICE, role, name[:64].ljust(2, "-"))
    for service, operation, params in _asked(settings):
        if not await as_role.permits(service, operation, params):
            raise model.role_may_not("provided", operation, TITLES[service])


def _asked(settings: dict[str, Any]) -> Iterator[Call]:
    if settings.get("VpcConfig", {}).get("SubnetIds"):
        yield "ec2", "CreateNetworkInterface", {}
    target = settings.get("DeadLetterConfig", {}).get("TargetArn")
    if target:
        yield sending(target)


def sending(target: str, services: Sequence[str] = SERVICES) -> Call:
    """What a role calls to send something to a destination."""
    service = service_of(target, services)
    if service == "s3":
        return service, "PutObject", {"Bucket": target.rpartition(":")[2], "Key": "aws/lambda/"}
    if service == "lambda":
        return service, "Invoke", {"FunctionName": target}
    if service == "sns":
        return service, "Publish", {"TopicArn": target}
    return service, "SendMessage", {"QueueUrl": queue_url(target)}
