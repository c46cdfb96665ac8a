"""Attribute values: sizes, comparison, and that what is stored comes back."""

from __future__ import annotations

import copy

from hypothesis import given
from hypothesis import strategies as st

from cloudlet.services.dynamodb import attributes, storage

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
number = st.integers(-(10**12), 10**12).map(str)
scalars = st.one_of(
    text.map(lambda t: {"S": t}),
    number.map(lambda n: {"N": n}),
    st.binary(max_size=8).map(lambda b: {"B": b}),
    st.booleans().map(lambda b: {"BOOL": b}),
    st.just({"NULL": True}),
    st.lists(text, min_size=1, max_size=4, unique=True).map(lambda s: {"SS": s}),
    st.lists(number, min_size=1, max_size=4, unique=True).map(lambda s: {"NS": s}),
    st.lists(st.binary(max_size=4), min_size=1, max_size=4, unique=True).map(lambda s: {"BS": s}),
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda v: {"L": v})
        | st.dictionaries(text, inner, max_size=3).map(lambda v: {"M": v})
    ),
    max_leaves=8,
)
items = st.dictionaries(text.filter(bool), values, max_size=4)


@given(items)
def test_stored_form(item):
    size = attributes.check_item(item)
    value = storage.stored(item, size)
    assert storage.item_of(value) == item
    assert storage.size_of(value) == size == attributes.item_size(item)
    assert len(storage.body_of(value)) >= size


@given(values)
def test_equal_to_its_copy_with_sets_in_another_order(value):
    def shuffled(v):
        kind, content = next(iter(v.items()))
        if kind in attributes.SETS:
            return {kind: content[::-1]}
        if kind == "L":
            return {"L": [shuffled(x) for x in content]}
        if kind == "M":
            return {"M": {k: shuffled(x) for k, x in content.items()}}
        return v

    assert attributes.equal(value, copy.deepcopy(value))
    assert attributes.equal(value, shuffled(value))


@given(values, values)
def test_equality_agrees_both_ways(a, b):
    assert attributes.equal(a, b) == attributes.equal(b, a)
    order = attributes.compare(a, b)
    if order is not None:
        assert (order == 0) == attributes.equal(a, b)
        assert attributes.compare(b, a) == -order


def test_sizes():
    assert attributes.item_size({"name": {"S": "äb"}}) == 4 + 3
    assert attributes.item_size({"l": {"L": [{"NULL": True}, {"BOOL": False}]}}) == 1 + 3 + 2 * (1 + 1)
    assert attributes.item_size({"m": {"M": {"k": {"B": b"123"}}}}) == 1 + 3 + 1 + (1 + 3)
    assert attributes.item_size({"s": {"SS": ["ab", "c"]}}) == 1 + 3
