"""A distribution as the edge serves it: its configuration compiled, with the policies that it refers to."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from ...context import Node
from ...names import arn
from . import model
from .behaviors import Behavior
from .origins import Origin
from .validation import items

Config = Mapping[str, Any]


class Distribution:
    def __init__(
        self, node: Node, record: Config, policies: Mapping[str, Config], controls: Mapping[str, Config]
    ) -> None:
        """`policies` and `controls`: configurations by id."""
        config = record["config"]
        self.id: str = record["id"]
        self.key = self.id.lower()
        self.enabled: bool = config["Enabled"]
        self.root: str = config["DefaultRootObject"]
        self.aliases: list[str] = items(config["Aliases"])
        digest = hashlib.sha256(self.id.encode()).hexdigest()[:32]
        self.via = f"1.1 {digest}.cloudfront.net (CloudFront)"
        own = arn("cloudfront", "", record["account"], f"distribution/{self.id}")
        self.origins = {
            origin["Id"]: Origin(
                node, origin, record["account"], own, controls.get(origin.get("OriginAccessControlId", ""))
            )
            for origin in items(config["Origins"])
        }
        groups = {
            group["Id"]: (
                tuple(member["OriginId"] for member in items(group["Members"])),
                frozenset(items(group["FailoverCriteria"]["StatusCodes"])),
            )
            for group in items(config["OriginGroups"])
        }
        self._behaviors = [Behavior(one, policies, groups) for one in items(config["CacheBehaviors"])]
        self._default = Behavior(config["DefaultCacheBehavior"], policies, groups)
        self.errors = {one["ErrorCode"]: one for one in items(config["CustomErrorResponses"])}

    def behavior(self, path: str) -> Behavior:
        """The first whose pattern fits, else the default one."""
        for behavior in self._behaviors:
            if behavior.pattern is not None and behavior.pattern.fullmatch(path):
                return behavior
        return self._default

    def error_minimum(self, status: int) -> float:
        rule = self.errors.get(status)
        return float(rule["ErrorCachingMinTTL"] if rule is not None else model.ERROR_TTL)
