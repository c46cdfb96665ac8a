"""What subscribers get: AWS's JSON documents, laid out and signed as AWS does it.

The document of a notification differs between subscribers only in its UnsubscribeURL, which is not signed. So it is
made once for a message (and a text of it), and each subscriber's is two joins.
"""

from __future__ import annotations

from base64 import b64decode
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import orjson

from ...context import Node
from .signing import Signer
from .storage import Name

Message = dict[str, Any]
"""topic, id, at (milliseconds), texts by protocol ("" for all others), subject, attributes as Publish gave them."""
SIGNED = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
SIGNED_CONFIRMATION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")


def text_for(message: Message, protocol: str) -> str:
    texts: dict[str, str] = message["texts"]
    return texts.get(protocol, texts[""])


def raw_attributes(message: Message) -> dict[str, Any]:
    """Message attributes as a queue's own."""
    return {
        name: {**attribute, "BinaryValue": b64decode(attribute["BinaryValue"])}
        if "BinaryValue" in attribute
        else attribute
        for name, attribute in message["attributes"].items()
    }


def timestamp(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at % 1000:03d}Z"


def unsubscribe_url(node: Node, subscription: str) -> str:
    return f"http://{node.config.home}/?Action=Unsubscribe&SubscriptionArn={subscription}"


def subscribe_url(node: Node, topic: Name, token: str) -> str:
    return f"http://{node.config.home}/?Action=ConfirmSubscription&TopicArn={topic.arn}&Token={token}"


class Notification:
    """A message, signed, for the subscribers who get the same text."""

    __slots__ = ("_head", "_tail", "attributes", "fields")

    def __init__(
        self, node: Node, signer: Signer, message: Message, text: str, version: str, signature: str = ""
    ) -> None:
        """`signature`: the one that was made before, of the same message and text."""
        topic = Name(*message["topic"])
        fields = {"Type": "Notification", "MessageId": message["id"], "TopicArn": topic.arn}
        if "subject" in message:
            fields["Subject"] = message["subject"]
        fields |= {
            "Message": text,
            "Timestamp": timestamp(message["at"]),
            "SignatureVersion": version,
        }
        fields["Signature"] = signature or signer.sign(to_sign(fields, SIGNED), version)
        fields["SigningCertURL"] = f"http://{node.config.home}{signer.path}"
        self.fields = fields
        self.attributes = {name: _shown(attribute) for name, attribute in message["attributes"].items()}
        self._head = "{\n" + "".join(f"{_line(name, value)},\n" for name, value in fields.items())
        self._tail = "\n}"
        if self.attributes:
            lines = (f"    {_json(name)} : {_json(attribute)}" for name, attribute in self.attributes.items())
            self._tail = ',\n  "MessageAttributes" : {\n' + ",\n".join(lines) + "\n  }\n}"

    def document(self, unsubscribe: str) -> str:
        return f'{self._head}  "UnsubscribeURL" : "{unsubscribe}"{self._tail}'

    def event(self, subscription: str, unsubscribe: str) -> bytes:
        """As a function gets it."""
        fields = self.fields
        sns = {
            "Type": "Notification",
            "MessageId": fields["MessageId"],
            "TopicArn": fields["TopicArn"],
            "Subject": fields.get("Subject"),
            "Message": fields["Message"],
            "Timestamp": fields["Timestamp"],
            "SignatureVersion": fields["SignatureVersion"],
            "Signature": fields["Signature"],
            "SigningCertUrl": fields["SigningCertURL"],
            "UnsubscribeUrl": unsubscribe,
            "MessageAttributes": self.attributes,
        }
        record = {
            "EventSource": "aws:sns",
            "EventVersion": "1.0",
            "EventSubscriptionArn": subscription,
            "Sns": sns,
        }
        return orjson.dumps({"Records": [record]})


def confirmation(
    node: Node, signer: Signer, kind: str, topic: Name, id: str, at: int, token: str, words: str, version: str
) -> str:
    """A SubscriptionConfirmation or an UnsubscribeConfirmation."""
    fields = {
        "Type": kind,
        "MessageId": id,
        "Token": token,
        "TopicArn": topic.arn,
        "Message": words,
        "SubscribeURL": subscribe_url(node, topic, token),
        "Timestamp": timestamp(at),
        "SignatureVersion": version,
    }
    fields["Signature"] = signer.sign(to_sign(fields, SIGNED_CONFIRMATION), version)
    fields["SigningCertURL"] = f"http://{node.config.home}{signer.path}"
    return "{\n" + ",\n".join(_line(name, value) for name, value in fields.items()) + "\n}"


def to_sign(fields: dict[str, str], names: tuple[str, ...]) -> str:
    return "".join(f"{name}\n{fields[name]}\n" for name in names if name in fields)


def arn_in_url(arn: str) -> str:
    return quote(arn, safe=":-_.~")


def _line(name: str, value: str) -> str:
    return f'  "{name}" : {_json(value)}'


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


def _shown(attribute: dict[str, str]) -> dict[str, str]:
    kind = attribute["DataType"]
    return {"Type": kind, "Value": attribute.get("BinaryValue") or attribute.get("StringValue", "")}
