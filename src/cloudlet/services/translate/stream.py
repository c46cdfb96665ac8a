"""Text in the form that the engine's programs pass on to one another, and back.

In that stream some characters are escaped by a backslash, and what must not be translated (markup, addresses, what has
a meaning in the stream) stands in brackets. A segment ends with a full stop of ours if it has none, so that its last
words are understood as a sentence's end, and with an empty bracket.

A segment is a line of a text, or what stands between two block elements of an HTML page. Spaces around it are kept
apart from it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

SPECIAL = re.compile(r"([\\\[\]{}^$/@<>])")
ESCAPED = re.compile(r"\\(.)|[\[\]]", re.S)
STOP = "."
END = "[][\n]"
"""What the engine's own readers of plain text add at the end."""
NOT_LETTERS = r"[\\\[\]{}^$/@<>~*#|=\x00-\x1f\x7f]+"
"""Characters that mean something to one or another of the engine's programs, even when they are escaped."""
DISGUISED = {"^": "\ufdd0", "$": "\ufdd1", "@": "\ufdd2"}
"""Some programs wait for the rest of a word after a `^`, wherever it stands: such characters go through as others,
which no text has."""
ADDRESS = r"(?:https?://|www\.)\S+|[\w.+-]+@[\w-]+\.[\w.-]+"
VERBATIM = r"<(\w+)\b[^<>]*\btranslate\s*=\s*[\"']?no\b[^<>]*>.*?</\1\s*>"
TAG = r"</?[A-Za-z][^<>]*>|<!--.*?-->|<![A-Za-z][^<>]*>"
ENTITY = r"&(?:#\d+|#[xX][0-9a-fA-F]+|\w+);"
KEPT = re.compile(f"{VERBATIM}|{TAG}|{ENTITY}|{ADDRESS}|{NOT_LETTERS}", re.S)

BLOCKS = (
    "address|article|aside|blockquote|body|br|button|caption|dd|div|dl|dt|fieldset|figcaption|figure|footer|form|h[1-6]|"
    "head|header|hr|html|label|legend|li|link|main|meta|nav|ol|option|p|section|select|summary|table|tbody|td|tfoot|th|"
    "thead|title|tr|ul"
)  # fmt: skip
BREAKS = re.compile(
    rf"(<(script|style|code|pre|textarea)\b[^>]*>.*?</\2\s*>|<!--.*?-->|<![A-Za-z][^>]*>|</?(?:{BLOCKS})\b[^>]*>)",
    re.S | re.I,
)
LINES = re.compile(r"((?:\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029])+)")


def split(text: str, *, html: bool) -> tuple[list[str], list[int]]:
    """The text in pieces, and which of them are segments to translate."""
    pieces: list[str] = []
    segments: list[int] = []
    for index, part in enumerate((BREAKS if html else LINES).split(text)):
        if html and index % 3 == 2:
            continue  # the name of the element before
        core = part.strip() if index % (3 if html else 2) == 0 else ""
        if not any(c.isalpha() for c in core):
            pieces.append(part)
            continue
        start = part.index(core)
        segments.append(len(pieces) + 1)
        pieces += [part[:start], core, part[start + len(core) :]]
    return pieces, segments


_DISGUISE = str.maketrans(DISGUISED)
_UNMASK = str.maketrans({mask: plain for plain, mask in DISGUISED.items()})


class Segment(NamedTuple):
    """A segment as the engine reads it."""

    stream: bytes
    stopped: bool
    """Whether the full stop at its end is ours."""
    used: list[str]
    """The terms that were found in it; their translations go through unchanged."""


def encode(segment: str, terms: Mapping[str, str]) -> Segment:
    kept = KEPT
    if terms:
        words = "|".join(rf"(?<!\w){re.escape(term)}(?!\w)" for term in sorted(terms, key=len, reverse=True))
        kept = re.compile(f"{KEPT.pattern}|(?P<term>{words})", re.S)
    out: list[str] = []
    used: list[str] = []
    at = 0
    for found in kept.finditer(segment):
        out.append(_escape(segment[at : found.start()]))
        text = found[0].replace("\0", "")
        if terms and found["term"]:
            used.append(text)
            text = terms[text]
        out.append(f"[{_escape(text.translate(_DISGUISE))}]")
        at = found.end()
    out.append(_escape(segment[at:]))
    stopped = segment[-1:].isalnum()
    return Segment(("".join(out) + (STOP if stopped else "") + END).encode(), stopped, used)


def decode(stream: bytes, stopped: bool) -> str:
    """What the engine made of a segment, as text."""
    text = stream.decode(errors="replace").removesuffix(END)
    if stopped:
        text = text.removesuffix(STOP)
    return ESCAPED.sub(lambda found: found[1] or "", text).strip().translate(_UNMASK)


def _escape(text: str) -> str:
    return SPECIAL.sub(r"\\\1", text)
