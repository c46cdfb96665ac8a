"""Filter patterns: what they match, and what is no pattern."""

from __future__ import annotations

import pytest

from cloudlet.errors import AwsError
from cloudlet.services.logs import patterns

RECORD = '{"level": "error", "code": 502, "ok": false, "none": null, "user": {"id": 7, "tags": ["a", "b"]}, "a.b": 1}'


@pytest.mark.parametrize(
    ("pattern", "message", "matches"),
    [
        ("", "anything", True),
        ("ERROR", "[ERROR 400] bad", True),
        ("error", "[ERROR 400] bad", False),
        ("ERROR bad", "[ERROR 400] bad", True),
        ("ERROR good", "[ERROR 400] bad", False),
        ('"ERROR 400"', "[ERROR 400] bad", True),
        ('"400 ERROR"', "[ERROR 400] bad", False),
        ("ERROR -bad", "[ERROR 400] bad", False),
        ("ERROR -good", "[ERROR 400] bad", True),
        ("-bad", "fine", True),
        ("?WARN ?ERROR", "ERROR", True),
        ("?WARN ?ERROR", "INFO", False),
        ("?WARN INFO", "INFO", True),
        ("%ER{1,2}OR [0-9]+%", "[ERROR 400]", True),
        ("%^ERROR%", "[ERROR 400]", False),
        ('{ $.level = "error" }', RECORD, True),
        ('{ $.level = "err*" }', RECORD, True),
        ('{ $.level != "error" }', RECORD, False),
        ("{ $.level = error }", RECORD, True),
        ("{ $.level = %^err% }", RECORD, True),
        ("{ $.code >= 500 && $.code < 600 }", RECORD, True),
        ("{ $.code = 5e2 || $.user.id = 7 }", RECORD, True),
        ("{ ($.code = 1 || $.code = 502) && $.user.id != 7 }", RECORD, False),
        ("{ $.ok IS FALSE }", RECORD, True),
        ("{ $.ok IS TRUE }", RECORD, False),
        ("{ $.none IS NULL }", RECORD, True),
        ("{ $.missing NOT EXISTS }", RECORD, True),
        ("{ $.level NOT EXISTS }", RECORD, False),
        ('{ $.user.tags[1] = "b" }', RECORD, True),
        ('{ $.user.tags[*] = "b" }', RECORD, True),
        ("{ $.['a.b'] = 1 }", RECORD, None),
        ("{ $['a.b'] = 1 }", RECORD, True),
        ("{ $.code = 502 }", "not json", False),
        ("[ip, user, status = 4*, size]", '127.0.0.1 bob "404" 10', True),
        ("[ip, user, status = 4*, size]", "127.0.0.1 bob 200 10", False),
        ("[ip, ..., status = 4* || status = 5*, size > 5]", "127.0.0.1 bob [a date] 500 10", True),
        ("[ip, user]", "one two three", False),
        ("{ $.a = ", "x", None),
        ("{ $.a ~ 1 }", "x", None),
        ("{ a = 1 }", "x", None),
        ("{ $.a > text }", "x", None),
        ("%[%", "x", None),
        ("%(a+)+b%", "x", None),
        (r"%\(a\)%", "f(a)", True),
        ("{ " + "(" * 200 + "$.a = 1" + ")" * 200 + " }", "x", None),
    ],
)
def test_pattern(pattern: str, message: str, matches: bool | None) -> None:
    if matches is None:
        with pytest.raises(AwsError, match="Invalid filter pattern"):
            patterns.compile(pattern)
    else:
        assert patterns.compile(pattern)(message) is matches
