"""Expressions: every tree that can be written is read back, nonsense is refused, what is compiled does as it says."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudlet.services.dynamodb.expressions import (
    ExpressionError,
    compile_condition,
    compile_projection,
    compile_update,
)
from cloudlet.services.dynamodb.expressions.nodes import (
    And,
    Between,
    Call,
    Compare,
    In,
    Not,
    Or,
    Path,
    ValueRef,
)
from cloudlet.services.dynamodb.expressions.parser import parse_condition, parse_update

names = st.sampled_from(["a", "b1", "long_name", "#x", "#y_2"])
paths = st.builds(
    lambda head, rest: Path((head, *rest)), names, st.lists(names | st.integers(0, 99), max_size=3)
)
values = st.sampled_from([":v", ":w1", ":long_value"]).map(ValueRef)
operands = paths | values | paths.map(lambda path: Call("size", (path,)))
leaves = st.one_of(
    st.builds(Compare, st.sampled_from(["=", "<>", "<", "<=", ">", ">="]), operands, operands),
    st.builds(Between, operands, operands, operands),
    st.builds(In, operands, st.lists(operands, min_size=1, max_size=3).map(tuple)),
    paths.map(lambda path: Call("attribute_exists", (path,))),
    st.tuples(paths, values).map(lambda args: Call("begins_with", args)),
)
trees = st.recursive(
    leaves, lambda inner: st.builds(And, inner, inner) | st.builds(Or, inner, inner) | st.builds(Not, inner)
)


def written(node: Any) -> str:
    if isinstance(node, Path):
        text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in node.parts)
        return text.removeprefix(".")
    if isinstance(node, ValueRef):
        return node.name
    if isinstance(node, Call):
        return f"{node.name}({', '.join(map(written, node.args))})"
    if isinstance(node, Compare):
        return f"{written(node.left)} {node.sign} {written(node.right)}"
    if isinstance(node, Between):
        return f"{written(node.subject)} between {written(node.low)} AND {written(node.high)}"
    if isinstance(node, In):
        return f"{written(node.subject)} In ({','.join(map(written, node.options))})"
    if isinstance(node, Not):
        return f"NOT {grouped(node.inner)}"
    word = "and" if isinstance(node, And) else "OR"
    return f"{grouped(node.left)} {word} {grouped(node.right)}"


def grouped(node: Any) -> str:
    return f"( {written(node)})" if isinstance(node, And | Or | Not) else written(node)


@given(trees)
def test_what_is_written_is_read(tree):
    assert parse_condition(written(tree)) == tree


@given(st.text(st.sampled_from("ab:#()[]<>=,. +-0andornt\n"), max_size=30))
def test_any_text_is_read_or_refused(text):
    for parse in (parse_condition, parse_update):
        try:
            parse(text)
        except ExpressionError as error:
            assert str(error)


def test_precedence():
    a, b, c = (Compare("=", Path((name,)), ValueRef(":v")) for name in "abc")
    assert parse_condition("a = :v OR b = :v AND NOT c = :v") == Or(a, And(b, Not(c)))
    assert parse_condition("(a = :v OR b = :v) AND c = :v") == And(Or(a, b), c)
    assert parse_condition("((a) = (:v))  AND (b = :v)") == And(a, b)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a", 'Syntax error; token: "<EOF>", near: "a"'),
        ("a = b = c", 'Syntax error; token: "=", near: "b = c"'),
        ("a = AND", 'Syntax error; token: "AND", near: "= AND"'),
        ("a = $", 'Syntax error; token: "$", near: "= $"'),
        ("((a = b))", "The expression has redundant parentheses;"),
        ("NOT (a = ((b)))", "The expression has redundant parentheses;"),
        ("Attribute_exists(a)", "Invalid function name; function: Attribute_exists"),
        (
            "attribute_exists(a) = b",
            "The function is not allowed to be used this way in an expression; function: attribute_exists",
        ),
        ("size(a)", "The function is not allowed to be used this way in an expression; function: size"),
        (
            "size(size(a)) = b AND begins_with(contains(a, b), c)",
            "The function is not allowed to be used this way in an expression; function: contains",
        ),
        ("table = b", "Attribute name is a reserved keyword; reserved keyword: table"),
        (
            "attribute_exists(a, b)",
            (
                "Incorrect number of operands for operator or function; "
                "operator or function: attribute_exists, number of operands: 2"
            ),
        ),
        (
            "attribute_exists(:s)",
            "Operator or function requires a document path; operator or function: attribute_exists",
        ),
        (
            "a.b = a.b",
            (
                "The first operand must be distinct from the remaining operands for this operator or function; "
                "operator: =, first operand: [a, b]"
            ),
        ),
        (
            "begins_with(a, :n)",
            "Incorrect operand type for operator or function; operator or function: begins_with, operand type: N",
        ),
        (
            "size(:n) = a",
            "Incorrect operand type for operator or function; operator or function: size, operand type: N",
        ),
        (
            "attribute_type(a, :s)",
            "Invalid attribute type name found; type: b, valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}",
        ),
        (
            "a BETWEEN :list AND :list",
            "Incorrect operand type for operator or function; operator or function: BETWEEN, operand type: L",
        ),
        (
            "a BETWEEN :s AND :n",
            (
                "The BETWEEN operator requires same data type for lower and upper bounds; "
                "lower bound operand: AttributeValue: {S:b}, upper bound operand: AttributeValue: {N:1}"
            ),
        ),
        (
            "a BETWEEN :s AND :t",
            (
                "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; "
                "lower bound operand: AttributeValue: {S:b}, upper bound operand: AttributeValue: {S:a}"
            ),
        ),
        (
            f"a IN ({', '.join([':s'] * 101)})",
            "The IN operator is provided with too many operands; number of operands: 101",
        ),
        (
            "a = :nope",
            "An expression attribute value used in expression is not defined; attribute value: :nope",
        ),
        (
            "#nope = a",
            "An expression attribute name used in the document path is not defined; attribute name: #nope",
        ),
    ],
)
def test_refusals(text, message):
    given_values = {":s": {"S": "b"}, ":t": {"S": "a"}, ":n": {"N": "1"}, ":list": {"L": []}}
    with pytest.raises(ExpressionError, match=re.escape(message)):
        compile_condition(text, ()).check(given_values)


def matches(text: str, item: dict[str, Any], **given_values: Any) -> bool:
    condition = compile_condition(text, (("#t", "table"),))
    references = {f":{name}": value for name, value in given_values.items()}
    condition.check(references)
    return condition.matches(item, references)


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("n = :one", True),
        ("n < :two AND n >= :one", True),
        ("t < :one", False),
        ("t = :one OR t <> :one", True),
        ("m.l[1] = :two", True),
        ("m.l[7] = :two", False),
        ("m.l[7] <> :two", True),
        ("size(t) = :two AND size(m.l) = :two AND size(s) = :two", True),
        ("contains(s, :x) AND NOT contains(s, :y)", True),
        ("contains(m.l, :two)", True),
        ("contains(t, :x)", True),
        ("contains(n, :one)", False),
        ("begins_with(b, :bin)", True),
        ("attribute_type(m, :map)", True),
        ("s = :set", True),
        (":x IN (t, n) OR n IN (t, :one)", True),
        ("n BETWEEN :one AND :two", True),
        ("b BETWEEN :bin AND :bin", False),
        ("attribute_exists(#t)", True),
        ("attribute_not_exists(m.nope.deep[3])", True),
        ("nope = nowhere", False),
        ("nope <> nowhere", False),
        ("zilch = :null", True),
    ],
)
def test_evaluation(text, holds):
    item = {
        "n": {"N": "1"},
        "t": {"S": "xz"},
        "b": {"B": b"\x01\x02"},
        "s": {"SS": ["x", "w"]},
        "m": {"M": {"l": {"L": [{"N": "1"}, {"N": "2"}]}}},
        "zilch": {"NULL": True},
        "table": {"S": ""},
    }
    given_values = {
        "one": {"N": "1"},
        "two": {"N": "2"},
        "x": {"S": "x"},
        "y": {"S": "y"},
        "bin": {"B": b"\x01"},
        "map": {"S": "M"},
        "set": {"SS": ["w", "x"]},
        "null": {"NULL": True},
    }
    assert matches(text, item, **given_values) is holds


def test_an_update_leaves_the_old_item_whole():
    old = {"m": {"M": {"l": {"L": [{"S": "a"}, {"M": {"x": {"N": "1"}}}]}}}, "s": {"SS": ["a"]}}
    kept = repr(old)
    update = compile_update("SET m.l[1].x = :v, m.y = :v REMOVE m.l[0] ADD s :s", ())
    new = update.apply(old, {":v": {"N": "2"}, ":s": {"SS": ["b"]}})
    assert new == {
        "m": {"M": {"l": {"L": [{"M": {"x": {"N": "2"}}}]}, "y": {"N": "2"}}},
        "s": {"SS": ["a", "b"]},
    }
    assert repr(old) == kept


def test_compiled_once():
    assert compile_condition("a = :v", ()) is compile_condition("a = :v", ())
    assert compile_projection("a, #b", (("#b", "b"),)) is not compile_projection("a, #b", (("#b", "c"),))


@pytest.mark.parametrize(
    "text",
    [
        "NOT (" * 800 + "a = b" + ")" * 800,
        "NOT " * 1000 + "a = b",
        "size(" * 400 + "a" + ")" * 400 + " = b",
    ],
)
def test_depth_is_bounded(text):
    with pytest.raises(ExpressionError, match="nested too deeply"):
        parse_condition(text)


def test_long_chains():
    text = " OR ".join(["a = :v"] * 150)
    assert matches(text, {"a": {"S": "x"}}, v={"S": "x"})
