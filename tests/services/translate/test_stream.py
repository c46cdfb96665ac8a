"""Text to the engine's stream and back, without an engine: what is not translated comes back as it was."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cloudlet.services.translate import stream

ANY_TEXT = st.text(
    alphabet=st.characters(exclude_categories=["Cs", "Cn"], exclude_characters="\x00"), max_size=200
)


@given(ANY_TEXT, st.booleans())
def test_a_text_that_nobody_changes_comes_back(text: str, html: bool) -> None:
    pieces, places = stream.split(text, html=html)
    for place in places:
        segment = stream.encode(pieces[place], {})
        pieces[place] = stream.decode(segment.stream, segment.stopped)
    assert "".join(pieces) == text


@given(st.text(max_size=60))
def test_a_segment_never_ends_the_question(text: str) -> None:
    assert b"\0" not in stream.encode(f"{text}\0{text}", {}).stream
