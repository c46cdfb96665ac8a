"""Reading a page: as many stored items of a range as a limit and a number of bytes allow."""

from __future__ import annotations

from dataclasses import dataclass

from ...store.interface import Transaction
from . import storage

_FIRST_CHUNK = 64
_LAST_CHUNK = 4096


@dataclass(slots=True)
class Page:
    values: list[bytes]
    more: bool
    """Whether the page ended before the range did, as far as the service says it: a page that is full is never known to
    be the last."""

    @property
    def size(self) -> int:
        return sum(map(storage.size_of, self.values))


async def read_page(tx: Transaction, span: storage.Range, limit: int, reverse: bool, max_size: int) -> Page:
    """The first `limit` items (0: all), but no more once their sizes make `max_size`.

    An item's stored form is never smaller than its size, so for most pages the sizes needn't be added up.
    """
    values: list[bytes] = []
    size = 0
    bytes_at_most = 0
    chunk = min(limit, _FIRST_CHUNK) if limit else _FIRST_CHUNK
    while True:
        rows = await tx.range(*span, limit=chunk, reverse=reverse)
        bytes_at_most += sum([len(value) for _, value in rows])
        if bytes_at_most < max_size:
            values += [value for _, value in rows]
        else:
            size = size or sum(map(storage.size_of, values))
            for _, value in rows:
                values.append(value)
                size += storage.size_of(value)
                if size >= max_size:
                    return Page(values, True)
        if limit and len(values) >= limit:
            return Page(values, True)
        if len(rows) < chunk:
            return Page(values, False)
        span = storage.after(span, rows[-1][0], reverse)
        room = (max_size - size) * len(values) // bytes_at_most + 1
        chunk = min(_LAST_CHUNK, room, limit - len(values) if limit else room)
