"""Mapping templates: Velocity with API Gateway's `$input`, `$context`, `$stageVariables` and `$util`.

The library is airspeed, imported at the first template: it costs 15 MB and few APIs have templates.
"""

from __future__ import annotations

import base64
import re
from functools import lru_cache
from typing import Any
from urllib.parse import quote_plus, unquote_plus

import orjson

from . import velocity
from .scope import NOT_JSON, Scope, parse_json

_STEP = re.compile(r"\.([A-Za-z0-9_$-]+)|\[(\d+|\*|'[^']*'|\"[^\"]*\")\]|\.(\*)")
_ESCAPES = {
    '"': '\\"',
    "\\": "\\\\",
    "'": "\\'",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\b": "\\b",
    "\f": "\\f",
    "/": "\\/",
}


class TemplateFailed(Exception):
    """The template can't be read, or failed while it was applied."""


@lru_cache(maxsize=256)
def compiled(text: str) -> Any:
    import airspeed  # heavy, see above

    airspeed.__additional_methods__[str].update(velocity.TEXT_METHODS)
    return airspeed.Template(text)


def render(text: str, scope: Scope, body: bytes) -> bytes:
    """Apply a template; `$input` is `body`."""
    namespace = {
        "input": Input(body, scope),
        "context": velocity.wrap({**scope.context, **scope.extra}),
        "stageVariables": velocity.wrap(dict(scope.session.stage.variables)),
        "util": Util(),
    }
    try:
        result: str = compiled(text).merge(namespace)
    except Exception as error:
        raise TemplateFailed(f"{type(error).__name__}: {error}") from error
    return result.encode()


def json_path(value: Any, path: str) -> Any:
    """The parts of JSONPath that mapping templates use: `$`, `.name`, `['name']`, `[0]`, `[*]`, `.*`."""
    if not path.startswith("$"):
        raise ValueError(f"a JSONPath starts with $: {path}")
    found, at, many = [value], 1, False
    while at < len(path):
        step = _STEP.match(path, at)
        if step is None:
            raise ValueError(f"unsupported JSONPath {path} at {at}")
        at = step.end()
        name = step[1] or step[2] or step[3]
        if name == "*":
            many = True
            found = [item for one in found for item in _all_of(one)]
        elif step[2] and name.isdigit():
            found = [one[int(name)] for one in found if isinstance(one, list) and int(name) < len(one)]
        else:
            key = name.strip("'\"") if step[2] else name
            found = [one[key] for one in found if isinstance(one, dict) and key in one]
    if many:
        return found
    return found[0] if found else None


def _all_of(value: Any) -> list[Any]:
    if isinstance(value, list):
        return value
    return list(value.values()) if isinstance(value, dict) else []


class Input:
    """`$input`."""

    def __init__(self, body: bytes, scope: Scope) -> None:
        self._bytes = body
        self._scope = scope

    @property
    def body(self) -> str:
        return self._bytes.decode(errors="replace")

    def path(self, path: str) -> Any:
        """`$input.path('$.a')`: the value."""
        parsed = parse_json(self._bytes or b"{}")
        return None if parsed is NOT_JSON else velocity.wrap(json_path(parsed, path))

    def json(self, path: str) -> str:
        """`$input.json('$.a')`: its JSON."""
        parsed = parse_json(self._bytes or b"{}")
        found = None if parsed is NOT_JSON else json_path(parsed, path)
        return '""' if found is None else orjson.dumps(found).decode()

    def params(self, name: str | None = None) -> Any:
        """`$input.params()` has header, path and querystring; `$input.params('x')` looks for x in them."""
        shake = self._scope.handshake
        query = shake.query if shake else {}
        headers = shake.headers if shake else {}
        every = velocity.wrap({"path": {}, "querystring": query, "header": headers})
        if name is None:
            return every
        if name in every:
            return every[name]
        return query.get(name) or (shake.lowered.get(name.lower(), "") if shake else "")


class Util:
    """`$util`."""

    def escapeJavaScript(self, text: Any) -> str:
        return "".join(_ESCAPES.get(char, char) for char in str(text))

    def parseJson(self, text: str) -> Any:
        return velocity.wrap(orjson.loads(text))

    def urlEncode(self, text: str) -> str:
        return quote_plus(str(text))

    def urlDecode(self, text: str) -> str:
        return unquote_plus(str(text))

    def base64Encode(self, text: str) -> str:
        return base64.b64encode(str(text).encode()).decode()

    def base64Decode(self, text: str) -> str:
        return base64.b64decode(str(text)).decode(errors="replace")
