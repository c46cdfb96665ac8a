"""Keys: unpacked as packed, sorted as their parts, ranges that hold exactly what continues them."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudlet.store.keys import Subspace, decode, encode, prefix_range, successor

texts = st.text(st.characters(exclude_categories=["Cs"])) | st.text("a\x00\x01\xff")
blobs = st.binary() | st.binary(max_size=4).map(
    lambda raw: raw.replace(b"\x01", b"\x00").replace(b"\x02", b"\xff")
)
integers = (
    st.integers()
    | st.integers(-(2**80), 2**80)
    | st.integers(-70, 70).map(lambda n: (n > 0) * 2 ** abs(n) - n)
)
floats = st.floats(allow_nan=False)
scalars = st.none() | st.booleans() | integers | floats | blobs | texts
parts = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3).map(tuple), max_leaves=6)
tuples = st.lists(parts, max_size=5).map(tuple)


@given(tuples)
def test_round_trip(value: tuple[Any, ...]) -> None:
    assert repr(decode(encode(value))) == repr(value)


@given(st.one_of(*(st.tuples(kind, kind) for kind in (texts, blobs, integers, floats, st.booleans()))))
def test_order_within_a_type(pair: tuple[Any, Any]) -> None:
    a, b = pair
    assert (encode((a,)) < encode((b,))) == (a < b or (a == b and repr(a) == "-0.0" and repr(b) == "0.0"))


@given(st.lists(st.tuples(texts, integers, blobs), max_size=8))
def test_order_of_tuples(values: list[tuple[Any, ...]]) -> None:
    assert sorted(values) == [decode(key) for key in sorted(map(encode, values))]


def test_order_of_types() -> None:
    ordered = (None, False, True, -(2**70), -1, 0, 1, 2**70, -1.5, 2.5, b"", b"z", "", "z", (), ("a",))
    assert sorted(ordered, key=lambda part: encode((part,))) == list(ordered)


@given(tuples, tuples)
def test_a_range_holds_what_continues_it(begin: tuple[Any, ...], other: tuple[Any, ...]) -> None:
    low, high = Subspace("s").range(*begin)
    continues = repr(other[: len(begin)]) == repr(begin)
    assert (low <= Subspace("s").pack(*other) < high) == continues
    assert low <= Subspace("s").pack(*begin, *other) < high


def test_subspaces() -> None:
    tables = Subspace("dynamodb").sub("000000000000", "us-east-1")
    key = tables.pack("Table", 5)
    assert key == Subspace("dynamodb").pack("000000000000", "us-east-1", "Table", 5)
    assert tables.unpack(key) == ("Table", 5)
    with pytest.raises(ValueError, match="not under"):
        Subspace("sqs").unpack(key)


def test_successor_is_the_next_key() -> None:
    key = encode(("a",))
    assert key < successor(key) <= encode(("a", None))


@pytest.mark.parametrize("prefix", [b"a", b"a\xff", b"a\xff\xff", b"\x00"])
def test_prefix_range(prefix: bytes) -> None:
    begin, end = prefix_range(prefix)
    assert begin <= prefix < prefix + b"\xff" * 5 < end
    assert not begin <= prefix[:-1] + bytes([prefix[-1] + 1 & 0xFF]) < end
    with pytest.raises(ValueError, match="no end"):
        prefix_range(b"\xff")


def test_what_is_no_part() -> None:
    for part in ([], {}, object(), bytearray(b"x")):
        with pytest.raises(TypeError, match="no part of type"):
            encode((part,))


@pytest.mark.parametrize(
    "broken",
    [
        b"\x77",
        b"\x38abc",
        b"\x38ab\x00\xff",
        b"\x19",
        b"\x28abc",
        b"\x40\x05",
        b"\x00",
        b"\x21\x00\x00\x00\x09",
    ],
)
def test_broken_keys_are_refused(broken: bytes) -> None:
    with pytest.raises((ValueError, struct.error)):
        decode(broken)
