"""Which service and which operation a request is for.

In this order: the header X-Amz-Target (JSON services); `Action` in a form body or query string (query services); the
path against the URI templates of the REST services. The service is the one that the request was signed for; of an
unsigned request the one that has the target's prefix, the version, the host name or, last, the path.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import chain
from types import MappingProxyType
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote

from ..errors import AwsError
from ..net.messages import Request
from .model import Model, Models, Operation, known_services, patch_of, protocol_of

NO_HEADERS: Mapping[str, str] = MappingProxyType({})
FORM = "application/x-www-form-urlencoded"


class Match(NamedTuple):
    model: Model
    operation: Operation
    labels: dict[str, str]
    """What the path's variables stand for."""
    form: dict[str, str] | None = None
    """The parameters of a query request, read already to find its action."""


class Meant(NamedTuple):
    resource: str
    """Whose name stands in the host, "" if none does."""
    models: list[Model]
    trees: list[tuple[Model, Tree]]
    """Of those among them that go by paths."""


class NoService(AwsError):
    """No service of ours can be told from the request; `protocol` is the one it seems to speak."""

    def __init__(self, code: str, message: str, status: int, protocol: str) -> None:
        super().__init__(code, message, status=status)
        self.protocol = protocol


class UnknownOperation(AwsError):
    """The service is known, the operation is not."""

    def __init__(self, model: Model, message: str, status: int) -> None:
        super().__init__(model.failures["unknown_operation"], message, status=status)
        self.model = model


class Declined(UnknownOperation):
    """The service has the operation, Cloudlet has not."""

    def __init__(self, model: Model, message: str) -> None:
        super().__init__(model, message, 501)
        self.code = model.failures["unsupported"]


class Router:
    def __init__(self, names: Iterable[str], models: Models) -> None:
        self._names = tuple(names)
        self._models = models
        self._signed: dict[str, list[str]] = {}
        for name in self._names:
            self._signed.setdefault(patch_of(name).get("signing", name), []).append(name)
        self._large = {
            name: patch["version"] for name in self._names if "version" in (patch := patch_of(name))
        }
        self._trees: dict[str, Tree] = {}
        self._hosts = [
            (name, re.compile(pattern))
            for name in self._names
            if (pattern := patch_of(name).get("virtual_hosts"))
        ]
        self._meant = lru_cache(maxsize=1024)(self._meant_by)

    def find(self, request: Request, signed_for: str) -> Match:
        target = request.headers.get("x-amz-target")
        if target:
            return self._by_target(target, signed_for)
        if request.method == "POST" or request.query:
            form = _form(request)
            if form is not None and "Action" in form:
                return self._by_action(form, signed_for)
        return self._by_path(request, signed_for)

    def candidates(self, signed_for: str, version: str = "") -> list[Model]:
        """The models that a request may be for, by its signing scope; else all but the large ones, which tell by the
        version that they are meant."""
        if signed_for:
            return [self._models[name] for name in self._signed.get(signed_for, ())]
        return [self._models[name] for name in self._names if self._large.get(name, version) == version]

    def _others(self) -> Iterator[Model]:
        """One after the other, so that none is read that isn't needed."""
        return (self._models[name] for name in self._names if name not in self._large)

    def tree(self, model: Model) -> Tree:
        tree = self._trees.get(model.name)
        if tree is None:
            exact = bool(model.patch.get("exact_paths"))
            tree = self._trees[model.name] = Tree(model.operations.values(), exact=exact)
        return tree

    def _by_target(self, target: str, signed_for: str) -> Match:
        prefix, _, name = target.rpartition(".")
        signed = self.candidates(signed_for)
        for model in chain(signed, self._others()):
            if model.target_prefix == prefix:
                if name not in model.operations:
                    raise UnknownOperation(model, "", 400)
                return Match(model, model.operations[name], {})
        if signed_for and signed:
            raise UnknownOperation(signed[0], f"Cloudlet does not have the target {target}", 400)
        raise _no_service(signed_for or prefix.partition("_")[0], "json")

    def _by_action(self, form: dict[str, str], signed_for: str) -> Match:
        action, version = form["Action"], form.get("Version", "")
        speakers = [m for m in self.candidates(signed_for, version) if m.protocol in ("query", "ec2")]
        for model in speakers:
            if action in model.left_out:
                raise Declined(model, f"Cloudlet does not support {action}: {model.patch['others']}")
            if version in ("", model.api_version) and action in model.operations:
                return Match(model, model.operations[action], {}, form)
        if signed_for and speakers and speakers[0].protocol == "ec2":
            raise UnknownOperation(
                speakers[0], f"The action {action} is not valid for this web service.", 400
            )
        if signed_for and speakers:
            text = f"Could not find operation {action} for version {version or 'NO_VERSION_SPECIFIED'}"
            raise UnknownOperation(speakers[0], text, 400)
        raise _no_service(signed_for, "query")

    def _by_path(self, request: Request, signed_for: str) -> Match:
        resource, models, trees = self._meant(request.headers.get("host", ""), signed_for)
        path = f"/{resource}{request.path}" if resource else request.path
        for model, tree in trees:
            found = tree.find(request.method, path, request.query, request.headers)
            if found is not None:
                return Match(model, *found)
        if (signed_for or resource) and models:
            if "no_such_method" in models[0].patch:
                raise UnknownOperation(models[0], models[0].patch["no_such_method"], 405)
            rest = models[0].protocol.startswith("rest")
            text = f"No operation has {request.method} {request.path}" if rest else ""
            raise UnknownOperation(models[0], text, 404 if rest else 400)
        raise _no_service(signed_for, "rest-json")

    def _meant_by(self, host: str, signed_for: str) -> Meant:
        """For which services a request may be, by its host and its signature's scope; remembered, as `_meant`."""
        name, resource = self._match_host(host)
        if name:
            models = [self._models[name]]
        elif signed_for:
            models = self.candidates(signed_for)
        else:
            models = self._by_host(host) or self.candidates("")
        trees = [(model, self.tree(model)) for model in models if model.protocol.startswith("rest")]
        return Meant(resource, models, trees)

    def _match_host(self, host: str) -> tuple[str, str]:
        """The service whose host names begin with a resource's name, and that name."""
        host = host.lower().partition(":")[0]
        for name, pattern in self._hosts:
            found = pattern.match(host)
            if found is not None:
                return name, found[1]
        return "", ""

    def _by_host(self, host: str) -> list[Model]:
        labels = set(host.lower().partition(":")[0].split("."))
        return [self._models[name] for name in self._names if signing_name(name) in labels]


@lru_cache(maxsize=512)
def signing_name(name: str) -> str:
    return str(patch_of(name).get("signing", name))


def _no_service(name: str, protocol: str) -> NoService:
    """`name` is a signature's, or else the one in a target: AmazonSQS, Kinesis, ..."""
    lowered = name.lower().removeprefix("amazon")
    if lowered in known_services():
        protocol = protocol_of(lowered)
    if lowered:
        return NoService(
            "NotImplemented", f"Cloudlet does not have the service '{lowered}' yet", 501, protocol
        )
    text = (
        "The request names no AWS service: it has no signature, no X-Amz-Target, no Action and no known path"
    )
    return NoService("UnknownOperationException", text, 404, protocol)


def _form(request: Request) -> dict[str, str] | None:
    """The parameters of a query request, from its body or its query string."""
    if (
        request.method == "POST"
        and b"Action=" in request.body
        and request.headers.get("content-type", FORM).startswith(FORM)
    ):
        try:
            pairs = parse_qsl(request.body.decode(), keep_blank_values=True, strict_parsing=False)
        except UnicodeDecodeError:
            return None
        return dict(pairs)
    if "Action=" in request.query:
        return dict(parse_qsl(request.query, keep_blank_values=True))
    return None


class End(NamedTuple):
    operation: Operation
    names: tuple[str, ...]
    """Of the path's variables, in order."""
    query: frozenset[str]
    """What the query string must have: some operations differ in nothing else (`/layers?find=LayerVersion`)."""
    headers: frozenset[str]
    """What the head must have, likewise."""


class Tree:
    """A service's URI templates as a tree of path segments; literal segments go before variables."""

    def __init__(self, operations: Iterable[Operation], *, exact: bool = False) -> None:
        """`exact`: slashes at the path's end, or doubled, count."""
        self._exact = exact
        self._methods: dict[str, _Branch] = {}
        for operation in operations:
            branch = self._methods.setdefault(operation.method, _Branch())
            path, _, query = operation.uri.partition("?")
            names = []
            for segment in path.strip("/").split("/"):
                key = segment
                if segment.startswith("{"):
                    name = segment.strip("{}")
                    names.append(name.removesuffix("+"))
                    key = GREEDY if name.endswith("+") else ANY
                branch = branch.next.setdefault(key, _Branch())
            needed = frozenset(query.split("&") if query else ())
            branch.add(End(operation, tuple(names), needed, frozenset(operation.headers)))

    def find(
        self, method: str, path: str, query: str, headers: Mapping[str, str] = NO_HEADERS
    ) -> tuple[Operation, dict[str, str]] | None:
        root = self._methods.get(method)
        if root is None:
            return None
        segments = (path.removeprefix("/") if self._exact else path.strip("/")).split("/")
        found = _descend(root, segments, 0, query, headers)
        if found is None:
            return None
        end, values = found
        labels = {}
        for name, value in zip(end.names, values, strict=True):
            labels[name] = unquote(value) if "%" in value else value
        return end.operation, labels


ANY, GREEDY = "{}", "{+}"


class _Branch:
    __slots__ = ("bare", "ends", "next")

    def __init__(self) -> None:
        self.next: dict[str, _Branch] = {}
        self.ends: list[End] = []
        self.bare: list[End] = []
        """Those that ask for nothing in the query string."""

    def add(self, end: End) -> None:
        self.ends.append(end)
        self.ends.sort(key=lambda end: -len(end.query) - len(end.headers))
        self.bare = [end for end in self.ends if not end.query]

    def end(self, query: str, headers: Mapping[str, str]) -> End | None:
        """The end that the query string and the head fit best."""
        if not query or len(self.ends) == len(self.bare):
            for end in self.bare:
                if not end.headers or end.headers <= headers.keys():
                    return end
            return None
        pieces = query.split("&")
        present = {*pieces, *(piece.partition("=")[0] for piece in pieces)}
        return next((e for e in self.ends if e.query <= present and e.headers <= headers.keys()), None)


def _descend(
    branch: _Branch, segments: list[str], at: int, query: str, headers: Mapping[str, str]
) -> tuple[End, list[str]] | None:
    left = len(segments) - at
    if not left or (left == 1 and branch.ends and not segments[at]):
        end = branch.end(query, headers)
        return (end, []) if end is not None else None
    literal = branch.next.get(segments[at])
    if literal is not None:
        found = _descend(literal, segments, at + 1, query, headers)
        if found is not None:
            return found
    variable = branch.next.get(ANY)
    if variable is not None and segments[at]:
        found = _descend(variable, segments, at + 1, query, headers)
        if found is not None:
            return found[0], [segments[at], *found[1]]
    greedy = branch.next.get(GREEDY)
    end = greedy.end(query, headers) if greedy is not None else None
    return (end, ["/".join(segments[at:])]) if end is not None else None
