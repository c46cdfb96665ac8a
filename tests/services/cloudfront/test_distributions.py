"""CreateDistribution and its sisters, as the API tells them."""

from __future__ import annotations

import http.client
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.harness import Node
from tests.services.cloudfront.conftest import (
    OPTIMIZED,
    Cdn,
    Web,
    bucket,
    configuration,
    custom,
    listed,
    methods,
    remove,
)

Deploy = Callable[..., Cdn]
CERTIFICATE = {
    "ACMCertificateArn": "arn:aws:acm:us-east-1:000000000000:certificate/1", "SSLSupportMethod": "sni-only",
}  # fmt: skip


def refused(code: str, call: Callable[[], Any]) -> ClientError:
    with pytest.raises(ClientError) as error:
        call()
    assert error.value.response["Error"]["Code"] == code, error.value
    return error.value


class TestCreateDistribution:
    def test_gives_a_domain_name_and_is_deployed_soon(
        self, cf: Any, unique: Callable[[str], str], after: list[Any]
    ) -> None:
        made = cf.create_distribution(DistributionConfig=configuration(unique("r"), custom(80)))
        shown = made["Distribution"]
        after.append(lambda: remove(cf, shown["Id"]))
        assert shown["Status"] == "InProgress"
        assert shown["DomainName"] == f"{shown['Id'].lower()}.cloudfront.net"
        assert shown["ARN"] == f"arn:aws:cloudfront::000000000000:distribution/{shown['Id']}"
        assert made["Location"].endswith(f"/distribution/{shown['Id']}")
        cf.get_waiter("distribution_deployed").wait(Id=shown["Id"])
        found = cf.get_distribution(Id=shown["Id"])
        assert (found["Distribution"]["Status"], found["ETag"]) == ("Deployed", made["ETag"])

    def test_completes_the_configuration(self, cf: Any, deploy: Deploy) -> None:
        config = cf.get_distribution_config(Id=deploy(custom(80)).id)["DistributionConfig"]
        assert config["Aliases"] == {"Quantity": 0}
        assert config["ViewerCertificate"]["CloudFrontDefaultCertificate"] is True
        assert config["DefaultCacheBehavior"]["AllowedMethods"]["CachedMethods"]["Quantity"] == 2
        assert config["Origins"]["Items"][0]["CustomOriginConfig"]["OriginReadTimeout"] == 30
        assert config["PriceClass"] == "PriceClass_All"

    def test_wants_a_reference_of_its_own(self, cf: Any, deploy: Deploy) -> None:
        cdn = deploy(custom(80))
        config = cf.get_distribution_config(Id=cdn.id)["DistributionConfig"]
        refused("DistributionAlreadyExists", lambda: cf.create_distribution(DistributionConfig=config))

    def test_may_have_tags(self, cf: Any, unique: Callable[[str], str], after: list[Any]) -> None:
        made = cf.create_distribution_with_tags(
            DistributionConfigWithTags={
                "DistributionConfig": configuration(unique("r"), custom(80)),
                "Tags": {"Items": [{"Key": "a", "Value": "1"}]},
            }
        )["Distribution"]
        after.append(lambda: remove(cf, made["Id"]))
        cf.tag_resource(Resource=made["ARN"], Tags={"Items": [{"Key": "b", "Value": "2"}]})
        cf.untag_resource(Resource=made["ARN"], TagKeys={"Items": ["a"]})
        assert cf.list_tags_for_resource(Resource=made["ARN"])["Tags"]["Items"] == [
            {"Key": "b", "Value": "2"}
        ]
        gone = made["ARN"] + "X"
        refused("NoSuchResource", lambda: cf.list_tags_for_resource(Resource=gone))

    @pytest.mark.parametrize(
        ("code", "change"),
        [
            ("NoSuchOrigin", {"behavior": {"TargetOriginId": "other"}}),
            ("NoSuchCachePolicy", {"behavior": {"CachePolicyId": "other"}}),
            ("NoSuchOriginRequestPolicy", {"behavior": {"OriginRequestPolicyId": "other"}}),
            ("NoSuchResponseHeadersPolicy", {"behavior": {"ResponseHeadersPolicyId": "other"}}),
            ("InvalidArgument", {"behavior": {"CachePolicyId": ""}}),
            ("InvalidArgument", {"behavior": {"CachePolicyId": OPTIMIZED, "MinTTL": 0}}),
            ("InvalidArgument", {"behavior": {"AllowedMethods": methods("GET", "POST")}}),
            ("MalformedXML", {"behavior": {"ViewerProtocolPolicy": "gopher"}}),
            ("InvalidDefaultRootObject", {"DefaultRootObject": "/index.html"}),
            ("InconsistentQuantities", {"Aliases": {"Quantity": 2, "Items": ["a.example.com"]}}),
            ("InvalidViewerCertificate", {"Aliases": listed("a.example.com")}),
            ("InvalidErrorCode", {"CustomErrorResponses": listed({"ErrorCode": 418})}),
            ("InvalidArgument", {"CustomErrorResponses": listed({"ErrorCode": 404, "ResponseCode": "200"})}),
        ],
    )
    def test_refuses(self, code: str, change: dict[str, Any], cf: Any, unique: Callable[[str], str]) -> None:
        config = configuration(unique("r"), custom(80), **change)
        refused(code, lambda: cf.create_distribution(DistributionConfig=config))

    @pytest.mark.parametrize(
        ("code", "origin"),
        [
            ("InvalidArgument", {**custom(80), "DomainName": "http://a.example.com"}),
            ("InvalidOrigin", {**custom(80), "DomainName": "a/b"}),
            ("InvalidArgument", {**custom(80), "OriginPath": "a/"}),
            ("InvalidArgument", custom(81)),
            ("InvalidArgument", {**bucket("b"), "DomainName": "www.example.com"}),
            ("InvalidArgument", {"Id": "a", "DomainName": "www.example.com"}),
            ("InvalidOriginAccessControl", bucket("b", OriginAccessControlId="E0000000000000")),
            (
                "InvalidOriginAccessIdentity",
                bucket("b", S3OriginConfig={"OriginAccessIdentity": "origin-access-identity/cloudfront/E0"}),
            ),
            ("MalformedXML", {**custom(80), "CustomOriginConfig": {"HTTPPort": 80, "HTTPSPort": 443}}),
        ],
    )
    def test_refuses_an_origin(
        self, code: str, origin: dict[str, Any], cf: Any, unique: Callable[[str], str]
    ) -> None:
        config = configuration(unique("r"), origin)
        refused(code, lambda: cf.create_distribution(DistributionConfig=config))

    def test_says_what_is_missing(self, cf: Any) -> None:
        error = refused(
            "MalformedXML",
            lambda: cf.create_distribution(DistributionConfig={"CallerReference": "1", "Comment": ""}),
        )
        assert "Value null at 'distributionConfig.origins'" in str(error)

    @pytest.mark.parametrize(
        "part",
        [
            {
                "FunctionAssociations": listed(
                    {
                        "EventType": "viewer-request",
                        "FunctionARN": "arn:aws:cloudfront::000000000000:function/a",
                    }
                )
            },
            {"TrustedKeyGroups": {"Enabled": True, **listed("a")}},
            {"FieldLevelEncryptionId": "a"},
        ],
    )
    def test_says_what_is_not_built(
        self, part: dict[str, Any], cf: Any, unique: Callable[[str], str]
    ) -> None:
        config = configuration(unique("r"), custom(80), behavior=part)
        refused("UnsupportedOperation", lambda: cf.create_distribution(DistributionConfig=config))
        refused("UnsupportedOperation", lambda: cf.list_functions())


class TestUpdateDistribution:
    def test_wants_the_version(self, cf: Any, deploy: Deploy) -> None:
        cdn = deploy(custom(80))
        config = cf.get_distribution_config(Id=cdn.id)["DistributionConfig"]
        change = {"Id": cdn.id, "DistributionConfig": {**config, "Comment": "new"}}
        refused("InvalidIfMatchVersion", lambda: cf.update_distribution(**change))
        refused("PreconditionFailed", lambda: cf.update_distribution(**change, IfMatch="E0000000000000"))
        done = cf.update_distribution(**change, IfMatch=cdn.etag)
        assert done["ETag"] != cdn.etag
        assert done["Distribution"]["DistributionConfig"]["Comment"] == "new"
        refused("PreconditionFailed", lambda: cf.update_distribution(**change, IfMatch=cdn.etag))

    def test_does_not_change_the_reference(self, cf: Any, deploy: Deploy) -> None:
        cdn = deploy(custom(80))
        config = cf.get_distribution_config(Id=cdn.id)["DistributionConfig"] | {"CallerReference": "other"}
        change = {"Id": cdn.id, "IfMatch": cdn.etag, "DistributionConfig": config}
        refused("IllegalUpdate", lambda: cf.update_distribution(**change))

    def test_is_served_at_once_and_keeps_what_is_cached(self, cf: Any, web: Web, deploy: Deploy) -> None:
        cdn = deploy(custom(web.port))
        cdn.get()
        config = cf.get_distribution_config(Id=cdn.id)["DistributionConfig"] | {"DefaultRootObject": "page"}
        cf.update_distribution(Id=cdn.id, IfMatch=cdn.etag, DistributionConfig=config)
        assert cdn.get("/").result == "Hit"


class TestDeleteDistribution:
    def test_is_only_for_a_disabled_one(self, cf: Any, deploy: Deploy) -> None:
        cdn = deploy(custom(80))
        refused("DistributionNotDisabled", lambda: cf.delete_distribution(Id=cdn.id, IfMatch=cdn.etag))
        remove(cf, cdn.id)
        refused("NoSuchDistribution", lambda: cf.get_distribution(Id=cdn.id))
        refused("NoSuchDistribution", lambda: cf.delete_distribution(Id=cdn.id, IfMatch=cdn.etag))
        assert cdn.get().status == 403


class TestListDistributions:
    def test_has_pages(self, cf: Any, deploy: Deploy) -> None:
        ids = {deploy(custom(80)).id for _ in range(3)}
        pages = list(cf.get_paginator("list_distributions").paginate(PaginationConfig={"PageSize": 2}))
        found = [one for page in pages for one in page["DistributionList"].get("Items", [])]
        assert len(pages) > 1
        assert ids <= {one["Id"] for one in found}
        assert {one["Status"] for one in found} == {"Deployed"}

    def test_may_be_by_policy(self, cf: Any, deploy: Deploy, policy: Callable[..., str]) -> None:
        id = policy()
        cdn = deploy(custom(80), behavior={"CachePolicyId": id})
        listed_ids = cf.list_distributions_by_cache_policy_id(CachePolicyId=id)["DistributionIdList"]
        assert listed_ids["Items"] == [cdn.id]
        refused("NoSuchCachePolicy", lambda: cf.list_distributions_by_cache_policy_id(CachePolicyId="other"))


class TestAliases:
    def test_belong_to_one_distribution(
        self, cf: Any, web: Web, deploy: Deploy, unique: Callable[[str], str]
    ) -> None:
        name = f"{unique('www')}.example.com"
        own = {"Aliases": listed(name), "ViewerCertificate": CERTIFICATE}
        one = deploy(custom(web.port), **own)
        config = configuration(unique("r"), custom(80), **own)
        refused("CNAMEAlreadyExists", lambda: cf.create_distribution(DistributionConfig=config))
        two = deploy(custom(web.port), ViewerCertificate=CERTIFICATE)
        conflicts = cf.list_conflicting_aliases(DistributionId=two.id, Alias=name)["ConflictingAliasesList"]
        assert conflicts["Items"][0]["DistributionId"] == "*" * 9 + one.id[-5:]
        two.get()
        cf.associate_alias(TargetDistributionId=two.id, Alias=name)
        assert two.get(host=name).result == "Hit"
        assert cf.get_distribution_config(Id=one.id)["DistributionConfig"]["Aliases"] == {"Quantity": 0}

    def test_are_free_again_with_an_update(
        self, cf: Any, deploy: Deploy, unique: Callable[[str], str]
    ) -> None:
        own = {"Aliases": listed(f"{unique('www')}.example.com"), "ViewerCertificate": CERTIFICATE}
        cdn = deploy(custom(80), **own)
        config = cf.get_distribution_config(Id=cdn.id)["DistributionConfig"] | {"Aliases": listed()}
        cf.update_distribution(Id=cdn.id, IfMatch=cdn.etag, DistributionConfig=config)
        assert deploy(custom(80), **own).id != cdn.id


class TestCopyDistribution:
    def test_has_everything_but_the_names(
        self, cf: Any, deploy: Deploy, unique: Callable[[str], str], after: list[Any]
    ) -> None:
        own = {"Aliases": listed(f"{unique('www')}.example.com"), "ViewerCertificate": CERTIFICATE}
        cdn = deploy(custom(80), Comment="mine", **own)
        made = cf.copy_distribution(
            PrimaryDistributionId=cdn.id, IfMatch=cdn.etag, CallerReference=unique("copy"), Enabled=False
        )["Distribution"]
        after.append(lambda: remove(cf, made["Id"]))
        config = made["DistributionConfig"]
        assert (config["Comment"], config["Enabled"], config["Aliases"]["Quantity"]) == ("mine", False, 0)


def test_documents_are_of_cloudfronts_namespace(node: Node, deploy: Deploy, web: Web) -> None:
    cdn = deploy(custom(web.port))
    scope = "Credential=test/20260101/us-east-1/cloudfront/aws4_request, SignedHeaders=host, Signature=0"
    headers = {"Authorization": f"AWS4-HMAC-SHA256 {scope}", "X-Amz-Date": "20260101T000000Z"}
    for id, root in ((cdn.id, "Distribution"), ("E0", "ErrorResponse")):
        connection = http.client.HTTPConnection("127.0.0.1", node.port, timeout=20)
        connection.request("GET", f"/2020-05-31/distribution/{id}", headers=headers)
        text = connection.getresponse().read().decode()
        connection.close()
        assert f'<{root} xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/">' in text
