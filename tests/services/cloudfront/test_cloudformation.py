"""Distributions, policies and access controls in stacks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.harness import Node
from tests.services.cloudformation.conftest import Stacks
from tests.services.cloudfront.conftest import Cdn
from tests.services.cloudfront.test_distributions import refused

TEMPLATE = """
Resources:
  Site:
    Type: AWS::S3::Bucket
  Access:
    Type: AWS::CloudFront::OriginAccessControl
    Properties:
      OriginAccessControlConfig:
        Name: !Sub "${AWS::StackName}-access"
        OriginAccessControlOriginType: s3
        SigningBehavior: always
        SigningProtocol: sigv4
  Minute:
    Type: AWS::CloudFront::CachePolicy
    Properties:
      CachePolicyConfig:
        Name: !Sub "${AWS::StackName}-minute"
        MinTTL: 1
        DefaultTTL: %(ttl)s
        MaxTTL: 600
        ParametersInCacheKeyAndForwardedToOrigin:
          EnableAcceptEncodingGzip: true
          EnableAcceptEncodingBrotli: true
          HeadersConfig: {HeaderBehavior: none}
          CookiesConfig: {CookieBehavior: none}
          QueryStringsConfig: {QueryStringBehavior: whitelist, QueryStrings: [v]}
  Forward:
    Type: AWS::CloudFront::OriginRequestPolicy
    Properties:
      OriginRequestPolicyConfig:
        Name: !Sub "${AWS::StackName}-forward"
        HeadersConfig: {HeaderBehavior: whitelist, Headers: [Referer]}
        CookiesConfig: {CookieBehavior: all}
        QueryStringsConfig: {QueryStringBehavior: all}
  Headers:
    Type: AWS::CloudFront::ResponseHeadersPolicy
    Properties:
      ResponseHeadersPolicyConfig:
        Name: !Sub "${AWS::StackName}-headers"
        CustomHeadersConfig:
          Items: [{Header: X-Hello, Value: %(hello)s, Override: true}]
        CorsConfig:
          AccessControlAllowOrigins: {Items: ["*"]}
          AccessControlAllowHeaders: {Items: ["*"]}
          AccessControlAllowMethods: {Items: [GET]}
          AccessControlAllowCredentials: false
          OriginOverride: true
  Identity:
    Type: AWS::CloudFront::CloudFrontOriginAccessIdentity
    Properties:
      CloudFrontOriginAccessIdentityConfig: {Comment: mine}
  Cdn:
    Type: AWS::CloudFront::Distribution
    Properties:
      Tags: [{Key: team, Value: %(hello)s}]
      DistributionConfig:
        Enabled: true
        DefaultRootObject: index.html
        HttpVersion: http2and3
        IPV6Enabled: true
        Origins:
          - Id: site
            DomainName: !GetAtt Site.RegionalDomainName
            OriginAccessControlId: !GetAtt Access.Id
            S3OriginConfig: {}
            OriginCustomHeaders: [{HeaderName: X-From, HeaderValue: cdn}]
          - Id: api
            DomainName: !Sub "abcdefghij.execute-api.${AWS::Region}.amazonaws.com"
            CustomOriginConfig: {OriginProtocolPolicy: https-only, OriginSSLProtocols: [TLSv1.2]}
        OriginGroups:
          Quantity: 1
          Items:
            - Id: both
              FailoverCriteria: {StatusCodes: {Quantity: 1, Items: [500]}}
              Members: {Quantity: 2, Items: [{OriginId: site}, {OriginId: api}]}
        DefaultCacheBehavior:
          TargetOriginId: both
          ViewerProtocolPolicy: allow-all
          AllowedMethods: [GET, HEAD, OPTIONS]
          CachedMethods: [GET, HEAD]
          Compress: true
          CachePolicyId: !Ref Minute
          OriginRequestPolicyId: !Ref Forward
          ResponseHeadersPolicyId: !Ref Headers
        CacheBehaviors:
          - PathPattern: /live
            TargetOriginId: api
            ViewerProtocolPolicy: redirect-to-https
            ForwardedValues: {QueryString: true, Headers: [Origin], Cookies: {Forward: none}}
        CustomErrorResponses:
          - {ErrorCode: 403, ResponseCode: 200, ResponsePagePath: /index.html, ErrorCachingMinTTL: 5}
        Restrictions: {GeoRestriction: {RestrictionType: whitelist, Locations: [DE, FR]}}
        ViewerCertificate: {CloudFrontDefaultCertificate: true}
  Policy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref Site
      PolicyDocument:
        Statement:
          - Effect: Allow
            Principal: {Service: cloudfront.amazonaws.com}
            Action: "s3:GetObject"
            Resource: !Sub "${Site.Arn}/*"
            Condition:
              StringEquals:
                "AWS:SourceArn": !Sub "arn:aws:cloudfront::${AWS::AccountId}:distribution/${Cdn}"
Outputs:
  Domain: {Value: !GetAtt Cdn.DomainName}
  Id: {Value: !Ref Cdn}
  Site: {Value: !Ref Site}
  Minute: {Value: !Ref Minute}
  Identity: {Value: !Ref Identity}
  User: {Value: !GetAtt Identity.S3CanonicalUserId}
"""


@pytest.fixture
def stacks(client: Callable[..., Any]) -> Stacks:
    return Stacks(client("cloudformation"))


class TestAStack:
    def test_serves_a_bucket(
        self, stacks: Stacks, node: Node, client: Callable[..., Any], cf: Any, unique: Callable[[str], str]
    ) -> None:
        name = unique("cdn")
        stacks.create(name, TEMPLATE % {"ttl": 60, "hello": "one"})
        outputs = stacks.outputs(name)
        cdn = Cdn(
            node.port, outputs["Id"], "", f"arn:aws:cloudfront::000000000000:distribution/{outputs['Id']}"
        )
        assert outputs["Domain"] == f"{outputs['Id'].lower()}.cloudfront.net"
        identity = cf.get_cloud_front_origin_access_identity(Id=outputs["Identity"])
        assert identity["CloudFrontOriginAccessIdentity"]["S3CanonicalUserId"] == outputs["User"]
        s3 = client("s3")
        s3.put_object(Bucket=outputs["Site"], Key="index.html", Body=b"<p>hello", ContentType="text/html")
        page = cdn.get("/")
        assert (page.status, page.body, page.headers["x-hello"]) == (200, b"<p>hello", "one")
        assert cdn.get("/nothing").body == b"<p>hello"
        assert cdn.get("/live").status == 301
        self.check_configuration(cf, outputs["Id"])

        stacks.update(name, TEMPLATE % {"ttl": 30, "hello": "two"})
        assert cdn.get("/").headers["x-hello"] == "two"
        policy = cf.get_cache_policy(Id=outputs["Minute"])["CachePolicy"]["CachePolicyConfig"]
        assert policy["DefaultTTL"] == 30
        tags = cf.list_tags_for_resource(Resource=cdn.arn)["Tags"]["Items"]
        assert {tag["Key"]: tag["Value"] for tag in tags}["team"] == "two"

        s3.delete_object(Bucket=outputs["Site"], Key="index.html")
        stacks.delete(name)
        refused("NoSuchDistribution", lambda: cf.get_distribution(Id=outputs["Id"]))
        refused("NoSuchCachePolicy", lambda: cf.get_cache_policy(Id=outputs["Minute"]))

    def check_configuration(self, cf: Any, id: str) -> None:
        config = cf.get_distribution_config(Id=id)["DistributionConfig"]
        site, api = config["Origins"]["Items"]
        assert site["CustomHeaders"]["Items"] == [{"HeaderName": "X-From", "HeaderValue": "cdn"}]
        assert api["CustomOriginConfig"]["HTTPSPort"] == 443
        assert config["DefaultCacheBehavior"]["AllowedMethods"]["CachedMethods"]["Quantity"] == 2
        assert config["CacheBehaviors"]["Items"][0]["ForwardedValues"]["Headers"]["Items"] == ["Origin"]
        assert config["Restrictions"]["GeoRestriction"]["Items"] == ["DE", "FR"]
        assert config["CustomErrorResponses"]["Items"][0]["ResponseCode"] == "200"
        assert (config["HttpVersion"], config["IsIPV6Enabled"]) == ("http2and3", True)

    def test_says_which_property_is_wrong(self, stacks: Stacks, unique: Callable[[str], str]) -> None:
        name = unique("cdn")
        wrong = (TEMPLATE % {"ttl": 60, "hello": "a"}).replace("PathPattern: /live", "PathPatern: /live")
        assert stacks.create(name, wrong)["StackStatus"] == "ROLLBACK_COMPLETE"
        failed = [event for event in stacks.events(name) if event[:2] == ("Cdn", "CREATE_FAILED")]
        assert "extraneous key [PathPatern] is not permitted" in failed[0][2]
        stacks.delete(name)
