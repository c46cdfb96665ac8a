"""The services' models, as botocore's data files describe them, in compact objects, loaded when first asked for.

Rule 1: the files are read directly; importing botocore would cost the node's start 160 ms and 20 MB.
Rule 2: what a model lacks (statuses of error shapes, error prefixes, names of pipeline errors) is data in
        `patches/<service>.json`, merged here; nothing else in this package asks which service it serves.
        A service that also speaks an older protocol has a second model, its *form*: `patches/<service>.<form>.json`
        says `of` which service, and lays `raw` over that service's model.
        A patch may name the `operations` that are wanted of a model: one as large as that of ec2 (4,400 shapes) is
        read in part, which takes a tenth of the memory.
Rule 3: documentation strings are dropped, the raw file is not kept.
"""

from __future__ import annotations

import gzip
import importlib.util
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec
import orjson

from ..errors import AwsError

PATCHES = Path(__file__).parent / "patches"

FAILURES: dict[str, dict[str, str]] = {
    "json": {
        "access_denied": "AccessDeniedException",
        "broken_framing": "SerializationException",
        "broken_json": "SerializationException",
        "expired_request": "InvalidSignatureException",
        "expired_token": "ExpiredTokenException",
        "incomplete_query": "IncompleteSignatureException",
        "incomplete_signature": "IncompleteSignatureException",
        "internal": "InternalFailure",
        "invalid_token": "UnrecognizedClientException",
        "missing_token": "MissingAuthenticationTokenException",
        "old_signature": "MissingAuthenticationTokenException",
        "serialization": "SerializationException",
        "signature_mismatch": "InvalidSignatureException",
        "too_large": "RequestEntityTooLargeException",
        "unknown_operation": "UnknownOperationException",
        "unknown_signature": "MissingAuthenticationTokenException",
        "unsupported": "NotImplemented",
        "validation": "ValidationException",
    },
    "query": {
        "access_denied": "AccessDenied",
        "broken_framing": "MalformedInput",
        "broken_json": "MalformedInput",
        "expired_request": "SignatureDoesNotMatch",
        "expired_token": "ExpiredToken",
        "incomplete_query": "IncompleteSignature",
        "incomplete_signature": "IncompleteSignature",
        "internal": "InternalFailure",
        "invalid_token": "InvalidClientTokenId",
        "missing_token": "MissingAuthenticationToken",
        "old_signature": "MissingAuthenticationToken",
        "serialization": "MalformedInput",
        "signature_mismatch": "SignatureDoesNotMatch",
        "too_large": "RequestEntityTooLarge",
        "unknown_operation": "InvalidAction",
        "unknown_signature": "MissingAuthenticationToken",
        "unsupported": "NotImplemented",
        "validation": "ValidationError",
    },
}
FAILURES["rest-json"] = FAILURES["json"]
FAILURES["rest-xml"] = FAILURES["query"]
FAILURES["ec2"] = {
    **FAILURES["query"],
    "broken_framing": "MalformedQueryString",
    "expired_token": "RequestExpired",
    "internal": "InternalError",
    "invalid_token": "AuthFailure",
    "serialization": "InvalidParameterValue",
    "unsupported": "UnsupportedOperation",
    "validation": "InvalidParameterValue",
}


class Member:
    """A shape in its place: a structure's member, a list's element, a map's key or value."""

    __slots__ = (
        "attribute", "flattened", "location", "name", "named", "shape", "streaming", "timestamp", "wire",
    )  # fmt: skip

    def __init__(self, name: str, shape: Shape, ref: Mapping[str, Any], target: Mapping[str, Any]) -> None:
        self.name = name
        self.shape = shape
        self.location: str = ref.get("location", "")
        self.named = "locationName" in ref or "locationName" in target
        self.wire: str = ref.get("locationName") or target.get("locationName") or name
        self.flattened: bool = bool(ref.get("flattened", target.get("flattened", False)))
        self.streaming: bool = bool(ref.get("streaming", target.get("streaming", False)))
        self.timestamp: str = ref.get("timestampFormat") or target.get("timestampFormat", "")
        self.attribute: bool = bool(ref.get("xmlAttribute", False))


class Shape:
    """A type of the model. `plain` and `constrained` are filled in when first needed."""

    __slots__ = (
        "code", "constrained", "document", "enum", "event_stream", "exception", "fault", "java", "key", "max",
        "member", "members", "min", "name", "pattern", "payload", "plain", "required", "sensitive", "status", "type",
        "value", "wording",
    )  # fmt: skip

    def __init__(self, name: str, raw: Mapping[str, Any]) -> None:
        error = raw.get("error", {})
        self.name = name
        self.type: str = raw["type"]
        self.members: dict[str, Member] = {}
        self.required: tuple[str, ...] = tuple(raw.get("required", ()))
        self.member: Member | None = None
        self.key: Member | None = None
        self.value: Member | None = None
        self.min: float | None = raw.get("min")
        self.max: float | None = raw.get("max")
        self.pattern: str = raw.get("pattern", "")
        self.enum: tuple[str, ...] = tuple(raw.get("enum", ()))
        self.payload: str = raw.get("payload", "")
        self.document: bool = bool(raw.get("document", False))
        self.sensitive: bool = bool(raw.get("sensitive", False))
        self.event_stream: bool = bool(raw.get("eventstream", False))
        self.exception: bool = bool(raw.get("exception", False))
        self.fault: bool = bool(raw.get("fault", False))
        self.code: str = error.get("code", name)
        self.status: int = error.get("httpStatusCode", 500 if self.fault else 400)
        self.java = name
        """The class that the service's own messages call it, package included."""
        self.wording: dict[str, dict[str, str]] = {}
        """By member: what the service says instead of its usual words when it is "missing" or "empty"."""
        self.constrained: bool | None = None
        self.plain: bool | None = None

    def children(self) -> list[Member]:
        """The members of a structure, or what a list or map is made of."""
        inner = [m for m in (self.member, self.key, self.value) if m is not None]
        return [*self.members.values(), *inner]

    def reachable(self) -> list[Shape]:
        """This shape and every shape inside it, each once."""
        seen: dict[str, Shape] = {}
        todo = [self]
        while todo:
            shape = todo.pop()
            if shape.name not in seen:
                seen[shape.name] = shape
                todo.extend(member.shape for member in shape.children())
        return list(seen.values())


NOTHING = Shape("", {"type": "structure"})


class Operation:
    __slots__ = (
        "errors",
        "headers",
        "input",
        "method",
        "model",
        "name",
        "output",
        "status",
        "unsigned",
        "uri",
        "wrapper",
    )

    def __init__(self, model: Model, name: str, raw: Mapping[str, Any]) -> None:
        http = raw.get("http", {})
        self.model = model
        self.name = name
        self.method: str = http.get("method", "POST")
        self.uri: str = http.get("requestUri", "/")
        self.status: int = http.get("responseCode", 200)
        self.headers: tuple[str, ...] = tuple(http.get("headers", ()))
        """Headers that a request must have to be for this operation; the models have none, patches do."""
        self.input = model.shapes[raw["input"]["shape"]] if "input" in raw else NOTHING
        self.output = model.shapes[raw["output"]["shape"]] if "output" in raw else None
        self.wrapper: str = raw.get("output", {}).get("resultWrapper", "")
        self.errors: tuple[str, ...] = tuple(e["shape"] for e in raw.get("errors", ()))
        self.unsigned = raw.get("authtype") == "none" or raw.get("auth") == ["smithy.api#noAuth"]


class Model:
    """A service: its metadata, its operations, its errors by code and by shape name."""

    def __init__(self, name: str, raw: Mapping[str, Any], patch: Mapping[str, Any]) -> None:
        meta = raw["metadata"]
        self.name = name
        self.patch = patch
        self.protocol: str = meta["protocol"]
        self.json_version: str = meta.get("jsonVersion", "1.0")
        self.target_prefix: str = meta.get("targetPrefix", "")
        self.endpoint_prefix: str = meta["endpointPrefix"]
        self.signing_name: str = meta.get("signingName", self.endpoint_prefix)
        self.api_version: str = meta["apiVersion"]
        self.namespace: str = meta.get("xmlNamespace", "")
        self.failures: dict[str, str] = {**FAILURES[self.protocol], **patch.get("failures", {})}
        self.shapes = _shapes(raw["shapes"])
        if patch.get("unconstrained"):  # the service checks its requests by itself, in words of its own
            for shape in self.shapes.values():
                shape.required, shape.enum, shape.pattern = (), (), ""
        self.operations = {name: Operation(self, name, op) for name, op in raw["operations"].items()}
        self.left_out: frozenset[str] = frozenset(raw.get("left_out", ()))
        """The operations that the service has, and its patch doesn't name."""
        self.errors: dict[str, Shape] = {}
        statuses: Mapping[str, int] = patch.get("statuses", {})
        package = patch.get("error_prefix", f"com.amazonaws.{name}#").removesuffix("#")
        for shape_name, wording in patch.get("wording", {}).items():
            self.shapes[shape_name].wording = wording
        for shape in self.shapes.values():
            shape.java = f"{package}.{shape.name}"
            if shape.exception:
                shape.status = statuses.get(shape.name, shape.status)
                self.errors[shape.name] = shape
                self.errors.setdefault(shape.code, shape)

    @staticmethod
    def nameless(protocol: str) -> Model:
        """A service without operations, to tell an error in a protocol's form when no service can be told."""
        metadata = {"protocol": protocol, "endpointPrefix": "", "apiVersion": ""}
        return Model("", {"metadata": metadata, "shapes": {}, "operations": {}}, {})

    def failure(self, kind: str, message: str = "", *, status: int | None = None) -> AwsError:
        """An error of the pipeline's own, under the name that this service gives it."""
        return AwsError(self.failures[kind], message, status=status)

    def query_code(self, code: str) -> str | None:
        """The error's name in the query protocol, of a service that spoke it once (`awsQueryCompatible`)."""
        codes: Mapping[str, str] = self.patch.get("query_codes", {})
        return codes.get(code)

    def status(self, code: str, fault: str) -> int:
        """The HTTP status of an error: the model's, else the patch's, else by whose fault it is."""
        shape = self.errors.get(code)
        if shape is not None:
            return shape.status
        statuses: Mapping[str, int] = self.patch.get("statuses", {})
        return statuses.get(code, 500 if fault == "server" else 400)


def _shapes(raw: Mapping[str, Mapping[str, Any]]) -> dict[str, Shape]:
    shapes = {name: Shape(name, shape) for name, shape in raw.items()}

    def member(name: str, ref: Mapping[str, Any]) -> Member:
        return Member(name, shapes[ref["shape"]], ref, raw[ref["shape"]])

    for name, shape in shapes.items():
        source = raw[name]
        if shape.type == "structure":
            shape.members = {m: member(m, ref) for m, ref in source.get("members", {}).items()}
        elif shape.type == "list":
            shape.member = member("member", source["member"])
        elif shape.type == "map":
            shape.key = member("key", source["key"])
            shape.value = member("value", source["value"])
    return shapes


@lru_cache(maxsize=1)
def data_folder() -> Path:
    """Where botocore keeps its models, found without importing it."""
    spec = importlib.util.find_spec("botocore")
    if spec is None or spec.origin is None:
        raise RuntimeError("botocore is not installed; its service models are needed")
    return Path(spec.origin).parent / "data"


@lru_cache(maxsize=1)
def known_services() -> frozenset[str]:
    """Every service that botocore has a model of, by model name."""
    return frozenset(entry.name for entry in data_folder().iterdir() if entry.is_dir())


def patch_of(name: str) -> dict[str, Any]:
    """What `patches/<name>.json` adds to the model; {} without such a file. A form has its service's patch, too."""
    file = PATCHES / f"{name}.json"
    patch = dict(orjson.loads(file.read_bytes())) if file.exists() else {}
    return {**patch_of(patch["of"]), **patch} if "of" in patch else patch


def with_forms(names: Iterable[str]) -> list[tuple[str, str]]:
    """Pairs of each model, the services' older forms included, and the service that it is of."""
    return [(form, name) for name in names for form in (name, *patch_of(name).get("forms", ()))]


def load(name: str) -> Model:
    """Read a service's newest model."""
    patch = patch_of(name)
    text = _text(patch.get("of", name))
    raw = _part(text, patch["operations"]) if "operations" in patch else orjson.loads(text)
    _lay_over(raw, patch.get("raw", {}))
    return Model(name, raw, patch)


def _lay_over(raw: dict[str, Any], more: Mapping[str, Any]) -> None:
    for key, value in more.items():
        if isinstance(value, dict) and isinstance(raw.get(key), dict):
            _lay_over(raw[key], value)
        else:
            raw[key] = value


@lru_cache(maxsize=512)
def protocol_of(name: str) -> str:
    """The protocol of any service that botocore has a model of."""
    return str(msgspec.json.decode(_text(name), type=_Parts).metadata["protocol"])


class _Parts(msgspec.Struct):
    """A model's file, as far as it is taken apart at first."""

    metadata: dict[str, Any]
    operations: dict[str, msgspec.Raw]
    shapes: dict[str, msgspec.Raw]


def _part(text: bytes, names: Iterable[str]) -> dict[str, Any]:
    """Of a model only the operations named, and the shapes that they need."""
    parts = msgspec.json.decode(text, type=_Parts)
    operations = {name: msgspec.json.decode(parts.operations[name]) for name in names}
    shapes: dict[str, Any] = {}
    todo = [op[end]["shape"] for op in operations.values() for end in ("input", "output") if end in op]
    while todo:
        name = todo.pop()
        if name not in shapes:
            shape = shapes[name] = msgspec.json.decode(parts.shapes[name])
            refs = [*shape.get("members", {}).values()] if shape["type"] == "structure" else []
            refs += [shape[inner] for inner in ("member", "key", "value") if inner in shape]
            todo += [ref["shape"] for ref in refs]
    left_out = parts.operations.keys() - operations.keys()
    return {
        "metadata": parts.metadata, "operations": operations, "shapes": shapes, "left_out": left_out,
    }  # fmt: skip


def _text(name: str) -> bytes:
    folder = max(entry for entry in (data_folder() / name).iterdir() if entry.is_dir())
    packed = folder / "service-2.json.gz"
    if packed.exists():
        return gzip.decompress(packed.read_bytes())
    return (folder / "service-2.json").read_bytes()


class Models:
    """Models by name, each loaded at its first use."""

    def __init__(self, read: Callable[[str], Model] = load) -> None:
        self._read = read
        self._loaded: dict[str, Model] = {}

    def __getitem__(self, name: str) -> Model:
        model = self._loaded.get(name)
        if model is None:
            model = self._loaded[name] = self._read(name)
        return model
