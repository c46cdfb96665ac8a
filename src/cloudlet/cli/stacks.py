"""Deploying a folder to a node, as `up` and `deploy` do: package, upload, create or update, wait, read the outputs."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import UserError
from ..packaging import Package, package
from .client import Client, StackError

CAPABILITIES = ("CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND")
LARGEST_BODY = 51_200
"""Bytes of TemplateBody: AWS CloudFormation quotas."""
GOOD = {"CREATE_COMPLETE", "UPDATE_COMPLETE"}
API_URL = re.compile(
    r"(?P<scheme>wss|https)://(?P<api>[a-z0-9]{8,12})\.execute-api\.[a-z0-9-]+\.amazonaws\.com(?P<path>/[^\s]*)?"
)
SITE_URL = re.compile(
    r"http://(?P<bucket>[a-z0-9][a-z0-9.-]+)\.s3-website[.-][a-z]{2}(?:-[a-z]+)+-[0-9]\.amazonaws\.com(?![\w.-])"
)
CDN_URL = re.compile(r"(?P<scheme>ws|http)s?://(?P<id>[a-z0-9]{13,14})\.cloudfront\.net(?![\w.-])")


@dataclass(slots=True)
class Deployed:
    stack: str
    status: str
    outputs: dict[str, str]
    changed: bool


def stack_name(path: Path, wanted: str | None) -> str:
    """The folder's name in the letters that a stack may have."""
    folder = path.absolute() if path.is_dir() else path.absolute().parent
    name = wanted or re.sub(r"[^A-Za-z0-9-]+", "-", folder.name).strip("-")
    return name if name[:1].isalpha() else f"stack-{name}"


def parameters_of(wishes: list[str]) -> dict[str, str]:
    parameters: dict[str, str] = {}
    for wish in wishes:
        name, equals, value = wish.partition("=")
        if not equals:
            raise UserError(f"--parameter {wish}: say NAME=VALUE")
        parameters[name] = value
    return parameters


def prepare(path: Path, say: Callable[[str], None]) -> Package:
    """Build what has to be built; needs no node."""
    return package(path, Path.home() / ".cache" / "cloudlet" / "build", say)


def deploy(
    client: Client, made: Package, stack: str, parameters: Mapping[str, str], say: Callable[[str], None]
) -> Deployed:
    """Create the stack, or update it if it is there; returns when it is done. Raises `UserError` with the reasons."""
    for artifact in made.artifacts:
        if client.upload(artifact.name, artifact.path.read_bytes()):
            say(f"uploaded {artifact.path.name[:12]} ({artifact.path.stat().st_size / 1024:,.0f} KB)")
    listening = client.events()
    next(listening, None)
    form = {"StackName": stack} | _template(client, made.template)
    form |= {f"Capabilities.member.{i}": name for i, name in enumerate(CAPABILITIES, 1)}
    for i, (name, value) in enumerate(parameters.items(), 1):
        form[f"Parameters.member.{i}.ParameterKey"] = name
        form[f"Parameters.member.{i}.ParameterValue"] = value
    if not _create_or_update(client, form):
        return _described(client, stack, changed=False)
    _follow(client, stack, listening, say)
    deployed = _described(client, stack, changed=True)
    if deployed.status not in GOOD:
        raise UserError(f"stack {stack} is {deployed.status}\n" + "\n".join(_reasons(client, stack)))
    return deployed


def _template(client: Client, text: str) -> dict[str, str]:
    """The template in the request, or, beyond what CloudFormation takes there, uploaded beside it."""
    content = text.encode()
    if len(content) <= LARGEST_BODY:
        return {"TemplateBody": text}
    name = f"{hashlib.sha256(content).hexdigest()}.template"
    client.upload(name, content)
    return {"TemplateURL": f"{client.endpoint}/_cloudlet/artifacts/{name}"}


def _create_or_update(client: Client, form: dict[str, str]) -> bool:
    """False when the stack is already as the template wants it."""
    try:
        client.cloudformation("CreateStack", form)
    except StackError as error:
        if error.code != "AlreadyExistsException":
            raise
        if _described(client, form["StackName"], changed=False).status == "ROLLBACK_COMPLETE":
            return _replace(client, form)
        try:
            client.cloudformation("UpdateStack", form)
        except StackError as refused:
            if "No updates are to be performed" in refused.message:
                return False
            raise
    return True


def _replace(client: Client, form: dict[str, str]) -> bool:
    """A stack whose creation was rolled back can only be deleted; then it is made anew."""
    listening = client.events()
    next(listening, None)
    client.cloudformation("DeleteStack", {"StackName": form["StackName"]})
    _follow(client, form["StackName"], listening, lambda line: None)
    client.cloudformation("CreateStack", form)
    return True


def delete(client: Client, stack: str, say: Callable[[str], None]) -> None:
    client.cloudformation("DescribeStacks", {"StackName": stack})
    listening = client.events()
    next(listening, None)
    client.cloudformation("DeleteStack", {"StackName": stack})
    _follow(client, stack, listening, say)


def _follow(client: Client, stack: str, events: Iterator[dict[str, Any]], say: Callable[[str], None]) -> None:
    """Wait for the event of the stack itself that ends it; say what fails and, in the end, how much was done."""
    if _settled(client, stack):
        return
    done = 0
    for event in events:
        if event["kind"] == "layer.install":
            say(f"installing {event['package']} for {event['runtime']} with pip (once)")
        if event["kind"] != "cfn.event" or event.get("stack") != stack:
            continue
        status = str(event.get("status", ""))
        if event.get("type") == "AWS::CloudFormation::Stack" and event.get("logical_id") == stack:
            if status.endswith(("_COMPLETE", "_FAILED")) and "CLEANUP" not in status:
                say(f"{status.lower().replace('_', ' ')}: {done} resource{'s' * (done != 1)}")
                return
        elif status.endswith("_FAILED"):
            say(
                f"{event.get('logical_id')} ({event.get('type')}) {status}: {event.get('reason') or 'no reason given'}"
            )
        elif status.endswith("_COMPLETE"):
            done += 1
    raise UserError(f"the node went away while stack {stack} was changing")


def _settled(client: Client, stack: str) -> bool:
    try:
        return not _described(client, stack, changed=False).status.endswith("_IN_PROGRESS")
    except StackError:
        return True


def _described(client: Client, stack: str, *, changed: bool) -> Deployed:
    root = client.cloudformation("DescribeStacks", {"StackName": stack})
    member = root.find("Stacks/member")
    if member is None:
        raise UserError(f"stack {stack} is gone")
    outputs = {
        output.findtext("OutputKey", ""): output.findtext("OutputValue", "")
        for output in member.iterfind("Outputs/member")
    }
    return Deployed(stack, member.findtext("StackStatus", ""), outputs, changed)


def _reasons(client: Client, stack: str) -> list[str]:
    root = client.cloudformation("DescribeStackEvents", {"StackName": stack})
    failed = [
        f"  {event.findtext('LogicalResourceId')}: {event.findtext('ResourceStatusReason')}"
        for event in root.iterfind("StackEvents/member")
        if event.findtext("ResourceStatus", "").endswith("_FAILED")
    ]
    return failed[::-1]


def local_url(value: str, endpoint: str) -> str:
    """An output with AWS's host names of APIs, distributions and websites turned into addresses of this machine."""
    home = endpoint.split("://", 1)[1].replace("127.0.0.1", "localhost")

    def here(match: re.Match[str]) -> str:
        scheme = "ws" if match["scheme"] == "wss" else "http"
        return f"{scheme}://{home}/_aws/execute-api/{match['api']}{match['path'] or ''}"

    value = SITE_URL.sub(rf"http://\g<bucket>.s3-website.{home}", value)
    value = CDN_URL.sub(rf"\g<scheme>://\g<id>.cloudfront.{home}", value)
    return API_URL.sub(here, value)
