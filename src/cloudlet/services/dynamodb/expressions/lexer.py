"""Expression text to tokens. All five kinds of expressions have the same tokens; keywords are identifiers here.

name    id, my_attr        any name or keyword          alias   #n     stands for a name
value   :v                 stands for a value           number  0      an index of a list
sign    = <> < <= > >= ( ) [ ] , . + -                  end     the end of the text
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .errors import ExpressionError

_token = re.compile(
    r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)|(?P<alias>\#[A-Za-z0-9_]+)|(?P<value>:[A-Za-z0-9_]+)"
    r"|(?P<number>[0-9]+)|(?P<sign><>|<=|>=|[=<>()\[\],.+\-])"
)
_space = re.compile(r"[ \t\r\n]*")


@dataclass(slots=True, frozen=True)
class Token:
    kind: str
    text: str
    start: int
    end: int


class Tokens:
    """The tokens of one text, with a place in them."""

    __slots__ = ("_list", "at", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self._list: list[Token] = []
        position = _skip(text, 0)
        while position < len(text):
            match = _token.match(text, position)
            if match is None:
                self._list.append(Token("unknown", text[position], position, position + 1))
                position = _skip(text, position + 1)
                continue
            self._list.append(Token(str(match.lastgroup), match[0], match.start(), match.end()))
            position = _skip(text, match.end())
        self._list.append(Token("end", "<EOF>", len(text), len(text)))

    @property
    def next(self) -> Token:
        return self._list[self.at]

    @property
    def after(self) -> Token:
        """The token after the next one."""
        return self._list[min(self.at + 1, len(self._list) - 1)]

    def slice(self, start: int, end: int) -> list[Token]:
        return self._list[start:end]

    def take(self) -> Token:
        token = self._list[self.at]
        self.at += token.kind != "end"
        return token

    def sign(self, text: str) -> bool:
        """Take the next token if it is this sign."""
        token = self._list[self.at]
        if token.kind == "sign" and token.text == text:
            self.at += 1
            return True
        return False

    def keyword(self, word: str) -> bool:
        """Take the next token if it is this keyword."""
        if self.is_keyword(word):
            self.at += 1
            return True
        return False

    def is_keyword(self, *words: str) -> bool:
        token = self._list[self.at]
        return token.kind == "name" and token.text.upper() in words

    def expect(self, sign: str) -> None:
        if not self.sign(sign):
            raise self.error()

    def error(self) -> ExpressionError:
        """The next token can't stand where it does. `near` is what stands around it."""
        first = self._list[max(self.at - 1, 0)].start
        last = self._list[min(self.at + 1, len(self._list) - 1)].end
        token = self._list[self.at]
        return ExpressionError(
            f'Syntax error; token: "{token.text}", near: "{self.text[first:last].strip()}"'
        )


def _skip(text: str, position: int) -> int:
    match = _space.match(text, position)
    assert match is not None
    return match.end()
