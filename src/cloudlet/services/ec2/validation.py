"""What can be told of EC2's requests without looking at anything else."""

from __future__ import annotations

from typing import Any

import orjson

from ...errors import AwsError
from . import model

Request = dict[str, Any]


def create_vpc(request: Request) -> Request:
    if request.get("AmazonProvidedIpv6CidrBlock") or "Ipv6CidrBlock" in request:
        raise model.no_ipv6()
    if "CidrBlock" not in request:
        raise AwsError("MissingParameter", "Either 'cidrBlock' or 'ipv4IpamPoolId' should be provided.")
    return request


def create_subnet(request: Request) -> Request:
    if "Ipv6CidrBlock" in request or request.get("Ipv6Native"):
        raise model.no_ipv6()
    if "CidrBlock" not in request:
        raise model.missing("cidrBlock")
    return request


def associate_vpc_cidr_block(request: Request) -> Request:
    if request.get("AmazonProvidedIpv6CidrBlock") or "Ipv6CidrBlock" in request:
        raise model.no_ipv6()
    if "CidrBlock" not in request:
        raise model.missing("cidrBlock")
    return request


def modify_vpc_attribute(request: Request) -> Request:
    changed = request.keys() & {
        "EnableDnsHostnames", "EnableDnsSupport", "EnableNetworkAddressUsageMetrics"
    }  # fmt: skip
    if not changed:
        raise AwsError("MissingParameter", "The request must contain exactly one attribute to modify.")
    if len(changed) > 1:
        raise model.invalid_combination("Only one attribute can be modified at a time.")
    return request


def create_tags(request: Request) -> Request:
    for tag in request["Tags"]:
        check_tag(tag)
    return request


def check_tag(tag: Request) -> None:
    key = tag.get("Key", "")
    if not key:
        raise model.missing("tagKey")
    if key.startswith("aws:"):
        raise model.invalid("Tag keys starting with 'aws:' are reserved for internal use")
    for what, text, longest in (
        ("key", key, model.TAG_KEY_MAX), ("value", tag.get("Value", ""), model.TAG_VALUE_MAX)
    ):  # fmt: skip
        if len(text) > longest:
            raise model.invalid(f"Tag {what} exceeds the maximum length of {longest} characters")


def create_vpc_endpoint(request: Request) -> Request:
    _check_policy(request)
    return request


modify_vpc_endpoint = create_vpc_endpoint


def _check_policy(request: Request) -> None:
    try:
        document = orjson.loads(request.get("PolicyDocument", "{}"))
    except orjson.JSONDecodeError:
        document = None
    if not isinstance(document, dict):
        raise model.bad_policy()
