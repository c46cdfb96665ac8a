"""Response headers policies compiled: what is removed from, and added to, an answer on its way to the viewer."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from ...net.messages import Request

Config = Mapping[str, Any]
Headers = list[tuple[str, str]]

_CORS_PREFIX = "access-control-"


class Dressing:
    __slots__ = ("_added", "_cors", "_removed", "_timing")

    def __init__(
        self, added: list[tuple[str, str, bool]], removed: frozenset[str], cors: Config | None, timing: float
    ) -> None:
        """`added`: name, value, and whether it takes the place of the origin's."""
        self._added = added
        self._removed = removed
        self._cors = cors
        self._timing = timing

    @staticmethod
    def of(policy: Config) -> Dressing:
        added = _security(policy.get("SecurityHeadersConfig") or {})
        for one in (policy.get("CustomHeadersConfig") or {}).get("Items") or ():
            added.append((one["Header"], one["Value"], one["Override"]))
        removed = (policy.get("RemoveHeadersConfig") or {}).get("Items") or ()
        timing = policy.get("ServerTimingHeadersConfig") or {}
        rate = float(timing.get("SamplingRate", 0.0)) if timing.get("Enabled") else 0.0
        return Dressing(
            added, frozenset(one["Header"].lower() for one in removed), policy.get("CorsConfig"), rate
        )

    def varies(self, request: Request) -> bool:
        """Whether what it does depends on the request."""
        return self._timing > 0 or (self._cors is not None and "origin" in request.headers)

    def apply(self, headers: Headers, request: Request, result: str) -> Headers:
        kept = [(name, value) for name, value in headers if name.lower() not in self._removed]
        for name, value, override in self._added:
            kept = _put(kept, name, value, override)
        if self._cors is not None and "origin" in request.headers:
            kept = self._share(kept, request, self._cors)
        if self._timing and random.random() * 100 < self._timing:
            kept.append(("Server-Timing", _timing(result)))
        return kept

    def _share(self, headers: Headers, request: Request, cors: Config) -> Headers:
        """CORS: with override the policy's headers alone, else the origin's if it has any."""
        origin = request.headers["origin"]
        if cors["OriginOverride"]:
            headers = [(name, value) for name, value in headers if not name.lower().startswith(_CORS_PREFIX)]
        elif any(name.lower().startswith(_CORS_PREFIX) for name, _ in headers):
            return headers
        allowed = cors["AccessControlAllowOrigins"]["Items"]
        if "*" in allowed and not cors["AccessControlAllowCredentials"]:
            shared = "*"
        elif "*" in allowed or any(_matches(one, origin) for one in allowed):
            shared = origin
            headers = [*headers, ("Vary", "Origin")]
        else:
            return headers
        headers = [*headers, ("Access-Control-Allow-Origin", shared)]
        if cors["AccessControlAllowCredentials"]:
            headers.append(("Access-Control-Allow-Credentials", "true"))
        exposed = (cors.get("AccessControlExposeHeaders") or {}).get("Items")
        if exposed:
            headers.append(("Access-Control-Expose-Headers", ", ".join(exposed)))
        if request.method == "OPTIONS" and "access-control-request-method" in request.headers:
            headers += _preflight(cors)
        return headers


def _preflight(cors: Config) -> Headers:
    methods = cors["AccessControlAllowMethods"]["Items"]
    if "ALL" in methods:
        methods = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"]
    headers = [
        ("Access-Control-Allow-Methods", ", ".join(methods)),
        ("Access-Control-Allow-Headers", ", ".join(cors["AccessControlAllowHeaders"]["Items"])),
    ]
    if "AccessControlMaxAgeSec" in cors:
        headers.append(("Access-Control-Max-Age", str(cors["AccessControlMaxAgeSec"])))
    return headers


def _matches(allowed: str, origin: str) -> bool:
    """An allowed origin may lack the scheme, and have a `*` as its first label."""
    scheme, _, host = origin.rpartition("://")
    wanted_scheme, _, wanted = allowed.rpartition("://")
    if wanted_scheme and wanted_scheme != scheme:
        return False
    if wanted.startswith("*."):
        return host.endswith(wanted[1:])
    return host == wanted


def _security(config: Config) -> list[tuple[str, str, bool]]:
    added = []
    if part := config.get("StrictTransportSecurity"):
        value = f"max-age={part['AccessControlMaxAgeSec']}"
        value += "; includeSubDomains" if part.get("IncludeSubdomains") else ""
        value += "; preload" if part.get("Preload") else ""
        added.append(("Strict-Transport-Security", value, part["Override"]))
    if part := config.get("ContentTypeOptions"):
        added.append(("X-Content-Type-Options", "nosniff", part["Override"]))
    if part := config.get("FrameOptions"):
        added.append(("X-Frame-Options", part["FrameOption"], part["Override"]))
    if part := config.get("XSSProtection"):
        value = "1" if part["Protection"] else "0"
        value += "; mode=block" if part.get("ModeBlock") else ""
        value += f"; report={part['ReportUri']}" if part.get("ReportUri") else ""
        added.append(("X-XSS-Protection", value, part["Override"]))
    if part := config.get("ReferrerPolicy"):
        added.append(("Referrer-Policy", part["ReferrerPolicy"], part["Override"]))
    if part := config.get("ContentSecurityPolicy"):
        added.append(("Content-Security-Policy", part["ContentSecurityPolicy"], part["Override"]))
    return added


def _put(headers: Headers, name: str, value: str, override: bool) -> Headers:
    lower = name.lower()
    if any(given.lower() == lower for given, _ in headers):
        if not override:
            return headers
        headers = [(given, one) for given, one in headers if given.lower() != lower]
    return [*headers, (name, value)]


def _timing(result: str) -> str:
    outcome = "cdn-cache-hit" if result in ("Hit", "RefreshHit") else "cdn-cache-miss"
    refresh = ",cdn-cache-refresh" if result == "RefreshHit" else ""
    return f'{outcome}{refresh},cdn-pop;desc="LCL50-C1",cdn-rid;desc="-"'
