"""A small client of a node for the command line: health, artifacts, stacks, live events. Standard library only."""

from __future__ import annotations

import http.client
import json
import os
import urllib.parse
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from typing import Any

from ..errors import UserError
from . import DEFAULT_ENDPOINT

CREDENTIALS = (
    "AWS4-HMAC-SHA256 Credential={key}/20000101/{region}/cloudformation/aws4_request, "
    "SignedHeaders=host;x-amz-date, Signature=0"
)


class StackError(UserError):
    """CloudFormation refused; `code` is AWS's."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"CloudFormation says {code}: {message}")
        self.code = code
        self.message = message


class Client:
    def __init__(self, endpoint: str | None) -> None:
        self.endpoint = (endpoint or os.environ.get("AWS_ENDPOINT_URL") or DEFAULT_ENDPOINT).rstrip("/")
        parts = urllib.parse.urlsplit(self.endpoint)
        if parts.hostname is None:
            raise UserError(f"{self.endpoint} is not an endpoint; one looks like {DEFAULT_ENDPOINT}")
        self._address = (parts.hostname, parts.port or 80)
        self._connection: http.client.HTTPConnection | None = None

    def request(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, bytes]:
        connection = self._connection or http.client.HTTPConnection(*self._address, timeout=120)
        self._connection = connection
        try:
            connection.request(method, path, body, dict(headers or {}))
            response = connection.getresponse()
            return response.status, response.read()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            self._connection = None
            raise UserError(
                f"no node answers at {self.endpoint} ({error}); `cloudlet start` runs one"
            ) from error

    def health(self) -> dict[str, Any] | None:
        """The node's health page; None when nothing, or something else, listens there."""
        try:
            status, body = self.request("GET", "/_cloudlet/health")
            return dict(json.loads(body)) if status == 200 else None
        except (UserError, ValueError):
            return None

    def json(self, method: str, path: str, wish: Mapping[str, Any] | None = None) -> dict[str, Any]:
        status, body = self.request(method, path, json.dumps(wish).encode() if wish is not None else None)
        if status >= 400:
            raise UserError(body.decode(errors="replace").strip())
        return dict(json.loads(body))

    def upload(self, name: str, content: bytes) -> bool:
        """Put an artifact, unless the node has it. True if it was sent."""
        path = f"/_cloudlet/artifacts/{name}"
        if self.request("HEAD", path)[0] == 200:
            return False
        status, body = self.request("PUT", path, content)
        if status >= 400:
            raise UserError(f"the node refused {name}: {body.decode(errors='replace').strip()}")
        return True

    def cloudformation(self, action: str, params: Mapping[str, str]) -> ET.Element:
        """One CloudFormation operation; the `{action}Result` element, or the root when there is none."""
        form = urllib.parse.urlencode({"Action": action, "Version": "2010-05-15", **params}).encode()
        region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"
        key = os.environ.get("AWS_ACCESS_KEY_ID") or "test"
        headers = {
            "content-type": "application/x-www-form-urlencoded",
            "authorization": CREDENTIALS.format(key=key, region=region),
            "x-amz-date": "20000101T000000Z",
        }
        status, body = self.request("POST", "/", form, headers)
        root = _without_namespaces(ET.fromstring(body))
        if status >= 400:
            raise StackError(root.findtext(".//Code", ""), root.findtext(".//Message", ""))
        result = root.find(f"{action}Result")
        return root if result is None else result

    def events(self) -> Iterator[dict[str, Any]]:
        """What happens on the node, from now on. Ends when the node does."""
        connection = http.client.HTTPConnection(*self._address)
        try:
            connection.request("GET", "/_cloudlet/events")
            response = connection.getresponse()
            while line := response.readline():
                yield json.loads(line)
        except (OSError, http.client.HTTPException):
            return
        finally:
            connection.close()


def _without_namespaces(root: ET.Element) -> ET.Element:
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    return root
