"""MessagesTopic: translates a message into the languages that are wanted in its room, and tells those who want them.

A language pair that the service hasn't got is no failure: everybody keeps the original. Any other error is one, and
Lambda tries again, twice; then the message goes to the dead-letter queue.
"""

import json
import os

import posts
import rooms
import table
from aws import REGION, Service

UNKNOWN = ("UnsupportedLanguagePairException", "DetectedLanguageLowConfidenceException")

_service = Service(
    "translate",
    f"translate.{REGION}.{os.environ.get('URL_SUFFIX', 'amazonaws.com')}",
    {
        "content-type": "application/x-amz-json-1.1",
        "x-amz-target": "AWSShineFrontendService_20170701.TranslateText",
    },
)


def handler(event, context):
    for record in event["Records"]:
        serve(json.loads(record["Sns"]["Message"]))


def serve(message):
    for language in message["languages"]:
        text = translated(message, language)
        if text is not None and keep(message, language, text):
            frame = {"type": "translated", "seq": message["seq"], "version": message["version"]}
            tell(message["room"], language, {**frame, "language": language, "text": text})


def tell(room, language, frame):
    members = rooms.members_of(rooms.here(room))
    posts.post_same([id for id, member in members.items() if member["language"] == language], frame)


def translated(message, language):
    """The text in that language; None if it is in it already, or can't be had."""
    source, text = ask(message["text"], "auto", language)
    if text is None and message.get("language") not in (None, language):
        source, text = ask(message["text"], message["language"], language)
    return None if source == language else text


def ask(text, source, language):
    """The source's language and the text; None for what the service hasn't got."""
    request = {"Text": text, "SourceLanguageCode": source, "TargetLanguageCode": language}
    for _ in range(3):
        answer = _service.ask("/", json.dumps(request).encode())
        if not answer.again:
            break
    if answer.status == 200:
        said = json.loads(answer.body)
        return said["SourceLanguageCode"], said["TranslatedText"]
    if any(name.encode() in answer.body for name in UNKNOWN):
        return None, None
    raise RuntimeError(f"TranslateText: {answer.status} {answer.body[:500]!r}")


def keep(message, language, text):
    """Note the translation beside the message, for those who read it later; whether the message is still the same."""
    try:
        table.update(
            table.MESSAGES,
            {"userHandle": message["userHandle"], "timestamp": message["timestamp"]},
            "SET translations.#language = :text",
            {":text": text, ":version": message["version"]},
            {"#language": language},
            "version = :version",
            "NONE",
        )
    except table.Unmet:
        return False
    return True
