"""The policies that AWS manages, with the ids under which every account has them. Data only.

Their settings are those of "Use managed cache policies" and of its two sisters for origin requests and response
headers in the Developer Guide.
"""

from __future__ import annotations

from typing import Any

Config = dict[str, Any]

_DAY, _YEAR = 86_400, 31_536_000


def _some(kind: str, names: tuple[str, ...]) -> Config:
    return {kind: {"Quantity": len(names), "Items": list(names)}} if names else {}


def _cache(
    name: str,
    ttl: tuple[int, int, int],
    *,
    headers: tuple[str, ...] = (),
    cookies: str = "none",
    queries: str = "none",
    query_names: tuple[str, ...] = (),
    encodings: tuple[bool, bool] = (True, True),
) -> Config:
    return {
        "Name": f"Managed-{name}",
        "Comment": "",
        "MinTTL": ttl[0],
        "DefaultTTL": ttl[1],
        "MaxTTL": ttl[2],
        "ParametersInCacheKeyAndForwardedToOrigin": {
            "EnableAcceptEncodingGzip": encodings[0],
            "EnableAcceptEncodingBrotli": encodings[1],
            "HeadersConfig": {
                "HeaderBehavior": "whitelist" if headers else "none",
                **_some("Headers", headers),
            },
            "CookiesConfig": {"CookieBehavior": cookies},
            "QueryStringsConfig": {"QueryStringBehavior": queries, **_some("QueryStrings", query_names)},
        },
    }


def _origin(
    name: str, headers: str = "none", cookies: str = "none", queries: str = "none", *names: str
) -> Config:
    return {
        "Name": f"Managed-{name}",
        "Comment": "",
        "HeadersConfig": {"HeaderBehavior": headers, **_some("Headers", names)},
        "CookiesConfig": {"CookieBehavior": cookies},
        "QueryStringsConfig": {"QueryStringBehavior": queries},
    }


_METHODS = ("Host", "Origin", "X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override")
_CORS = ("Origin", "Access-Control-Request-Headers", "Access-Control-Request-Method")
_CLOUDFRONT = (
    "CloudFront-Forwarded-Proto", "CloudFront-Is-Android-Viewer", "CloudFront-Is-Desktop-Viewer",
    "CloudFront-Is-IOS-Viewer", "CloudFront-Is-Mobile-Viewer", "CloudFront-Is-SmartTV-Viewer",
    "CloudFront-Is-Tablet-Viewer", "CloudFront-Viewer-Address", "CloudFront-Viewer-ASN", "CloudFront-Viewer-City",
    "CloudFront-Viewer-Country", "CloudFront-Viewer-Country-Name", "CloudFront-Viewer-Country-Region",
    "CloudFront-Viewer-Country-Region-Name", "CloudFront-Viewer-Http-Version", "CloudFront-Viewer-Latitude",
    "CloudFront-Viewer-Longitude", "CloudFront-Viewer-Metro-Code", "CloudFront-Viewer-Postal-Code",
    "CloudFront-Viewer-Time-Zone", "CloudFront-Viewer-TLS",
)  # fmt: skip

CACHE: dict[str, Config] = {
    "658327ea-f89d-4fab-a63d-7e88639e58f6": _cache("CachingOptimized", (1, _DAY, _YEAR)),
    "b2884449-e4de-46a7-ac36-70bc7f1ddd6d": _cache(
        "CachingOptimizedForUncompressedObjects", (1, _DAY, _YEAR), encodings=(False, False)
    ),
    "4135ea2d-6df8-44a3-9df3-4b5a84be39ad": _cache("CachingDisabled", (0, 0, 0), encodings=(False, False)),
    "08627262-05a9-4f76-9ded-b50ca2e3a84f": _cache(
        "Elemental-MediaPackage", (0, _DAY, _YEAR), headers=("Origin",), queries="whitelist",
        query_names=("aws.manifestfilter", "start", "end", "m"), encodings=(True, False),
    ),
    "2e54312d-136d-493c-8eb9-b001f22f67d2": _cache(
        "Amplify", (2, 2, 600), headers=("Authorization", "CloudFront-Viewer-Country", "Host"), cookies="all",
        queries="all",
    ),
    "83da9c7e-98b4-4e11-a168-04f0df8e2c65": _cache(
        "UseOriginCacheControlHeaders", (0, 0, _YEAR), headers=_METHODS, cookies="all"
    ),
    "4cc15a8a-d715-48a4-82b8-cc0b614638fe": _cache(
        "UseOriginCacheControlHeaders-QueryStrings", (0, 0, _YEAR), headers=_METHODS, cookies="all", queries="all"
    ),
}  # fmt: skip

ORIGIN_REQUEST: dict[str, Config] = {
    "216adef6-5c7f-47e4-b989-5492eafa07d3": _origin("AllViewer", "allViewer", "all", "all"),
    "b689b0a8-53d0-40ab-baf2-68738e2966ac": _origin(
        "AllViewerExceptHostHeader", "allExcept", "all", "all", "Host"
    ),
    "33f36d7e-f396-46d9-90e0-52428a34d9dc": _origin(
        "AllViewerAndCloudFrontHeaders-2022-06", "allViewerAndWhitelistCloudFront", "all", "all", *_CLOUDFRONT
    ),
    "59781a5b-3903-41f3-afcb-af62929ccde1": _origin(
        "CORS-CustomOrigin", "whitelist", "none", "none", "Origin"
    ),
    "88a5eaf4-2fd4-4709-b370-b4c650ea3fcf": _origin("CORS-S3Origin", "whitelist", "none", "none", *_CORS),
    "775133bc-15f2-49f9-abea-afb2e0bf67d2": _origin(
        "Elemental-MediaTailor-PersonalizedManifests", "whitelist", "none", "all",
        *_CORS, "User-Agent", "X-Forwarded-For",
    ),
    "bf0718e1-ba1e-49d1-88b1-f726733018ae": _origin("HostHeaderOnly", "whitelist", "none", "none", "Host"),
    "acba4595-bd28-49b8-b9fe-13317c0390fa": _origin(
        "UserAgentRefererHeaders", "whitelist", "none", "none", "User-Agent", "Referer"
    ),
}  # fmt: skip


def _cors(methods: tuple[str, ...] = ("GET", "HEAD", "OPTIONS"), *, expose: bool = False) -> Config:
    config: Config = {
        "AccessControlAllowOrigins": {"Quantity": 1, "Items": ["*"]},
        "AccessControlAllowHeaders": {"Quantity": 1, "Items": ["*"]},
        "AccessControlAllowMethods": {"Quantity": len(methods), "Items": list(methods)},
        "AccessControlAllowCredentials": False,
        "OriginOverride": False,
    }
    if expose:
        config["AccessControlExposeHeaders"] = {"Quantity": 1, "Items": ["*"]}
    return config


_EVERY_METHOD = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
_SECURITY: Config = {
    "XSSProtection": {"Override": False, "Protection": True, "ModeBlock": True},
    "FrameOptions": {"Override": False, "FrameOption": "SAMEORIGIN"},
    "ReferrerPolicy": {"Override": False, "ReferrerPolicy": "strict-origin-when-cross-origin"},
    "ContentTypeOptions": {"Override": True},
    "StrictTransportSecurity": {
        "Override": False, "IncludeSubdomains": False, "Preload": False, "AccessControlMaxAgeSec": _YEAR,
    },
}  # fmt: skip


def _response(name: str, **parts: Config) -> Config:
    return {"Name": f"Managed-{name}", "Comment": "", **parts}


RESPONSE_HEADERS: dict[str, Config] = {
    "60669652-455b-4ae9-85a4-c4c02393f86c": _response("SimpleCORS", CorsConfig=_cors()),
    "5cc3b908-e619-4b99-88e5-2cf7f45965bd": _response(
        "CORS-With-Preflight", CorsConfig=_cors(_EVERY_METHOD, expose=True)
    ),
    "67f7725c-6f97-4210-82d7-5512b31e9d03": _response(
        "SecurityHeadersPolicy", SecurityHeadersConfig=_SECURITY
    ),
    "e61eb60c-9c35-4d20-a928-2b84e02af89c": _response(
        "CORS-and-SecurityHeadersPolicy", CorsConfig=_cors(), SecurityHeadersConfig=_SECURITY
    ),
    "eaab4381-ed33-4a86-88ca-d9558dc6cd63": _response(
        "CORS-with-preflight-and-SecurityHeadersPolicy",
        CorsConfig=_cors(_EVERY_METHOD, expose=True),
        SecurityHeadersConfig=_SECURITY,
    ),
}
