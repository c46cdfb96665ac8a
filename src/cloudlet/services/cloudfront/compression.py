"""Compressing at the edge, as "Serve compressed files" tells it: some types, some sizes, brotli before gzip."""

from __future__ import annotations

import asyncio
import gzip
from importlib import import_module
from typing import Any

from . import model

_TYPES = """
application/dash+xml application/eot application/font application/font-sfnt application/javascript application/json
application/opentype application/otf application/pdf application/pkcs7-mime application/protobuf application/rss+xml
application/truetype application/ttf application/vnd.apple.mpegurl application/vnd.mapbox-vector-tile
application/vnd.ms-fontobject application/wasm application/xhtml+xml application/xml application/x-font-opentype
application/x-font-truetype application/x-font-ttf application/x-httpd-cgi application/x-javascript
application/x-mpegurl application/x-opentype application/x-otf application/x-perl application/x-ttf font/eot
font/opentype font/otf font/ttf image/svg+xml text/css text/csv text/html text/javascript text/js text/plain
text/richtext text/tab-separated-values text/xml text/x-component text/x-java-source text/x-script vnd.apple.mpegurl
"""
TYPES = frozenset(_TYPES.split())
IN_A_THREAD = 64 * 1024
"""A larger body isn't compressed on the loop."""


def wanted(status: int, headers: dict[str, str], size: int, encoding: str) -> bool:
    """Whether an answer (headers by lower-case names) is one that CloudFront compresses for such a viewer."""
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    return (
        bool(encoding)
        and status in (200, 403, 404)
        and model.COMPRESS_MIN <= size <= model.COMPRESS_MAX
        and kind in TYPES
        and "content-encoding" not in headers
        and "no-transform" not in headers.get("cache-control", "")
    )


async def compressed(body: bytes, encoding: str) -> tuple[bytes, str]:
    """The body, and the name of its encoding."""
    name = "br" if "br" in encoding else "gzip"
    squeeze = _brotli if name == "br" else _gzip
    if len(body) > IN_A_THREAD:
        return await asyncio.to_thread(squeeze, body), name
    return squeeze(body), name


def _gzip(body: bytes) -> bytes:
    return gzip.compress(body, 6, mtime=0)


def _brotli(body: bytes) -> bytes:
    brotli: Any = import_module("brotli")  # only when it is needed: most nodes never compress
    packed: bytes = brotli.compress(body, quality=5)
    return packed
