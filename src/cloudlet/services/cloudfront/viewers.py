"""What CloudFront tells an origin about a viewer: the CloudFront-* headers.

Where a viewer is, nobody can tell from an address of one's own machine, so the headers about places are left out, as
CloudFront leaves out what it doesn't know.
"""

from __future__ import annotations

import re

from ...net.messages import Request

_MOBILE = re.compile(r"Mobile|iPhone|iPod|Android.*Mobile|Windows Phone|Opera Mini", re.IGNORECASE)
_TABLET = re.compile(r"iPad|Tablet|Kindle|Silk|PlayBook|Android(?!.*Mobile)", re.IGNORECASE)
_TV = re.compile(r"SmartTV|SMART-TV|AppleTV|GoogleTV|HbbTV|BRAVIA|Roku|CrKey|Web0S|Tizen.*TV", re.IGNORECASE)
_SPELLINGS = {
    "android": "Android", "asn": "ASN", "http": "Http", "ios": "IOS", "ja3": "JA3", "ja4": "JA4", "smarttv": "SmartTV",
    "tls": "TLS", "cloudfront": "CloudFront",
}  # fmt: skip


def spelt(name: str) -> str:
    """The usual spelling of a CloudFront header."""
    return "-".join(_SPELLINGS.get(word, word.capitalize()) for word in name.split("-"))


def header(request: Request, name: str) -> str:
    """The value of a header in the key: the viewer's, or CloudFront's own; "" if there is none."""
    if not name.startswith("cloudfront-"):
        return request.headers.get(name, "")
    agent = request.headers.get("user-agent", "")
    if name == "cloudfront-forwarded-proto":
        return request.scheme
    if name == "cloudfront-viewer-address":
        return f"{request.peer[0]}:{request.peer[1]}"
    if name == "cloudfront-viewer-http-version":
        return request.http_version
    return _device(name, agent)


def _device(name: str, agent: str) -> str:
    television = _TV.search(agent) is not None
    tablet = not television and _TABLET.search(agent) is not None
    mobile = not television and not tablet and _MOBILE.search(agent) is not None
    facts = {
        "cloudfront-is-android-viewer": "Android" in agent,
        "cloudfront-is-desktop-viewer": not (television or tablet or mobile),
        "cloudfront-is-ios-viewer": re.search(r"iPhone|iPad|iPod", agent) is not None,
        "cloudfront-is-mobile-viewer": mobile,
        "cloudfront-is-smarttv-viewer": television,
        "cloudfront-is-tablet-viewer": tablet,
    }
    fact = facts.get(name)
    return "" if fact is None else "true" if fact else "false"
