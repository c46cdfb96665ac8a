"""Filter patterns: compiled once from their text to a function that says whether a message matches.

ERROR "two words" -debug     all terms and phrases, none of the excluded (case matters)
?ERROR ?WARN                 at least one of them
%ER+OR%                      a regular expression
{ $.a.b[0] = "x*" && ... }   members of a JSON message
[ip, ..., status = 4*, size] words of a message, quoted or bracketed ones being one word
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import orjson

from . import model

Matcher = Callable[[str], bool]
Test = Callable[[Any], bool]

_TERM = re.compile(r'\s*([-?]?)(?:"((?:[^"\\]|\\.)*)"|%([^%]+)%|([^\s"]+))')
_TOKEN = re.compile(
    r"""\s*(?:(?P<op>&&|\|\||<=|>=|!=|[=<>()\[\],])|"(?P<quoted>(?:[^"\\]|\\.)*)"|%(?P<regex>[^%]+)%"""
    r"""|(?P<path>\$(?:\.[\w@:*-]+|\[(?:\d+|\*|"[^"]*"|'[^']*')\])*)|(?P<word>[^\s"&|<>=!()\[\],%$]+))"""
)
_STEP = re.compile(r"""\.([\w@:*-]+)|\[(\d+)\]|\[\*\]|\["([^"]*)"\]|\['([^']*)'\]""")
_PARENTHESIS = re.compile(r"(?:^|[^\\])(?:\\\\)*[()]")
_WORDS = re.compile(r'"([^"]*)"|\[([^\]]*)\]|(\S+)')
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
MAX_NESTING = 32
_missing = object()


def invalid() -> Exception:
    return model.invalid("Invalid filter pattern")


@lru_cache(maxsize=256)
def compile(text: str) -> Matcher:
    text = text.strip()
    if not text:
        return lambda message: True
    if text.startswith("{"):
        return _json(text)
    if text.startswith("["):
        return _words(text)
    return _terms(text)


def _regex(text: str) -> re.Pattern[str]:
    """As documented there are no subpatterns, which also keeps expressions from taking exponential time."""
    if _PARENTHESIS.search(text):
        raise invalid()
    try:
        return re.compile(text)
    except re.error as error:
        raise invalid() from error


def _terms(text: str) -> Matcher:
    wanted: list[Matcher] = []
    any_of: list[Matcher] = []
    unwanted: list[Matcher] = []
    at = 0
    while at < len(text):
        match = _TERM.match(text, at)
        if match is None:
            raise invalid()
        at = match.end()
        sign, quoted, regex, word = match.groups()
        found = _contains(regex, _unescape(quoted) if quoted is not None else word)
        {"": wanted, "?": any_of, "-": unwanted}[sign].append(found)
    if wanted or unwanted:
        any_of = []  # optional terms beside others have no effect, as documented

    def matches(message: str) -> bool:
        return (
            all(found(message) for found in wanted)
            and not any(found(message) for found in unwanted)
            and (not any_of or any(found(message) for found in any_of))
        )

    return matches


def _contains(regex: str | None, term: str) -> Matcher:
    if regex is not None:
        search = _regex(regex).search
        return lambda message: search(message) is not None
    return lambda message: term in message


def _unescape(quoted: str) -> str:
    return re.sub(r"\\(.)", r"\1", quoted)


class _Tokens:
    """The tokens of a structured pattern: pairs of kind and text."""

    def __init__(self, text: str) -> None:
        self._items: list[tuple[str, str]] = []
        self._at = 0
        at = 0
        while at < len(text):
            match = _TOKEN.match(text, at)
            if match is None or match.lastgroup is None:
                raise invalid()
            at = match.end()
            self._items.append((match.lastgroup, match[match.lastgroup]))

    def peek(self) -> tuple[str, str]:
        return self._items[self._at] if self._at < len(self._items) else ("end", "")

    def take(self) -> tuple[str, str]:
        item = self.peek()
        self._at += 1
        return item

    def skip(self, kind: str, text: str) -> bool:
        if self.peek() == (kind, text):
            self._at += 1
            return True
        return False

    def expect(self, kind: str, text: str) -> None:
        if not self.skip(kind, text):
            raise invalid()


def _either(tokens: _Tokens, atom: Callable[[_Tokens, int], Test], depth: int = 0) -> Test:
    """`a && b || c`, in the usual order; parentheses group."""
    alternatives = [_both(tokens, atom, depth)]
    while tokens.skip("op", "||"):
        alternatives.append(_both(tokens, atom, depth))
    return (
        alternatives[0] if len(alternatives) == 1 else lambda value: any(test(value) for test in alternatives)
    )


def _both(tokens: _Tokens, atom: Callable[[_Tokens, int], Test], depth: int) -> Test:
    tests = [_group(tokens, atom, depth)]
    while tokens.skip("op", "&&"):
        tests.append(_group(tokens, atom, depth))
    return tests[0] if len(tests) == 1 else lambda value: all(test(value) for test in tests)


def _group(tokens: _Tokens, atom: Callable[[_Tokens, int], Test], depth: int) -> Test:
    if not tokens.skip("op", "("):
        return atom(tokens, depth)
    if depth == MAX_NESTING:
        raise invalid()
    test = _either(tokens, atom, depth + 1)
    tokens.expect("op", ")")
    return test


def _json(text: str) -> Matcher:
    if not text.endswith("}"):
        raise invalid()
    tokens = _Tokens(text[1:-1].strip())
    test = _either(tokens, _comparison)
    if tokens.peek()[0] != "end":
        raise invalid()

    def matches(message: str) -> bool:
        try:
            value = orjson.loads(message)
        except orjson.JSONDecodeError:
            return False
        return test(value)

    return matches


def _comparison(tokens: _Tokens, depth: int) -> Test:
    kind, path = tokens.take()
    if kind != "path":
        raise invalid()
    read = _reader(path)
    kind, text = tokens.take()
    if kind == "word" and text.upper() == "IS":
        wanted = {"NULL": None, "TRUE": True, "FALSE": False}.get(tokens.take()[1].upper(), _missing)
        if wanted is _missing:
            raise invalid()
        return lambda value: any(found is wanted for found in read(value))
    if kind == "word" and text.upper() == "NOT":
        if tokens.take()[1].upper() != "EXISTS":
            raise invalid()
        return lambda value: not read(value)
    if kind != "op" or text not in _COMPARE:
        raise invalid()
    test = _value_test(text, tokens.take())
    return lambda value: any(test(found) for found in read(value))


def _reader(path: str) -> Callable[[Any], list[Any]]:
    """What a path selects; nothing when a step leads nowhere."""
    steps: list[str | int | None] = []
    at = 1
    while at < len(path):
        match = _STEP.match(path, at)
        if match is None:
            raise invalid()
        at = match.end()
        name, index, double, single = match.groups()
        named = next((text for text in (name, double, single) if text is not None), None)
        steps.append(int(index) if index is not None else named)

    def read(value: Any) -> list[Any]:
        found = [value]
        for step in steps:
            found = [inner for outer in found for inner in _step(outer, step)]
        return found

    return read


def _step(value: Any, step: str | int | None) -> list[Any]:
    if isinstance(value, dict):
        if step in (None, "*"):
            return list(value.values())
        return [value[step]] if step in value else []
    if isinstance(value, list):
        if step in (None, "*"):
            return value
        if isinstance(step, int):
            return value[step : step + 1]
    return []


def _value_test(op: str, token: tuple[str, str]) -> Test:
    """Compare with a number, a string (`*` stands for anything) or a regular expression."""
    kind, text = token
    compare = _COMPARE[op]
    if kind == "regex" and op in ("=", "!="):
        search = _regex(text).search
        return lambda value: isinstance(value, str) and (search(value) is not None) == (op == "=")
    if kind not in ("word", "quoted"):
        raise invalid()
    number = _number(text) if kind == "word" else None
    if number is not None:
        return lambda value: (wanted := _as_number(value)) is not None and compare(wanted, number)
    if op not in ("=", "!="):
        raise invalid()
    pattern = re.compile(".*".join(re.escape(part) for part in _unescape(text).split("*")), re.DOTALL)
    return lambda value: isinstance(value, str) and (pattern.fullmatch(value) is not None) == (op == "=")


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _as_number(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return value
    return _number(value) if isinstance(value, str) else None


def _words(text: str) -> Matcher:
    if not text.endswith("]"):
        raise invalid()
    tokens = _Tokens(text[1:-1].strip())
    fields: list[Test] = []
    gap: int | None = None
    while tokens.peek()[0] != "end":
        if tokens.peek() == ("word", "..."):
            tokens.take()
            if gap is not None:
                raise invalid()
            gap = len(fields)
        else:
            fields.append(_either(tokens, _field))
        if tokens.peek()[0] != "end":
            tokens.expect("op", ",")

    def matches(message: str) -> bool:
        words = [next(w for w in groups if w is not None) for groups in _split(message)]
        if len(words) != len(fields) and (gap is None or len(words) < len(fields)):
            return False
        if gap is not None:
            words = words[:gap] + words[len(words) - (len(fields) - gap) :]
        return all(test(word) for test, word in zip(fields, words, strict=True))

    return matches


def _split(message: str) -> list[tuple[str | None, ...]]:
    return [match.groups() for match in _WORDS.finditer(message)]


def _field(tokens: _Tokens, depth: int) -> Test:
    """A name alone, or with a comparison."""
    kind, _ = tokens.take()
    if kind != "word":
        raise invalid()
    kind, op = tokens.peek()
    if kind != "op" or op not in _COMPARE:
        return lambda word: True
    tokens.take()
    return _value_test(op, tokens.take())
