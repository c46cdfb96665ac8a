"""EC2's facts, as far as a VPC goes: zones, quotas, errors, what is not built, CloudFormation types.

Quotas are those of "Amazon VPC quotas" in the VPC User Guide; texts are as the service gives them.
"""

from __future__ import annotations

from ...errors import AwsError
from ...names import zones as zones
from .resources import RESOURCES as RESOURCES

UNSUPPORTED: dict[str, str] = {}
"""`aws/patches/ec2.json` names the operations that are here; all others are declined by its `others`."""

MIN_PREFIX, MAX_PREFIX = 16, 28
RESERVED_ADDRESSES = 5
MAX_ROUTES = 50
MAX_RULES = 60
MAX_CIDR_BLOCKS = 5
MAX_TAGS = 50
TAG_KEY_MAX, TAG_VALUE_MAX = 128, 256
PAGE = 1000

DEFAULT_VPC = "172.31.0.0/16"
ALL_IPV4 = "0.0.0.0/0"

REGIONS = (
    "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1", "ap-southeast-2",
    "ca-central-1", "eu-central-1", "eu-north-1", "eu-west-1", "eu-west-2", "eu-west-3", "sa-east-1", "us-east-1",
    "us-east-2", "us-west-1", "us-west-2",
)  # fmt: skip
"""Those that need no opt-in."""
_COMPASS = {"north": "n", "south": "s", "east": "e", "west": "w", "central": "c"}

GATEWAY_SERVICES = {"s3": "pl-63a5400a", "dynamodb": "pl-02cd2c6b"}
"""Services with gateway endpoints, and the ids of their prefix lists (those of us-east-1, everywhere)."""
PREFIX_CIDRS = {
    "s3": ["54.231.0.0/16", "52.216.0.0/15", "3.5.0.0/19"],
    "dynamodb": ["52.94.0.0/22", "52.119.224.0/20"],
}
INTERFACE_SERVICES = (
    "dynamodb", "ec2", "elasticache", "events", "execute-api", "kms", "lambda", "logs", "s3", "scheduler",
    "secretsmanager", "sns", "sqs", "ssm", "sts",
)  # fmt: skip

PROTOCOLS = {"6": "tcp", "17": "udp", "1": "icmp", "58": "icmpv6", "all": "-1"}

KINDS = {
    "acl": "network-acl",
    "eipalloc": "elastic-ip",
    "eni": "network-interface",
    "igw": "internet-gateway",
    "nat": "natgateway",
    "rtb": "route-table",
    "sg": "security-group",
    "sgr": "security-group-rule",
    "subnet": "subnet",
    "vpc": "vpc",
    "vpce": "vpc-endpoint",
}
"""By the beginning of an id: the kind of resource, as TagSpecification and DescribeTags name it."""

_NOUNS = {
    "elastic-ip": ("InvalidAllocationID", "The allocation ID"),
    "internet-gateway": ("InvalidInternetGatewayID", "The internetGateway ID"),
    "network-acl": ("InvalidNetworkAclID", "The networkAcl ID"),
    "network-interface": ("InvalidNetworkInterfaceID", "The networkInterface ID"),
    "route-table": ("InvalidRouteTableID", "The routeTable ID"),
    "security-group": ("InvalidGroup", "The security group"),
    "subnet": ("InvalidSubnetID", "The subnet ID"),
    "vpc": ("InvalidVpcID", "The vpc ID"),
    "vpc-endpoint": ("InvalidVpcEndpointId", "The Vpc Endpoint Id"),
}


def zone_id(zone: str) -> str:
    """us-east-1a is use1-az1. (Which letter is which zone differs from account to account; here it is in order.)"""
    region, letter = zone[:-1], zone[-1]
    area, way, number = region.split("-", 2)
    for word, short in _COMPASS.items():
        way = way.replace(word, short)
    return f"{area}{way}{number}-az{zones(region).index(zone) + 1 if zone in zones(region) else letter}"


def not_found(kind: str, id: str) -> AwsError:
    if kind == "natgateway":
        return AwsError("NatGatewayNotFound", f"NatGateway {id} was not found")
    if kind == "security-group-rule":
        return AwsError(
            "InvalidSecurityGroupRuleId.NotFound", f"The security group rule ID '{id}' does not exist"
        )
    code, noun = _NOUNS[kind]
    return AwsError(f"{code}.NotFound", f"{noun} '{id}' does not exist")


def malformed(kind: str, id: str) -> AwsError:
    start = next(start for start, named in KINDS.items() if named == kind)
    code = {"natgateway": "NatGateway", "security-group": "InvalidGroupId"}.get(kind) or _NOUNS[kind][0]
    return AwsError(f"{code}Malformed" if code == "NatGateway" else f"{code}.Malformed",
                    f'Invalid id: "{id}" (expecting "{start}-...")')  # fmt: skip


def no_such_resource(id: str) -> AwsError:
    return AwsError("InvalidID", f"The ID '{id}' is not valid")


def has_dependencies(kind: str, id: str) -> AwsError:
    if kind == "security-group":
        return AwsError("DependencyViolation", f"resource {id} has a dependent object")
    noun = {"internet-gateway": "internetGateway", "route-table": "routeTable"}.get(kind, kind)
    return AwsError("DependencyViolation", f"The {noun} '{id}' has dependencies and cannot be deleted.")


def dry_run() -> AwsError:
    return AwsError("DryRunOperation", "Request would have succeeded, but DryRun flag is set.", status=412)


def missing(parameter: str) -> AwsError:
    return AwsError("MissingParameter", f"The request must contain the parameter {parameter}")


def invalid(message: str) -> AwsError:
    return AwsError("InvalidParameterValue", message)


def invalid_combination(message: str) -> AwsError:
    return AwsError("InvalidParameterCombination", message)


def bad_policy() -> AwsError:
    return AwsError(
        "InvalidPolicyDocument", "The specified policy document is not a valid JSON policy document."
    )


def no_ipv6() -> AwsError:
    return AwsError("UnsupportedOperation", "Cloudlet's networks have no IPv6 addresses.")


def no_cidr(text: str, parameter: str = "cidrBlock") -> AwsError:
    return invalid(f"Value ({text}) for parameter {parameter} is invalid. This is not a valid CIDR block.")


def vpc_range(cidr: str) -> AwsError:
    return AwsError("InvalidVpc.Range", f"The CIDR '{cidr}' is invalid.")


def subnet_range(cidr: str) -> AwsError:
    return AwsError("InvalidSubnet.Range", f"The CIDR '{cidr}' is invalid.")


def subnet_conflict(cidr: str) -> AwsError:
    return AwsError("InvalidSubnet.Conflict", f"The CIDR '{cidr}' conflicts with another subnet")


def no_zone(zone: str, region: str) -> AwsError:
    return invalid(
        f"Value ({zone}) for parameter availabilityZone is invalid. Subnets can currently only be created in the "
        f"following availability zones: {', '.join(zones(region))}."
    )


def no_filter(name: str) -> AwsError:
    return invalid(f"The filter '{name}' is invalid")


def no_association(id: str) -> AwsError:
    return AwsError("InvalidAssociationID.NotFound", f"The association ID '{id}' does not exist")


def no_cidr_association(id: str) -> AwsError:
    return AwsError(
        "InvalidVpcCidrBlockAssociationID.NotFound",
        f"The vpc CIDR block association ID '{id}' does not exist",
    )
