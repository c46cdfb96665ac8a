"""Where Lambda's records lie.

    ("function", account, region, name)                   -> function: next version, tags, reserved, `latest` version
    ("version", account, region, name, number)            -> version: a published configuration and its code
    ("alias", account, region, name, alias)               -> AliasConfiguration without its ARN
    ("policy", account, region, name, qualifier)          -> resource policy: statements
    ("event", account, region, name, qualifier)           -> FunctionEventInvokeConfig without its ARN
    ("mapping", account, region, uuid)                    -> event source mapping: configuration, function, tags
    ("checkpoint", uuid)                                  -> of a mapping on a stream: how far it has come
    ("code", sha256, account, region, name, number)       -> nothing: that version (0: $LATEST) runs this code
    ("layer", account, region, name)                      -> layer: next version
    ("layer version", account, region, name, number)      -> layer version: what it is of, its code, its policy
    ("hold", sha256)                                      -> until when unreferenced code stays

A version's record is `config` (a FunctionConfiguration without its ARN), `code` (hex SHA-256 of the zip), `content`,
an id that changes with each change of code or configuration, and `layers`, if it has any (see `layers.py`). Layer
versions refer to code, too, under the name `layer:<name>`; functions refer to that of their layers beside their own.
"""

from __future__ import annotations

import random
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from ...policies.documents import Policy, policy_of
from ...store.interface import Transaction
from ...store.keys import Subspace
from . import layers_public, model
from .arns import Reference
from .spec import FunctionSpec

if TYPE_CHECKING:
    from .layers import LayerVersion

_space = Subspace("lambda")
SWEEP_TIMER = "lambda.code"
SWEEP_TASK = "lambda.code"
EVENT_TASK = "lambda.event"
MAPPINGS = _space.sub("mapping").prefix
"""Written whenever an event source mapping is."""

Record = dict[str, Any]


class Version:
    """A version's record as `load` shares it; nobody changes it. Makes the specs of its runs, once each."""

    __slots__ = ("_specs", "record")

    def __init__(self, record: Record) -> None:
        self.record = record
        self._specs: dict[tuple[str, int | None], FunctionSpec] = {}

    @property
    def number(self) -> str:
        return str(self.record["config"]["Version"])

    def spec(self, ref: Reference, data: Path, reserved: int | None) -> FunctionSpec:
        spec = self._specs.get((ref.qualifier, reserved))
        if spec is None:
            spec = self._specs[(ref.qualifier, reserved)] = _spec(self.record, ref, data, reserved)
        return spec


class Function:
    """A function's record as `load` shares it, with its `$LATEST`."""

    __slots__ = ("latest", "record", "reserved")

    def __init__(self, record: Record) -> None:
        self.record = record
        self.latest = Version(record["latest"])
        self.reserved: int | None = record.get("reserved")


def code_path(data: Path, sha: str) -> Path:
    return data / "lambda" / "code" / sha


def zip_path(data: Path, sha: str) -> Path:
    return data / "lambda" / "code" / f"{sha}.zip"


def layer_path(data: Path, entry: Record) -> Path:
    """The content of a layer, by what a function keeps of it."""
    return code_path(data, entry["code"]) if "code" in entry else layers_public.folder(entry["package"])


def contents(record: Record) -> set[str]:
    """The names of all code that a version's record refers to."""
    return {record["code"], *(entry["code"] for entry in record.get("layers", ()) if "code" in entry)}


def _spec(record: Record, ref: Reference, data: Path, reserved: int | None) -> FunctionSpec:
    config = record["config"]
    return FunctionSpec(
        arn=ref.qualified,
        name=ref.name,
        version=config["Version"],
        account=ref.account,
        region=ref.region,
        role=config["Role"],
        runtime=config["Runtime"],
        handler=config["Handler"],
        code=code_path(data, record["code"]),
        layers=tuple(layer_path(data, entry) for entry in record.get("layers", ())),
        environment=config.get("Environment", {}).get("Variables", {}),
        timeout=config["Timeout"],
        memory=config["MemorySize"],
        storage=config["EphemeralStorage"]["Size"],
        log_group=config["LoggingConfig"]["LogGroup"],
        reserved=reserved,
        revision=record["content"],
    )


@lru_cache(maxsize=4096)
def _function_key(account: str, region: str, name: str) -> bytes:
    return _space.pack("function", account, region, name)


def _decode_function(value: bytes) -> Function:
    return Function(orjson.loads(value))


def _decode_version(value: bytes) -> Version:
    return Version(orjson.loads(value))


async def load_function(tx: Transaction, ref: Reference) -> Function:
    """The function, shared and not to be changed. Raises when there is none."""
    found = await tx.load(_function_key(ref.account, ref.region, ref.name), _decode_function)
    if found is None:
        raise model.function_not_found(ref.qualified)
    return found


async def function(tx: Transaction, ref: Reference) -> Record:
    """The function's record, to be changed and written. Raises when there is none."""
    value = await tx.get(_function_key(ref.account, ref.region, ref.name))
    if value is None:
        raise model.function_not_found(ref.qualified)
    record: Record = orjson.loads(value)
    return record


async def exists(tx: Transaction, ref: Reference) -> bool:
    return await tx.get(_function_key(ref.account, ref.region, ref.name)) is not None


async def put_function(tx: Transaction, ref: Reference, record: Record) -> None:
    await tx.put(_function_key(ref.account, ref.region, ref.name), orjson.dumps(record))


async def delete_function(tx: Transaction, ref: Reference) -> None:
    """The function with all that hangs on it, but not its references to code."""
    await tx.delete(_function_key(ref.account, ref.region, ref.name))
    for table in ("version", "alias", "policy", "event"):
        await tx.delete_range(*_space.range(table, ref.account, ref.region, ref.name))


async def functions(
    tx: Transaction, account: str, region: str, after: str = "", limit: int = 0
) -> list[Record]:
    begin, end = _space.range("function", account, region)
    if after:
        begin = _function_key(account, region, after) + b"\x00"
    return [orjson.loads(value) for _, value in await tx.range(begin, end, limit=limit)]


async def load_version(tx: Transaction, ref: Reference, number: str) -> Version:
    """A published version, or `$LATEST`; shared. Raises when there is none."""
    owner = await load_function(tx, ref)
    if number == model.LATEST:
        return owner.latest
    key = _space.pack("version", ref.account, ref.region, ref.name, int(number))
    published = await tx.load(key, _decode_version)
    if published is None:
        raise model.function_not_found(ref._replace(qualifier=number).qualified)
    return published


async def resolve(tx: Transaction, ref: Reference) -> Version:
    """The version that the reference means: `$LATEST`, a number, or what an alias points to."""
    qualifier = ref.qualifier
    if not qualifier or qualifier == model.LATEST:
        return (await load_function(tx, ref)).latest
    if qualifier.isdigit():
        return await load_version(tx, ref, qualifier)
    pointer = await alias(tx, ref, qualifier)
    if pointer is None:
        raise model.function_not_found(ref.qualified)
    return await load_version(tx, ref, _route(pointer))


def _route(alias: Record) -> str:
    """A version of those that the alias is spread over, by weight."""
    weights = alias.get("RoutingConfig", {}).get("AdditionalVersionWeights")
    if weights:
        draw = random.random()
        for number, weight in weights.items():
            if draw < weight:
                return str(number)
            draw -= weight
    return str(alias["FunctionVersion"])


async def version(tx: Transaction, ref: Reference, number: int) -> Record | None:
    """A published version's record, to be changed and written."""
    value = await tx.get(_space.pack("version", ref.account, ref.region, ref.name, number))
    return None if value is None else orjson.loads(value)


async def put_version(tx: Transaction, ref: Reference, number: int, record: Record) -> None:
    await tx.put(_space.pack("version", ref.account, ref.region, ref.name, number), orjson.dumps(record))


async def delete_version(tx: Transaction, ref: Reference, number: int) -> None:
    await tx.delete(_space.pack("version", ref.account, ref.region, ref.name, number))


async def versions(tx: Transaction, ref: Reference) -> list[Record]:
    """The published versions, by number."""
    pairs = await tx.range(*_space.range("version", ref.account, ref.region, ref.name))
    return [orjson.loads(value) for _, value in pairs]


async def alias(tx: Transaction, ref: Reference, name: str) -> Record | None:
    """The alias, shared and not to be changed."""
    return await tx.load(_space.pack("alias", ref.account, ref.region, ref.name, name), orjson.loads)


async def put_alias(tx: Transaction, ref: Reference, record: Record) -> None:
    key = _space.pack("alias", ref.account, ref.region, ref.name, record["Name"])
    await tx.put(key, orjson.dumps(record))


async def delete_alias(tx: Transaction, ref: Reference, name: str) -> None:
    await tx.delete(_space.pack("alias", ref.account, ref.region, ref.name, name))
    for table in ("policy", "event"):
        await tx.delete(_space.pack(table, ref.account, ref.region, ref.name, name))


async def aliases(tx: Transaction, ref: Reference) -> list[Record]:
    pairs = await tx.range(*_space.range("alias", ref.account, ref.region, ref.name))
    return [orjson.loads(value) for _, value in pairs]


async def revision(tx: Transaction, ref: Reference) -> str:
    """The RevisionId of the function, version or alias that the reference names."""
    if ref.qualifier and not ref.qualifier.isdigit():
        pointer = await alias(tx, ref, ref.qualifier)
        if pointer is None:
            raise model.function_not_found(ref.qualified)
        return str(pointer["RevisionId"])
    found = await load_version(tx, ref, ref.qualifier or model.LATEST)
    return str(found.record["config"]["RevisionId"])


async def set_revision(tx: Transaction, ref: Reference, revision: str) -> None:
    """Of something that is there."""
    if not ref.qualifier:
        record = await function(tx, ref)
        record["latest"]["config"]["RevisionId"] = revision
        await put_function(tx, ref, record)
    elif ref.qualifier.isdigit():
        published = await version(tx, ref, int(ref.qualifier))
        assert published is not None
        published["config"]["RevisionId"] = revision
        await put_version(tx, ref, int(ref.qualifier), published)
    else:
        pointer = await alias(tx, ref, ref.qualifier)
        assert pointer is not None
        await put_alias(tx, ref, {**pointer, "RevisionId": revision})


async def policy(tx: Transaction, ref: Reference) -> Record | None:
    value = await tx.get(_space.pack("policy", ref.account, ref.region, ref.name, ref.qualifier))
    return None if value is None else orjson.loads(value)


async def compiled_policy(tx: Transaction, ref: Reference) -> Policy | None:
    key = _space.pack("policy", ref.account, ref.region, ref.name, ref.qualifier)
    return await tx.load(key, _compiled)


def _compiled(value: bytes) -> Policy:
    return policy_of({"Version": "2012-10-17", "Statement": orjson.loads(value)["statements"]})


async def put_policy(tx: Transaction, ref: Reference, record: Record) -> None:
    """A policy without statements is none."""
    key = _space.pack("policy", ref.account, ref.region, ref.name, ref.qualifier)
    if record["statements"]:
        await tx.put(key, orjson.dumps(record))
    else:
        await tx.delete(key)


async def event_config(tx: Transaction, ref: Reference, qualifier: str) -> Record | None:
    """How a version's or alias's asynchronous events are handled; shared."""
    key = _space.pack("event", ref.account, ref.region, ref.name, qualifier or model.LATEST)
    return await tx.load(key, orjson.loads)


async def put_event_config(tx: Transaction, ref: Reference, qualifier: str, record: Record) -> None:
    key = _space.pack("event", ref.account, ref.region, ref.name, qualifier or model.LATEST)
    await tx.put(key, orjson.dumps(record))


async def delete_event_config(tx: Transaction, ref: Reference, qualifier: str) -> None:
    await tx.delete(_space.pack("event", ref.account, ref.region, ref.name, qualifier or model.LATEST))


async def event_configs(tx: Transaction, ref: Reference) -> list[tuple[str, Record]]:
    """Pairs of qualifier and configuration."""
    pairs = await tx.range(*_space.range("event", ref.account, ref.region, ref.name))
    return [(_space.unpack(key)[-1], orjson.loads(value)) for key, value in pairs]


async def next_layer_version(tx: Transaction, layer: LayerVersion) -> int:
    """The number of a new version; numbers are never used again."""
    key = _space.pack("layer", layer.account, layer.region, layer.name)
    value = await tx.get(key)
    number = 1 if value is None else int(orjson.loads(value)["next"])
    await tx.put(key, orjson.dumps({"next": number + 1}))
    return number


async def layer_version(tx: Transaction, layer: LayerVersion) -> Record | None:
    """A layer version's record, to be changed and written."""
    value = await tx.get(_space.pack("layer version", layer.account, layer.region, layer.name, layer.number))
    return None if value is None else orjson.loads(value)


async def put_layer_version(tx: Transaction, layer: LayerVersion, record: Record) -> None:
    key = _space.pack("layer version", layer.account, layer.region, layer.name, layer.number)
    await tx.put(key, orjson.dumps(record))


async def use_layer_code(tx: Transaction, layer: LayerVersion, sha: str) -> None:
    key = _space.pack("code", sha, layer.account, layer.region, f"layer:{layer.name}", layer.number)
    await tx.put(key, b"")


async def delete_layer_version(tx: Transaction, layer: LayerVersion, sha: str) -> None:
    """The version and its reference to its code."""
    await tx.delete(_space.pack("layer version", layer.account, layer.region, layer.name, layer.number))
    await tx.delete(
        _space.pack("code", sha, layer.account, layer.region, f"layer:{layer.name}", layer.number)
    )


async def layer_versions(
    tx: Transaction, account: str, region: str, name: str = ""
) -> list[tuple[str, int, Record]]:
    """Name, number and record of the versions of a layer, or of all layers."""
    of = (name,) if name else ()
    pairs = await tx.range(*_space.range("layer version", account, region, *of))
    return [(*_space.unpack(key)[-2:], orjson.loads(value)) for key, value in pairs]


def function_prefix(ref: Reference) -> bytes:
    """Written whenever the function's record is."""
    return _function_key(ref.account, ref.region, ref.name)


async def mapping(tx: Transaction, account: str, region: str, uuid: str) -> Record:
    """An event source mapping, to be changed and written. Raises when there is none."""
    value = await tx.get(_space.pack("mapping", account, region, uuid))
    if value is None:
        raise model.no_resource()
    record: Record = orjson.loads(value)
    return record


async def put_mapping(tx: Transaction, account: str, region: str, record: Record) -> None:
    await tx.put(_space.pack("mapping", account, region, record["UUID"]), orjson.dumps(record))


async def delete_mapping(tx: Transaction, account: str, region: str, uuid: str) -> None:
    await tx.delete(_space.pack("mapping", account, region, uuid))
    await tx.delete(_space.pack("checkpoint", uuid))


async def checkpoint(tx: Transaction, uuid: str) -> Record | None:
    """How far a mapping has come with its stream: `done`, a sequence number for each lane; `result`, what came of the
    last try; `window`, if one is open."""
    value = await tx.get(_space.pack("checkpoint", uuid))
    if value is None or value.startswith(b"{"):
        return None if value is None else orjson.loads(value)
    return {"done": [value.decode()]}  # as it was kept before there were lanes


async def put_checkpoint(tx: Transaction, account: str, region: str, uuid: str, record: Record) -> None:
    """Of a mapping that is still there."""
    if await tx.get(_space.pack("mapping", account, region, uuid)) is not None:
        await tx.put(_space.pack("checkpoint", uuid), orjson.dumps(record))


async def mappings(tx: Transaction, account: str, region: str) -> list[Record]:
    pairs = await tx.range(*_space.range("mapping", account, region))
    return [orjson.loads(value) for _, value in pairs]


async def every_mapping(tx: Transaction) -> list[tuple[str, str, Record]]:
    """With account and region."""
    pairs = await tx.range(*_space.range("mapping"))
    return [(*_space.unpack(key)[1:3], orjson.loads(value)) for key, value in pairs]


async def hold_code(tx: Transaction, sha: str, until: float) -> None:
    """Unreferenced code with this name stays at least until then."""
    await tx.put(_space.pack("hold", sha), orjson.dumps(until))


async def use_code(tx: Transaction, sha: str, ref: Reference, number: int) -> None:
    await tx.put(_space.pack("code", sha, ref.account, ref.region, ref.name, number), b"")


async def drop_code(tx: Transaction, sha: str, ref: Reference, number: int) -> None:
    await tx.delete(_space.pack("code", sha, ref.account, ref.region, ref.name, number))


async def code_is_free(tx: Transaction, sha: str, now: float) -> bool:
    """Whether nothing refers to the code and nobody is about to."""
    until = await tx.get(_space.pack("hold", sha))
    if until is not None and orjson.loads(until) > now:
        return False
    return not await tx.range(*_space.range("code", sha), limit=1)


async def forget_code(tx: Transaction, sha: str) -> None:
    await tx.delete(_space.pack("hold", sha))


async def code_size(tx: Transaction, account: str, region: str) -> int:
    """The packages of all versions of all functions, in bytes."""
    size = sum(record["latest"]["config"]["CodeSize"] for record in await functions(tx, account, region))
    for _, value in await tx.range(*_space.range("version", account, region)):
        size += orjson.loads(value)["config"]["CodeSize"]
    size += sum(record["size"] for _, _, record in await layer_versions(tx, account, region))
    return int(size)
