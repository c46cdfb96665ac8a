"""Requests from another machine, where a node listens for them: the administrator isn't there."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.harness import Node, client


def own_address() -> str:
    """An address of this machine that is not a loopback one; "" if it has none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("198.51.100.1", 9))  # nothing is sent
        except OSError:
            return ""
        address: str = probe.getsockname()[0]
        return "" if address.startswith("127.") else address


@pytest.mark.node_only
@pytest.mark.skipif(not own_address(), reason="this machine has no address but loopback ones")
def test_only_known_keys_count_from_elsewhere(fresh_node: Callable[..., Node]) -> None:
    node = fresh_node("--host=0.0.0.0")
    here, elsewhere = f"http://127.0.0.1:{node.port}", f"http://{own_address()}:{node.port}"
    with pytest.raises(ClientError) as refused:
        client("sqs", elsewhere).list_queues()
    assert refused.value.response["Error"]["Code"] == "UnrecognizedClientException"
    iam = client("iam", here)
    iam.create_user(UserName="ann")
    statement = {"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName="ann", PolicyName="own", PolicyDocument=document)
    made: dict[str, Any] = iam.create_access_key(UserName="ann")["AccessKey"]
    keys = {"aws_access_key_id": made["AccessKeyId"], "aws_secret_access_key": made["SecretAccessKey"]}
    client("sqs", elsewhere, **keys).list_queues()
