"""What a client may say, checked; what is wrong is said in words for whoever wrote the client."""

import json
import re
import unicodedata

import posts

LONGEST_TEXT = 2000
LONGEST_NAME = 32
LONGEST_ROOM = 64
LARGEST_NUMBER = 2**53 - 1
LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z]{2,4})?")
ONCE = re.compile(r"[A-Za-z0-9_-]{16,64}")
OK = {"statusCode": 200}


class Bad(Exception):
    """A request that can't be done; `code` is for programs."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


def serve(event, work):
    """Does what the client asks by `work(connection, request)`, and tells it what is wrong."""
    connection = event["requestContext"]["connectionId"]
    request = {}
    try:
        request = parse(event.get("body"))
        work(connection, request)
    except Bad as bad:
        posts.post(connection, error(bad, request))
    return OK


def error(bad, request):
    return with_ref({"type": "error", "code": bad.code, "message": str(bad)}, request)


def with_ref(frame, request):
    ref = request.get("ref")
    return {**frame, "ref": ref} if is_ref(ref) else frame


def parse(body):
    """The object that the client sent."""
    try:
        request = json.loads(body or "")
        json.dumps(request, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise Bad("BadRequest", "the message is not JSON") from None
    if not isinstance(request, dict):
        raise Bad("BadRequest", "the message is not a JSON object")
    if "ref" in request and not is_ref(request["ref"]):
        raise Bad(
            "BadRequest", "ref must be an integer of at most 53 bits, or a string of at most 64 letters"
        )
    return request


def is_ref(ref):
    return is_number(ref) or (isinstance(ref, str) and len(ref) <= 64)


def is_number(value, least=-LARGEST_NUMBER):
    return type(value) is int and least <= value <= LARGEST_NUMBER


def text(request):
    said = request.get("text")
    if not isinstance(said, str):
        raise Bad("BadRequest", "text must be a string")
    if not said.strip():
        raise Bad("Empty", "there is nothing in the text")
    if len(said) > LONGEST_TEXT:
        raise Bad("TooLong", f"the text has {len(said)} letters; at most {LONGEST_TEXT}")
    return said


def name(request):
    return _label(request, "name", LONGEST_NAME)


def room(request):
    return _label(request, "room", LONGEST_ROOM)


def _label(request, what, longest):
    """A name that looks like what it is: no letters that can't be seen, none that turn the direction."""
    said = request.get(what)
    if not isinstance(said, str):
        raise Bad("BadRequest", f"{what} must be a string")
    if len(said) > 4 * longest:
        raise Bad("TooLong", f"the {what} has {len(said)} letters; at most {longest}")
    said = unicodedata.normalize("NFKC", said)
    said = "".join(" " if letter.isspace() else letter for letter in said)
    said = " ".join("".join(letter for letter in said if _is_seen(letter)).split())
    if not said:
        raise Bad("Empty", f"the {what} is empty")
    if len(said) > longest:
        raise Bad("TooLong", f"the {what} has {len(said)} letters; at most {longest}")
    return said


def _is_seen(letter):
    return unicodedata.category(letter) not in ("Cc", "Cf", "Cs", "Co", "Cn") or letter == "\u200d"


def language(request):
    """The language into which messages are to be translated; None: they aren't."""
    said = request.get("language")
    if said in (None, ""):
        return None
    if not isinstance(said, str) or not LANGUAGE.fullmatch(said):
        raise Bad("BadRequest", 'language must be a code such as "en" or "pt-PT"')
    return said


def once(request):
    """By what a message is known that may be sent again; None: by nothing."""
    said = request.get("once")
    if said is not None and not (isinstance(said, str) and ONCE.fullmatch(said)):
        raise Bad("BadRequest", "once must be 16 to 64 letters, digits, - and _")
    return said


def number(request, what, least=0):
    """An integer, or None if there is none."""
    said = request.get(what)
    if said is not None and not is_number(said, least):
        raise Bad("BadRequest", f"{what} must be an integer of at least {least}")
    return said
