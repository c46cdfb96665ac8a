"""Numbers: one text for each, exact arithmetic, bytes in their order, sizes."""

from __future__ import annotations

from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudlet.errors import AwsError
from cloudlet.services.dynamodb import numbers


@st.composite
def texts(draw: st.DrawFn) -> str:
    """A number as somebody may write it, within DynamoDB's range."""
    digits = draw(st.from_regex(r"[1-9][0-9]{0,37}", fullmatch=True))
    exponent = draw(st.integers(-130, 125 - len(digits)))
    sign = draw(st.sampled_from(["", "-", "+"]))
    zeros = "0" * draw(st.integers(0, 3))
    if draw(st.booleans()):
        return f"{sign}{zeros}{digits}e{exponent}"
    return f"{sign}{zeros}{Decimal(f'{digits}e{exponent}'):f}"


@given(texts())
def test_normalising_keeps_the_value_and_is_stable(text):
    normal = numbers.normalise(text)
    assert Decimal(normal) == Decimal(text)
    assert numbers.normalise(normal) == normal
    assert "e" not in normal.lower()


@given(texts(), texts())
def test_equal_numbers_are_equal_texts_and_bytes_keep_the_order(a, b):
    first, second = numbers.normalise(a), numbers.normalise(b)
    x, y = numbers.encode(first), numbers.encode(second)
    assert (Decimal(a) == Decimal(b)) == (first == second) == (x == y)
    assert (Decimal(a) < Decimal(b)) == (x < y)


@given(texts())
def test_zero_lies_between(text):
    normal = numbers.normalise(text)
    assert (numbers.encode(normal) < numbers.encode("0")) == (normal[0] == "-")


decimals = st.decimals(-(10**20), 10**20, places=8) | st.integers(-(10**20), 10**20).map(Decimal)


@given(decimals, decimals)
def test_arithmetic_is_exact(a, b):
    left, right = numbers.normalise(f"{a:f}"), numbers.normalise(f"{b:f}")
    with localcontext() as context:
        context.prec = 100
        assert Decimal(numbers.add(left, right)) == a + b
        assert Decimal(numbers.subtract(left, right)) == a - b


@given(texts())
def test_size_is_about_half_the_digits(text):
    normal = numbers.normalise(text)
    digits = len(normal.strip("-").replace(".", "").strip("0"))
    assert digits / 2 < numbers.size(normal) <= digits / 2 + 3


@pytest.mark.parametrize(
    ("text", "size"), [("0", 1), ("1", 2), ("-1", 3), ("100", 2), ("12", 2), ("1.5", 3), ("123", 3)]
)
def test_sizes(text, size):
    assert numbers.size(text) == size


@pytest.mark.parametrize(
    "text", ["", " 1", "1 ", "1_0", "NaN", "Infinity", "e1", ".", "1e", "--1", "0x1", "١"]
)
def test_what_is_no_number(text):
    with pytest.raises(AwsError, match="cannot be converted to a numeric value"):
        numbers.normalise(text)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("1e126", "overflow"),
        ("-1e999999999999", "overflow"),
        ("1e-131", "underflow"),
        ("1" + "0" * 37 + "1", "38"),
    ],
)
def test_what_is_out_of_range(text, word):
    with pytest.raises(AwsError, match=word):
        numbers.normalise(text)
