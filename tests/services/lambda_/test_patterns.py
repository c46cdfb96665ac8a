"""The pattern language of filter criteria."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cloudlet.patterns import BadPattern, compiled
from cloudlet.services.lambda_.event_sources.batches import failed_items, is_wanted


def matches(pattern: Any, record: dict[str, Any]) -> bool:
    return compiled(json.dumps(pattern)).matches(record)


class TestConditions:
    @pytest.mark.parametrize(
        ("condition", "fit", "unfit"),
        [
            ("a", ["a", ["x", "a"]], ["A", 1, None, []]),
            (5, [5, 5.0], ["5", True, 6]),
            (True, [True], [1, "true", False]),
            (None, [None], ["", 0, False]),
            ("", [""], [None, "x"]),
            ({"prefix": "ab"}, ["ab", "abc"], ["xab", "AB", 5]),
            ({"prefix": {"equals-ignore-case": "ab"}}, ["ABc"], ["xab"]),
            ({"suffix": ".png"}, ["a.png"], ["a.PNG", ".pngx"]),
            ({"suffix": {"equals-ignore-case": ".PNG"}}, ["a.png"], ["a.jpg"]),
            ({"equals-ignore-case": "Abc"}, ["aBC"], ["abcd", 1]),
            ({"wildcard": "a*c*"}, ["ac", "abbbcd"], ["xac", "ab"]),
            ({"wildcard": "\\*\\\\"}, ["*\\"], ["x\\"]),
            ({"anything-but": "a"}, ["b", 1], ["a"]),
            ({"anything-but": ["a", 1]}, ["b", 2], ["a", 1]),
            ({"anything-but": {"prefix": "a"}}, ["b"], ["ab"]),
            ({"anything-but": {"suffix": ["a", "b"]}}, ["c"], ["xa", "xb"]),
            ({"numeric": ["=", 3]}, [3, 3.0], ["3", 4]),
            ({"numeric": [">", 0, "<=", 5]}, [0.1, 5], [0, 5.1, None, True]),
            ({"cidr": "10.0.0.0/24"}, ["10.0.0.7"], ["10.0.1.7", "ten", 10]),
            ({"exists": True}, ["x", None, 0], []),
        ],
    )
    def test_each_operator(self, condition: Any, fit: list[Any], unfit: list[Any]) -> None:
        for value in fit:
            assert matches({"k": [condition]}, {"k": value}), value
        for value in unfit:
            assert not matches({"k": [condition]}, {"k": value}), value
        assert not matches({"k": [condition]}, {"other": 1})

    def test_one_condition_of_a_leaf_and_all_leaves(self) -> None:
        pattern = {"a": [{"prefix": "x"}, "y"], "b": {"c": [1, 2]}}
        assert matches(pattern, {"a": "y", "b": {"c": 2}, "more": 1})
        assert not matches(pattern, {"a": "y", "b": {"c": 3}})
        assert not matches(pattern, {"a": "z", "b": {"c": 2}})

    def test_what_is_not_there(self) -> None:
        assert matches({"a": {"b": [{"exists": False}]}}, {"a": {"c": 1}})
        assert matches({"a": {"b": [{"exists": False}]}}, {})
        assert not matches({"a": {"b": [{"exists": False}]}}, {"a": {"b": None}})

    def test_objects_are_no_leaves(self) -> None:
        """`{"k": {"S": "x"}}` has a leaf at k.S, and none at k."""
        for condition in ({"exists": True}, {"anything-but": "y"}, "x"):
            assert not matches({"k": [condition]}, {"k": {"S": "x"}})
        assert matches({"k": [{"exists": False}]}, {"k": {"S": "x"}})
        assert matches({"k": {"S": [{"exists": True}]}}, {"k": {"S": "x"}})
        assert matches({"k": [{"exists": False}]}, {"k": []})

    def test_arrays_of_objects_need_one_that_fits_whole(self) -> None:
        pattern = {"items": {"kind": ["a"], "n": [1]}}
        assert matches(pattern, {"items": [{"kind": "b", "n": 1}, {"kind": "a", "n": 1}]})
        assert not matches(pattern, {"items": [{"kind": "b", "n": 1}, {"kind": "a", "n": 2}]})

    def test_alternatives(self) -> None:
        pattern = {"kind": ["k"], "$or": [{"a": [1]}, {"b": {"c": [{"numeric": [">", 5]}]}}]}
        assert matches(pattern, {"kind": "k", "a": 1})
        assert matches(pattern, {"kind": "k", "b": {"c": 6}})
        assert not matches(pattern, {"kind": "k", "b": {"c": 5}})
        assert not matches(pattern, {"a": 1})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no json",
        "[]",
        '"x"',
        '{"a": "x"}',
        '{"a": []}',
        '{"a": {}}',
        '{"a": [{"prefix": 5}]}',
        '{"a": [{"prefix": "x", "suffix": "y"}]}',
        '{"a": [{"like": "x"}]}',
        '{"a": [["x"]]}',
        '{"a": [{"numeric": [">"]}]}',
        '{"a": [{"numeric": [">", "5"]}]}',
        '{"a": [{"numeric": ["<", 5, ">", 0]}]}',
        '{"a": [{"exists": "yes"}]}',
        '{"a": [{"anything-but": []}]}',
        '{"a": [{"cidr": "10.0.0.0/99"}]}',
        '{"a": [{"wildcard": "a**"}]}',
        '{"$or": []}',
        '{"$or": [{}]}',
    ],
)
def test_what_is_no_pattern(text: str) -> None:
    with pytest.raises(BadPattern):
        compiled(text)


class TestBodies:
    @pytest.mark.parametrize(
        ("pattern", "body", "wanted"),
        [
            ({"body": {"n": [1]}}, '{"n": 1}', True),
            ({"body": {"n": [1]}}, '{"n": 2}', False),
            ({"body": {"n": [1]}}, "plain", False),
            ({"body": {"n": [{"exists": False}]}}, "plain", False),
            ({"body": ["plain"]}, "plain", True),
            ({"body": [{"prefix": "pl"}]}, "plain", True),
            ({"body": [{"exists": True}]}, '{"n": 1}', False),
            ({"attributes": {"SenderId": ["me"]}}, '{"n": 1}', True),
            ({"attributes": {"SenderId": ["me"]}}, "plain", True),
            ({"attributes": {"SenderId": ["you"]}}, "plain", False),
            ({"$or": [{"body": {"n": [1]}}, {"body": {"m": [1]}}]}, '{"m": 1}', True),
        ],
    )
    def test_a_body_is_json_or_plain_as_the_pattern_is(self, pattern: Any, body: str, wanted: bool) -> None:
        record = {"body": body, "attributes": {"SenderId": "me"}}
        assert is_wanted(record, [compiled(json.dumps(pattern))]) is wanted

    def test_one_of_several_is_enough(self) -> None:
        patterns = [compiled('{"body": ["a"]}'), compiled('{"body": {"n": [1]}}')]
        assert is_wanted({"body": "a"}, patterns)
        assert is_wanted({"body": '{"n": 1}'}, patterns)
        assert not is_wanted({"body": "b"}, patterns)


KNOWN = frozenset(("a", "b"))


class TestBatchItemFailures:
    @pytest.mark.parametrize(
        "answer",
        [b"null", b"{}", b"[]", b'""', b'{"batchItemFailures": []}', b'{"batchItemFailures": null}'],
    )
    def test_none(self, answer: bytes) -> None:
        assert failed_items(answer, KNOWN) == frozenset()

    def test_those_that_are_named(self) -> None:
        answer = b'{"batchItemFailures": [{"itemIdentifier": "a"}, {"itemIdentifier": "a"}]}'
        assert failed_items(answer, KNOWN) == {"a"}

    @pytest.mark.parametrize(
        "answer",
        [
            b"",
            b'"text"',
            b'["a"]',
            b'{"batchItemFailures": "a"}',
            b'{"batchItemFailures": ["a"]}',
            b'{"batchItemFailures": [{"itemIdentifier": ""}]}',
            b'{"batchItemFailures": [{"itemIdentifier": null}]}',
            b'{"batchItemFailures": [{"itemIdentifier": ["a"]}]}',
            b'{"batchItemFailures": [{"id": "a"}]}',
            b'{"batchItemFailures": [{"itemIdentifier": "a"}, {"itemIdentifier": "unknown"}]}',
        ],
    )
    def test_all_when_it_can_not_be_understood(self, answer: bytes) -> None:
        assert failed_items(answer, KNOWN) == KNOWN
