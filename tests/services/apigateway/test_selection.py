"""Selection expressions: the parser against what it must do with any text, and examples."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudlet.services.apigateway.selection import (
    Reference,
    Selection,
    SelectionError,
    descend,
    parse,
    stringify,
)

NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)
STEPS = st.lists(st.tuples(NAMES, st.lists(st.integers(0, 99), max_size=2)), max_size=3)


@st.composite
def references(draw: Any) -> Reference:
    root, source = draw(
        st.sampled_from(
            [("request", "body"), ("request", "header"), ("context", ""), ("stageVariables", ""),
             ("integration.response", "header")]
        )
    )  # fmt: skip
    steps: list[str | int] = [draw(NAMES)] if root in ("context", "stageVariables") else []
    for name, indexes in draw(STEPS):
        steps += [name, *indexes]
    return Reference(root, source, tuple(steps))


LITERALS = st.text("ab.{}[]/-_ é0", min_size=1, max_size=8)


class TestParse:
    @given(st.lists(st.one_of(LITERALS, references()), max_size=5))
    def test_what_is_written_is_read(self, parts: list[str | Reference]) -> None:
        text = "".join(part if isinstance(part, str) else f"${{{part}}}" for part in parts)
        joined: list[str | Reference] = []
        for part in parts:
            if isinstance(part, str) and joined and isinstance(joined[-1], str):
                joined[-1] += part
            else:
                joined.append(part)
        assert parse(text) == Selection(tuple(joined))

    @given(references())
    def test_a_reference_needs_no_braces(self, reference: Reference) -> None:
        assert parse(f"${reference}") == Selection((reference,))

    @given(st.text(alphabet="$\\{}.[]abcrequestbody012 ", max_size=30))
    def test_anything_is_read_or_refused(self, text: str) -> None:
        try:
            parse(text)
        except SelectionError:
            assert "${" in text

    @given(LITERALS)
    def test_literal_text_selects_itself(self, text: str) -> None:
        assert parse(text).select(lambda reference: None) == text

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("$request.body.action", "join"),
            ("${request.body.action}", "join"),
            ("$request.body.action/${request.body.room.name}", "join/blue"),
            ("${request.body.items[1].id}-x", "7-x"),
            ("${request.body.room}", '{"name":"blue"}'),
            ("${request.body.yes}", "true"),
            ("\\$default", "$default"),
            ("$default", "$default"),
            ("$5 and $request", "$5 and $request"),
            ("$request.body.none", None),
            ("$request.body.items[9]", None),
            ("$request.body.action.deeper", None),
        ],
    )
    def test_examples(self, text: str, expected: str | None) -> None:
        body = {"action": "join", "room": {"name": "blue"}, "items": [{}, {"id": 7}], "yes": True}
        assert parse(text).select(lambda reference: descend(body, reference.steps)) == expected

    @pytest.mark.parametrize(
        "text", ["${request.body.a", "${request.body.a b}", "${nothing.body}", "${request.body.a[x]}"]
    )
    def test_what_cannot_be_read_is_refused(self, text: str) -> None:
        with pytest.raises(SelectionError):
            parse(text)


class TestDescend:
    @given(
        st.recursive(
            st.integers(), lambda inner: st.lists(inner) | st.dictionaries(NAMES, inner), max_leaves=8
        )
    )
    def test_every_path_leads_to_its_value(self, value: Any) -> None:
        def walk(at: Any, steps: tuple[str | int, ...]) -> None:
            assert descend(value, steps) == at
            if isinstance(at, dict):
                for key, inner in at.items():
                    walk(inner, (*steps, key))
            elif isinstance(at, list):
                for index, inner in enumerate(at):
                    walk(inner, (*steps, index))

        walk(value, ())

    def test_values_are_written_as_json_and_text_as_it_is(self) -> None:
        assert [stringify(value) for value in ("a", 1, 1.5, True, None, [1])] == [
            "a",
            "1",
            "1.5",
            "true",
            "null",
            "[1]",
        ]
