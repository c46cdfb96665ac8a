"""What is signed verifies with the certificate that the node serves."""

from __future__ import annotations

import base64
import json
import urllib.error

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from .conftest import Topic, get

NOTIFICATION = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
CONFIRMATION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")


def verify(document: dict[str, str], url: str = "") -> None:
    """As AWS tells subscribers to do it. Raises InvalidSignature."""
    certificate = x509.load_pem_x509_certificate(get(url or document["SigningCertURL"]))
    names = NOTIFICATION if document["Type"] == "Notification" else CONFIRMATION
    text = "".join(f"{name}\n{document[name]}\n" for name in names if name in document)
    hash = {"1": hashes.SHA1(), "2": hashes.SHA256()}[document["SignatureVersion"]]
    signature = base64.b64decode(document["Signature"])
    certificate.public_key().verify(signature, text.encode(), padding.PKCS1v15(), hash)


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("subject", [{}, {"Subject": "ü"}])
def test_of_notifications(topic, version, subject):
    made = topic(SignatureVersion=version)
    queue = made.queue()
    made.publish("line\nüline", **subject)
    document = queue.envelope()
    assert document["SignatureVersion"] == version
    verify(document)


def test_of_confirmations(topic, endpoint):
    topic().subscribe("http", endpoint.url)
    verify(endpoint.document())


def test_by_a_changed_message_fails(topic):
    made = topic()
    queue = made.queue()
    made.publish("true")
    document = queue.envelope()
    with pytest.raises(InvalidSignature):
        verify({**document, "Message": "false"})


def test_outlives_the_node(fresh_node):
    made = Topic(fresh_node(), "topic")
    queue = made.queue()
    made.publish()
    document = queue.envelope()
    made.node.restart()
    verify(document)


def test_other_certificates_are_not_there(node):
    with pytest.raises(urllib.error.HTTPError, match="404"):
        get(f"{node.endpoint}/SimpleNotificationService-0.pem")


def test_texts_by_protocol_are_signed_each(topic, endpoint):
    made = topic()
    queue = made.queue()
    made.subscribe("http", endpoint.url)
    endpoint.confirm()
    made.publish(json.dumps({"default": "all", "http": "web"}), MessageStructure="json")
    for document, text in ((queue.envelope(), "all"), (endpoint.document(), "web")):
        assert document["Message"] == text
        verify(document)
