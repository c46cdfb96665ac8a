"""One teller at a time: whoever gets the lock tells everybody all that is new, the others leave it to him.

An item of `Connections` counts what there is to tell (`seq`) and what has been told (`told`). The teller lets go in
the same step in which he sees that nothing is left, and what is new is counted before somebody tries the lock: so
nothing is left untold. Under load frames get larger, not more. A teller that dies has the lock for `LEASE_MS`, then the
next one tells what he left; what is told twice doesn't hurt, because it is numbered.
"""

import time

import table

LEASE_MS = 10_000
RESERVE_MS = 3_000
"""So much of the function's time is left when a teller stops."""


def run(key, context, tell):
    """`tell(item, told)` tells what is after `told`, up to the item's `seq`; it returns up to where it came."""
    token = context.aws_request_id
    item = take(key, token)
    while item is not None:
        told = item.get("told", 0)
        try:
            told = tell(item, told)
        except BaseException:
            release(key, token, told, "seq >= :told")
            raise
        if context.get_remaining_time_in_millis() < RESERVE_MS:
            release(key, token, told, "seq >= :told")
            return
        item = None if release(key, token, told, "seq = :told") else advance(key, token, told)


def take(key, token):
    """The item if the lock is ours and there is something to tell; else None."""
    now = now_ms()
    try:
        return table.update(
            table.CONNECTIONS,
            {"connectionId": key},
            "SET teller = :me, #until = :until",
            {":me": token, ":until": now + LEASE_MS, ":now": now},
            {"#until": "until"},
            "(attribute_not_exists(teller) OR #until < :now) AND (attribute_not_exists(told) OR told < seq)",
        )
    except table.Unmet:
        return None


def advance(key, token, told):
    """The item with what is new, if the lock is still ours."""
    try:
        return table.update(
            table.CONNECTIONS,
            {"connectionId": key},
            "SET told = :told, #until = :until",
            {":me": token, ":told": told, ":until": now_ms() + LEASE_MS},
            {"#until": "until"},
            "teller = :me",
        )
    except table.Unmet:
        return None


def release(key, token, told, condition):
    """Whether the lock is let go."""
    try:
        table.update(
            table.CONNECTIONS,
            {"connectionId": key},
            "SET told = :told REMOVE teller, #until",
            {":me": token, ":told": told},
            {"#until": "until"},
            f"teller = :me AND {condition}",
        )
    except table.Unmet:
        return False
    return True


def now_ms():
    return int(time.time() * 1000)
