"""Function names as AWS takes them: a name, `name:qualifier`, a partial ARN, a full ARN."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from ...context import Context
from ...names import arn
from . import model

_REFERENCE = re.compile(
    r"(?:arn:aws[a-zA-Z-]*:lambda:)?"
    r"(?:(?P<region>[a-z]{2,4}(?:-[a-z]+)+-\d):)?"
    r"(?:(?P<account>\d{12}):)?"
    r"(?:function:)?"
    r"(?P<name>[a-zA-Z0-9-_.]+)"
    r"(?::(?P<qualifier>\$LATEST|[a-zA-Z0-9-_]+))?"
)
_PATTERN = (
    r"(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?"
    r"([a-zA-Z0-9-_]+)(:(\$LATEST|[a-zA-Z0-9-_]+))?"
)


class Reference(NamedTuple):
    """Which function, and which version or alias of it ("" when none is said)."""

    account: str
    region: str
    name: str
    qualifier: str

    @property
    def arn(self) -> str:
        """Without the qualifier."""
        return function_arn(self.account, self.region, self.name)

    @property
    def qualified(self) -> str:
        """With the qualifier, if there is one."""
        return f"{self.arn}:{self.qualifier}" if self.qualifier else self.arn


def function_arn(account: str, region: str, name: str, qualifier: str = "") -> str:
    resource = f"function:{name}:{qualifier}" if qualifier else f"function:{name}"
    return arn("lambda", region, account, resource)


@lru_cache(maxsize=4096)
def _parse(account: str, region: str, text: str, qualifier: str) -> Reference:
    match = _REFERENCE.fullmatch(text)
    if match is None:
        raise model.validation(
            text, "functionName", f"Member must satisfy regular expression pattern: {_PATTERN}"
        )
    theirs, inner = match["region"] or region, match["qualifier"] or ""
    if theirs != region:
        raise model.other_region(theirs, region)
    if inner and qualifier and inner != qualifier:
        raise model.qualifier_mismatch()
    return Reference(match["account"] or account, region, match["name"], inner or qualifier)


def parse(ctx: Context, name: str, qualifier: str = "") -> Reference:
    """The function that a request names, with its `Qualifier` if it has that member."""
    return _parse(ctx.account, ctx.region, name, qualifier)


def is_version(qualifier: str) -> bool:
    return qualifier.isdigit()
