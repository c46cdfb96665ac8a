"""PartiQL text to tokens.

name    id                  a name or a keyword      quoted  "id"   a name
text    'it''s'             number  1.5e3            sign    = <> != <= >= < > ( ) [ ] { } << >> , . : + - * ? ;
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ....errors import AwsError
from ..model import validation_error

_token = re.compile(
    r"(?P<name>[A-Za-z_$][A-Za-z0-9_$]*)|(?P<quoted>\"(?:[^\"]|\"\")*\")|(?P<text>'(?:[^']|'')*')"
    r"|(?P<number>[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?|\.[0-9]+(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<sign><<|>>|<>|!=|<=|>=|[=<>()\[\]{},.:+\-*?;])"
)
_space = re.compile(r"(?:\s+|--[^\n]*|/\*.*?\*/)*", re.DOTALL)


@dataclass(slots=True, frozen=True)
class Token:
    kind: str
    text: str
    start: int
    length: int


def malformed(detail: str = "") -> AwsError:
    return validation_error(f"Statement wasn't well formed, can't be processed: {detail}")


def tokens_of(text: str) -> list[Token]:
    tokens: list[Token] = []
    position = _skip(text, 0)
    while position < len(text):
        match = _token.match(text, position)
        if match is None:
            raise malformed()
        kind, said = str(match.lastgroup), match[0]
        if kind == "quoted":
            said = said[1:-1].replace('""', '"')
        elif kind == "text":
            said = said[1:-1].replace("''", "'")
        tokens.append(Token(kind, said, position, match.end() - position))
        position = _skip(text, match.end())
    tokens.append(Token("end", "", len(text), 0))
    return tokens


def _skip(text: str, position: int) -> int:
    match = _space.match(text, position)
    assert match is not None
    return match.end()
