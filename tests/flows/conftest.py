"""A browser for the tests of pages, and windows of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.flows.browser import browser


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with browser() as running:
        yield running


@pytest.fixture
def new_window(chromium: Any) -> Iterator[Callable[..., Any]]:
    """`new_window(width=…, height=…, **context)`: somebody else's browser, closed after; page errors fail the test."""
    contexts, errors = [], []

    def make(*, width: int = 900, height: int = 700, **options: Any) -> Any:
        context = chromium.new_context(viewport={"width": width, "height": height}, **options)
        context.set_default_timeout(10_000)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        return page

    yield make
    for context in contexts:
        context.close()
    assert errors == []
