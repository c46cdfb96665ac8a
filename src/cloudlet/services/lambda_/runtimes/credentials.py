"""The role of a function, assumed as Lambda assumes it: the temporary credentials that the function runs with, and who
Lambda is when it acts for the function (reads its queues, sends its dead letters)."""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

from cloudlet.context import Context, Node, Principal
from cloudlet.errors import AwsError
from cloudlet.names import arn

from .. import model
from ..spec import FunctionSpec
from .environment import Credentials
from .once import Once

Key = tuple[str, str, str]

MARGIN = 60.0
"""Seconds that credentials must still be good for, beyond the function's timeout, when a worker starts with them."""


class Assumed(NamedTuple):
    credentials: Credentials
    principal: Principal | None
    """None: the account itself."""


class CredentialCache:
    """One set per role and function; workers that start at once wait for the same answer."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._known: Once[Key, Assumed] = Once()
        self._told: set[Key] = set()

    async def get(self, spec: FunctionSpec) -> Credentials:
        return (await self._get(spec)).credentials

    async def context(self, spec: FunctionSpec) -> Context:
        """A context that acts as the function's role."""
        principal = (await self._get(spec)).principal
        return self._node.context(principal, account=spec.account, region=spec.region)

    async def _get(self, spec: FunctionSpec) -> Assumed:
        key = (spec.account, spec.role, spec.name)
        wanted = self._node.clock.now() + spec.timeout + MARGIN
        return await self._known.get(
            key, partial(self._assume, spec, key), lambda known: known.credentials.expires >= wanted
        )

    def forget(self, account: str, name: str) -> None:
        self._known.forget(lambda key: key[0] == account and key[2] == name)

    async def _assume(self, spec: FunctionSpec, key: Key) -> Assumed:
        function = arn("lambda", spec.region, spec.account, f"function:{spec.name}")
        principal = Principal("service", spec.account, "lambda.amazonaws.com", function)
        context = self._node.context(principal, account=spec.account, region=spec.region)
        try:
            answer = await context.call(
                "sts", "AssumeRole", {"RoleArn": spec.role, "RoleSessionName": spec.name[:64].ljust(2, "-")}
            )
        except AwsError as error:
            if await self._node.runtimes["iam"].trust(spec.role) is not None:
                raise model.role_distrusts() from error
            return Assumed(self._fallback(spec, key, error), None)
        keys: dict[str, Any] = answer["Credentials"]
        who: dict[str, str] = answer["AssumedRoleUser"]
        return Assumed(
            Credentials(
                keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], float(keys["Expiration"])
            ),
            Principal("role", spec.account, who["Arn"], who["AssumedRoleId"], keys["AccessKeyId"], spec.role),
        )

    def _fallback(self, spec: FunctionSpec, key: Key, error: AwsError) -> Credentials:
        """A role that is not there: the function runs as its account, and that is said, once."""
        if key not in self._told:
            self._told.add(key)
            text = f"{spec.name} runs with the rights of its account: role {spec.role} can't be assumed ({error})"
            self._node.log.warning("%s", text)
            self._node.events.emit("lambda.log", function=spec.name, line=text + "\n")
        own = spec.account == self._node.config.account
        again = self._node.clock.now() + spec.timeout + MARGIN + 60.0  # then the role may be there
        return Credentials("test" if own else spec.account, "test", "", again)
