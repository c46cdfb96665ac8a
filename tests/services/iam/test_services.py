"""What users need where resources have names of their own: networks, caches, distributions."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.harness import ACCOUNT, REGION

Ask = Callable[[str], Any]


class Person:
    def __init__(self, client: Callable[..., Any], name: str) -> None:
        self.iam, self.client, self.name = client("iam"), client, name
        self.iam.create_user(UserName=name)
        made = self.iam.create_access_key(UserName=name)["AccessKey"]
        self.keys = {
            "aws_access_key_id": made["AccessKeyId"],
            "aws_secret_access_key": made["SecretAccessKey"],
        }

    def may(self, action: str, *resources: str) -> None:
        statement = {"Effect": "Allow", "Action": action, "Resource": list(resources)}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self.iam.put_user_policy(UserName=self.name, PolicyName="own", PolicyDocument=document)

    def asks(self, service: str) -> Any:
        return self.client(service, **self.keys)


@pytest.fixture
def ann(client: Callable[..., Any], unique: Callable[[str], str]) -> Person:
    return Person(client, unique("ann"))


def test_networks(ann: Person, client: Callable[..., Any], refused: Any) -> None:
    arn = f"arn:aws:ec2:{REGION}:{ACCOUNT}"
    text = (
        f"You are not authorized to perform this operation. User: arn:aws:iam::{ACCOUNT}:user/{ann.name} is not"
        f" authorized to perform: ec2:CreateVpc on resource: {arn}:vpc/* because no identity-based policy allows the"
        " ec2:CreateVpc action"
    )
    with refused("UnauthorizedOperation", text, 403):
        ann.asks("ec2").create_vpc(CidrBlock="10.9.0.0/16")
    vpc = client("ec2").create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    ann.may("ec2:CreateSubnet", f"{arn}:subnet/*")
    with refused("UnauthorizedOperation", f"vpc/{vpc}"):
        ann.asks("ec2").create_subnet(VpcId=vpc, CidrBlock="10.9.1.0/24")
    ann.may("ec2:CreateSubnet", f"{arn}:subnet/*", f"{arn}:vpc/{vpc}")
    subnet = ann.asks("ec2").create_subnet(VpcId=vpc, CidrBlock="10.9.1.0/24")["Subnet"]["SubnetId"]
    client("ec2").delete_subnet(SubnetId=subnet)
    client("ec2").delete_vpc(VpcId=vpc)


def test_caches(ann: Person, unique: Callable[[str], str], refused: Any) -> None:
    name = unique("group")
    asked = {"CacheParameterGroupName": name, "CacheParameterGroupFamily": "valkey8", "Description": "x"}
    arn = f"arn:aws:elasticache:{REGION}:{ACCOUNT}:parametergroup:{name}"
    with refused("AccessDenied", f"elasticache:CreateCacheParameterGroup on resource: {arn} because", 403):
        ann.asks("elasticache").create_cache_parameter_group(**asked)
    ann.may("elasticache:*CacheParameterGroup", arn)
    ann.asks("elasticache").create_cache_parameter_group(**asked)
    ann.asks("elasticache").delete_cache_parameter_group(CacheParameterGroupName=name)


def test_distributions(ann: Person, refused: Any) -> None:
    arn = f"arn:aws:cloudfront::{ACCOUNT}:distribution/E123"
    with refused("AccessDenied", f"cloudfront:GetDistribution on resource: {arn} because", 403):
        ann.asks("cloudfront").get_distribution(Id="E123")
    ann.may("cloudfront:Get*", arn)
    with refused("NoSuchDistribution"):
        ann.asks("cloudfront").get_distribution(Id="E123")


def test_translations(ann: Person, refused: Any) -> None:
    asked = {"Text": "hello", "SourceLanguageCode": "en", "TargetLanguageCode": "en"}
    with refused("AccessDeniedException", "translate:TranslateText", 400):
        ann.asks("translate").translate_text(**asked)
    ann.may("translate:TranslateText", "*")
    ann.asks("translate").translate_text(**asked)
    with refused("AccessDeniedException", "comprehend:DetectDominantLanguage"):
        ann.asks("translate").translate_text(**{**asked, "SourceLanguageCode": "auto"})
