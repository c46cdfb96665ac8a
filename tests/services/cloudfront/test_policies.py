"""Policies, access controls, access identities: kept, versioned, in use; response headers policies at work."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.harness import Node
from tests.services.cloudfront.conftest import (
    EVERY_METHOD,
    OPTIMIZED,
    Cdn,
    Reply,
    Web,
    bucket,
    custom,
    keys,
    listed,
    methods,
)
from tests.services.cloudfront.test_distributions import refused

Deploy = Callable[..., Cdn]


class TestManagedPolicies:
    def test_have_their_names_and_ids(self, cf: Any) -> None:
        found = cf.get_cache_policy(Id=OPTIMIZED)["CachePolicy"]["CachePolicyConfig"]
        assert (found["Name"], found["MinTTL"], found["DefaultTTL"]) == ("Managed-CachingOptimized", 1, 86400)
        for operation, member in (
            ("list_cache_policies", "CachePolicy"),
            ("list_origin_request_policies", "OriginRequestPolicy"),
            ("list_response_headers_policies", "ResponseHeadersPolicy"),
        ):
            items = getattr(cf, operation)(Type="managed")[f"{member}List"]["Items"]
            assert {item["Type"] for item in items} == {"managed"}
            names = [item[member][f"{member}Config"]["Name"] for item in items]
            assert len(items) >= 5
            assert all(name.startswith("Managed-") for name in names)

    def test_are_not_to_be_changed(self, cf: Any) -> None:
        found = cf.get_cache_policy_config(Id=OPTIMIZED)
        refused("IllegalDelete", lambda: cf.delete_cache_policy(Id=OPTIMIZED, IfMatch=found["ETag"]))
        change = {"Id": OPTIMIZED, "IfMatch": found["ETag"], "CachePolicyConfig": found["CachePolicyConfig"]}
        change["CachePolicyConfig"]["Name"] = "other"
        refused("IllegalUpdate", lambda: cf.update_cache_policy(**change))


class TestCachePolicies:
    def test_are_kept_and_served(self, cf: Any, web: Web, deploy: Deploy, policy: Any, node: Node) -> None:
        id = policy((1, 60, 60))
        cdn = deploy(custom(web.port), behavior={"CachePolicyId": id})
        found = cf.get_cache_policy(Id=id)
        assert found["CachePolicy"]["CachePolicyConfig"]["DefaultTTL"] == 60
        cdn.get()
        node.advance(61)
        cdn.get()
        assert len(web.seen) == 2

    def test_that_change_are_served_at_once(
        self, cf: Any, web: Web, deploy: Deploy, unique: Callable[[str], str], after: list[Any]
    ) -> None:
        config = {
            "Name": unique("p"), "MinTTL": 1, "ParametersInCacheKeyAndForwardedToOrigin": keys(queries=("a",)),
        }  # fmt: skip
        made = cf.create_cache_policy(CachePolicyConfig=config)
        id = made["CachePolicy"]["Id"]
        cdn = deploy(custom(web.port), behavior={"CachePolicyId": id})
        cdn.get("/page?b=1")
        assert cdn.get("/page?b=2").result == "Hit"
        config["ParametersInCacheKeyAndForwardedToOrigin"] = keys(queries=("b",))
        refused("InvalidIfMatchVersion", lambda: cf.update_cache_policy(Id=id, CachePolicyConfig=config))
        cf.update_cache_policy(Id=id, IfMatch=made["ETag"], CachePolicyConfig=config)
        assert cdn.get("/page?b=2").result == "Miss"
        etag = cf.get_cache_policy(Id=id)["ETag"]
        refused("CachePolicyInUse", lambda: cf.delete_cache_policy(Id=id, IfMatch=etag))
        after.insert(0, lambda: cf.delete_cache_policy(Id=id, IfMatch=etag))

    def test_have_names_of_their_own(self, cf: Any, policy: Callable[..., str]) -> None:
        config = cf.get_cache_policy_config(Id=policy())["CachePolicyConfig"]
        refused("CachePolicyAlreadyExists", lambda: cf.create_cache_policy(CachePolicyConfig=config))

    @pytest.mark.parametrize(
        ("code", "change"),
        [
            ("InvalidTTLOrder", {"MinTTL": 100, "DefaultTTL": 10, "MaxTTL": 10}),
            ("InvalidArgument", {"Name": "no spaces please"}),
            ("InvalidArgument", {"DefaultTTL": 0, "MaxTTL": 0}),
            ("TooManyQueryStringsInCachePolicy", {"queries": tuple(map(str, range(11)))}),
            ("TooManyHeadersInCachePolicy", {"headers": tuple(f"X-{n}" for n in range(11))}),
        ],
    )
    def test_refuse(self, code: str, change: dict[str, Any], cf: Any, unique: Callable[[str], str]) -> None:
        parts = {name: change.pop(name) for name in ("queries", "headers") if name in change}
        config = {
            "Name": unique("p"), "MinTTL": 0,
            "ParametersInCacheKeyAndForwardedToOrigin": keys(**(parts or {"queries": ("a",)})), **change,
        }  # fmt: skip
        refused(code, lambda: cf.create_cache_policy(CachePolicyConfig=config))


class TestOriginAccess:
    def test_controls_are_kept_and_in_use(
        self, cf: Any, deploy: Deploy, unique: Callable[[str], str], after: list[Any]
    ) -> None:
        config = {
            "Name": unique("c"), "SigningProtocol": "sigv4", "SigningBehavior": "always",
            "OriginAccessControlOriginType": "s3",
        }  # fmt: skip
        made = cf.create_origin_access_control(OriginAccessControlConfig=config)
        id = made["OriginAccessControl"]["Id"]
        refused(
            "OriginAccessControlAlreadyExists",
            lambda: cf.create_origin_access_control(OriginAccessControlConfig=config),
        )
        deploy(bucket("any-bucket", OriginAccessControlId=id))
        etag = made["ETag"]
        refused("OriginAccessControlInUse", lambda: cf.delete_origin_access_control(Id=id, IfMatch=etag))
        after.insert(0, lambda: cf.delete_origin_access_control(Id=id, IfMatch=etag))
        listed_controls = cf.list_origin_access_controls()["OriginAccessControlList"]["Items"]
        assert id in {one["Id"] for one in listed_controls}
        refused("NoSuchOriginAccessControl", lambda: cf.get_origin_access_control(Id="E0"))

    def test_identities_come_back_with_their_reference(
        self, cf: Any, unique: Callable[[str], str], after: list[Any]
    ) -> None:
        config = {"CallerReference": unique("i"), "Comment": "one"}
        made = cf.create_cloud_front_origin_access_identity(CloudFrontOriginAccessIdentityConfig=config)
        id = made["CloudFrontOriginAccessIdentity"]["Id"]
        again = cf.create_cloud_front_origin_access_identity(CloudFrontOriginAccessIdentityConfig=config)
        assert again["CloudFrontOriginAccessIdentity"]["Id"] == id
        other = {**config, "Comment": "two"}
        refused(
            "CloudFrontOriginAccessIdentityAlreadyExists",
            lambda: cf.create_cloud_front_origin_access_identity(CloudFrontOriginAccessIdentityConfig=other),
        )
        changed = cf.update_cloud_front_origin_access_identity(
            Id=id, IfMatch=made["ETag"], CloudFrontOriginAccessIdentityConfig=other
        )
        cf.delete_cloud_front_origin_access_identity(Id=id, IfMatch=changed["ETag"])
        refused(
            "NoSuchCloudFrontOriginAccessIdentity",
            lambda: cf.get_cloud_front_origin_access_identity_config(Id=id),
        )


def sharing(*origins: str, override: bool = True, credentials: bool = False) -> dict[str, Any]:
    return {
        "AccessControlAllowOrigins": listed(*origins),
        "AccessControlAllowHeaders": listed("X-A", "X-B"),
        "AccessControlAllowMethods": listed("GET", "POST"),
        "AccessControlAllowCredentials": credentials,
        "AccessControlExposeHeaders": listed("X-C"),
        "AccessControlMaxAgeSec": 60,
        "OriginOverride": override,
    }


class TestResponseHeadersPolicies:
    def test_add_and_remove_headers(self, web: Web, deploy: Deploy, response_policy: Any) -> None:
        web.replies["/page"] = Reply(headers={"X-Gone": "1", "X-Kept": "origin", "X-Replaced": "origin"})
        policy = response_policy(
            CustomHeadersConfig=listed(
                {"Header": "X-Kept", "Value": "policy", "Override": False},
                {"Header": "X-Replaced", "Value": "policy", "Override": True},
                {"Header": "Cache-Control", "Value": "no-store", "Override": True},
            ),
            RemoveHeadersConfig=listed({"Header": "X-Gone"}),
        )
        cdn = deploy(custom(web.port), behavior={"ResponseHeadersPolicyId": policy})
        for result in ("Miss", "Hit"):
            view = cdn.get()
            assert view.result == result
            assert "x-gone" not in view.headers
            assert (view.headers["x-kept"], view.headers["x-replaced"]) == ("origin", "policy")
            assert view.headers["cache-control"] == "no-store"

    def test_have_the_security_headers(self, web: Web, deploy: Deploy, response_policy: Any) -> None:
        policy = response_policy(
            SecurityHeadersConfig={
                "StrictTransportSecurity": {
                    "Override": True, "AccessControlMaxAgeSec": 60, "IncludeSubdomains": True, "Preload": True,
                },
                "ContentTypeOptions": {"Override": True},
                "FrameOptions": {"Override": True, "FrameOption": "DENY"},
                "XSSProtection": {"Override": True, "Protection": True, "ModeBlock": True},
                "ReferrerPolicy": {"Override": True, "ReferrerPolicy": "no-referrer"},
                "ContentSecurityPolicy": {"Override": True, "ContentSecurityPolicy": "default-src 'self'"},
            }
        )  # fmt: skip
        headers = deploy(custom(web.port), behavior={"ResponseHeadersPolicyId": policy}).get().headers
        assert headers["strict-transport-security"] == "max-age=60; includeSubDomains; preload"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["x-xss-protection"] == "1; mode=block"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["content-security-policy"] == "default-src 'self'"

    @pytest.mark.parametrize(
        ("allowed", "origin", "shared"),
        [
            (("*",), "http://a.com", "*"),
            (("http://a.com",), "http://a.com", "http://a.com"),
            (("http://a.com",), "https://a.com", None),
            (("https://*.a.com",), "https://b.a.com", "https://b.a.com"),
            (("b.com",), "http://b.com", "http://b.com"),
            (("b.com",), "http://c.com", None),
        ],
    )
    def test_share_with_other_origins(
        self, allowed: tuple[str, ...], origin: str, shared: str | None, web: Web, deploy: Deploy,
        response_policy: Any,
    ) -> None:  # fmt: skip
        policy = response_policy(CorsConfig=sharing(*allowed))
        cdn = deploy(custom(web.port), behavior={"ResponseHeadersPolicyId": policy})
        assert "access-control-allow-origin" not in cdn.get().headers
        view = cdn.get(origin=origin)
        assert (view.result, view.headers.get("access-control-allow-origin")) == ("Hit", shared)
        assert view.headers.get("access-control-expose-headers") == ("X-C" if shared else None)

    def test_answer_a_preflight(self, web: Web, deploy: Deploy, response_policy: Any) -> None:
        behavior = {
            "ResponseHeadersPolicyId": response_policy(CorsConfig=sharing("http://a.com", credentials=True)),
            "AllowedMethods": methods(*EVERY_METHOD),
        }
        cdn = deploy(custom(web.port), behavior=behavior)
        headers = cdn.get(
            method="OPTIONS", origin="http://a.com", access_control_request_method="POST"
        ).headers
        assert headers["access-control-allow-methods"] == "GET, POST"
        assert headers["access-control-allow-headers"] == "X-A, X-B"
        assert headers["access-control-max-age"] == "60"
        assert headers["access-control-allow-credentials"] == "true"

    def test_leave_the_origins_sharing_unless_told(
        self, web: Web, deploy: Deploy, response_policy: Any
    ) -> None:
        web.replies["/page"] = Reply(headers={"Access-Control-Allow-Origin": "http://mine"})
        for override, shared in ((False, "http://mine"), (True, "*")):
            policy = response_policy(CorsConfig=sharing("*", override=override))
            cdn = deploy(custom(web.port), behavior={"ResponseHeadersPolicyId": policy})
            assert cdn.get(origin="http://a.com").headers["access-control-allow-origin"] == shared

    def test_tell_what_the_cache_did(self, web: Web, deploy: Deploy, response_policy: Any) -> None:
        policy = response_policy(ServerTimingHeadersConfig={"Enabled": True, "SamplingRate": 100.0})
        cdn = deploy(custom(web.port), behavior={"ResponseHeadersPolicyId": policy})
        assert "cdn-cache-miss" in cdn.get().headers["server-timing"]
        assert "cdn-cache-hit" in cdn.get().headers["server-timing"]
