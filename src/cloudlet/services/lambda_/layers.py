"""Layers: versions of shared content, who may use them, and what a function keeps of those that it names.

A function keeps a list of entries beside its configuration, so that a layer version that is deleted still works for
the functions that have it: {"arn", "size"} and either "code" (the content's name, see `code`) or "package" (one of the
public packages, see `layers_public`).
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple

from ...context import Context
from ...names import arn
from ...store.interface import Transaction
from . import layers_public, model, storage
from .code import Code
from .runs import workers
from .storage import Record

_ARN = re.compile(
    r"arn:aws[a-zA-Z-]*:lambda:(?P<region>[a-z0-9-]+):(?P<account>\d{12}):layer:"
    r"(?P<name>[a-zA-Z0-9-_]+)(?::(?P<number>[0-9]+))?"
)


class LayerVersion(NamedTuple):
    """A layer version by its name; number 0 for the layer itself."""

    account: str
    region: str
    name: str
    number: int

    @property
    def layer_arn(self) -> str:
        return arn("lambda", self.region, self.account, f"layer:{self.name}")

    @property
    def arn(self) -> str:
        return f"{self.layer_arn}:{self.number}"


def parse(ctx: Context, name: str, number: int = 0) -> LayerVersion:
    """What a request names: a layer's name, its ARN, or a version's ARN."""
    match = _ARN.fullmatch(name)
    if match is None:
        return LayerVersion(ctx.account, ctx.region, name, number)
    return LayerVersion(match["account"], match["region"], match["name"], int(match["number"] or number))


def created(now: float) -> str:
    """`2026-03-01T12:00:00.000+0000`, as CreatedDate has it."""
    at = datetime.fromtimestamp(now, UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}+0000"


def listed(ref: LayerVersion, record: Record) -> Record:
    """A version as lists show it."""
    shown = {
        "LayerVersionArn": ref.arn,
        "Version": ref.number,
        "Description": record["description"],
        "CreatedDate": record["created"],
        "CompatibleRuntimes": record.get("runtimes"),
        "CompatibleArchitectures": record.get("architectures"),
        "LicenseInfo": record.get("license"),
    }
    return {name: value for name, value in shown.items() if value is not None}


def shown(ref: LayerVersion, record: Record, location: str) -> Record:
    """A version as GetLayerVersion shows it."""
    code = Code(record["code"], record["size"])
    content = {"Location": location, "CodeSha256": code.sha256, "CodeSize": code.size}
    return {**listed(ref, record), "LayerArn": ref.layer_arn, "Content": content}


def allows(ctx: Context, ref: LayerVersion, record: Record | None) -> bool:
    """Whether the request's account may use the version: its own, or by a statement of the version's policy.

    Nobody here belongs to an organization, so statements that ask for one allow nothing.
    """
    if ref.account == ctx.account:
        return True
    principals = ("*", ctx.account, f"arn:aws:iam::{ctx.account}:root")
    return any(
        statement["Principal"] in principals and "Condition" not in statement
        for statement in (record or {}).get("statements", ())
    )


# What a function names


async def entries(ctx: Context, arns: Sequence[str]) -> list[Record]:
    """What a function keeps of the layer versions that it names. Raises when one of them can't be used."""
    refs = [parse(ctx, text) for text in arns]
    by_layer: dict[str, LayerVersion] = {}
    for ref in refs:
        known = by_layer.setdefault(ref.layer_arn, ref)
        if known is not ref:
            raise model.same_layer_twice(known.arn, ref.arn)
    found: list[Record] = []
    for ref in refs:
        package = layers_public.package_of(ref.account, ref.name)
        if package is None:
            found.append(await ctx.store.read(partial(_entry, ctx, ref)))
        else:
            folder = await workers(ctx.node).public_layer(package, ref.arn)
            size = await asyncio.to_thread(unpacked_size, [folder])
            found.append({"arn": ref.arn, "size": size, "package": str(package)})
    return found


async def _entry(ctx: Context, ref: LayerVersion, tx: Transaction) -> Record:
    record = await storage.layer_version(tx, ref)
    if not allows(ctx, ref, record):
        raise model.layer_access_denied(ctx.principal.arn, ref.arn)
    if ref.region != ctx.region:
        raise model.layer_in_other_region(ctx.region)
    if record is None:
        raise model.no_layer_version_for_function(ref.arn)
    return {"arn": ref.arn, "size": record["size"], "code": record["code"]}


async def check_size(ctx: Context, code: str, kept: Sequence[Record]) -> None:
    """Raise when the layers, or the layers and the function's code, are larger than a function may be."""
    if not kept:
        return
    layers = await asyncio.to_thread(unpacked_size, [storage.layer_path(ctx.node.data, e) for e in kept])
    if layers > model.MAX_UNZIPPED:
        raise model.layers_too_large()
    whole = layers + await asyncio.to_thread(unpacked_size, [storage.code_path(ctx.node.data, code)])
    if whole > model.MAX_UNZIPPED:
        raise model.code_and_layers_too_large(whole)


def configured(kept: Sequence[Record]) -> list[Record]:
    """As a function's configuration shows its layers."""
    return [{"Arn": entry["arn"], "CodeSize": entry["size"]} for entry in kept]


def unpacked_size(folders: Sequence[Path]) -> int:
    """Bytes of the files in the folders. For a thread."""
    return sum(
        os.lstat(os.path.join(root, name)).st_size
        for folder in folders
        for root, _, names in os.walk(folder)
        for name in names
    )
