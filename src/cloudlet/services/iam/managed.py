"""AWS's own managed policies that are known here, read from `aws_managed.json` at first use."""

from __future__ import annotations

from base64 import b32encode
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from typing import Any

import orjson

from . import model

Record = dict[str, Any]


@lru_cache(maxsize=1)
def aws_managed() -> dict[str, Record]:
    """AWS's well-known policies by ARN, each with its `Document`; read at first use."""
    return {
        model.AWS_MANAGED_PREFIX + path: _aws_record(path, entry)
        for path, entry in orjson.loads(model.AWS_MANAGED.read_bytes()).items()
    }


def _aws_record(path: str, entry: dict[str, Any]) -> Record:
    folder, _, name = f"/{path}".rpartition("/")
    return {
        "PolicyName": name,
        "PolicyId": "ANPA" + b32encode(sha256(path.encode()).digest()).decode()[:17],
        "Arn": model.AWS_MANAGED_PREFIX + path,
        "Path": f"{folder}/",
        "DefaultVersionId": entry.get("version", "v1"),
        "IsAttachable": True,
        "CreateDate": _day(entry["created"]),
        "UpdateDate": _day(entry["updated"]),
        "Document": orjson.dumps(entry["document"]).decode(),
    }


def _day(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()
