"""One teller at a time: whoever gets the lock tells everybody all that is new, the others leave it to him.

An item of `Connections` counts what there is to tell (`seq`) and what has been told (`told`). The teller lets go in
the same step in which he sees that nothing is left, and what is new is counted before somebody tries the lock: so
nothing is left untold. Under load frames get larger, not more.

A teller may die. Then he has the lock for `LEASE_MS`, and what he left is told by the next one: the first who finds the
lock taken stays and watches (`watcher`) until nothing is left. What is told twice doesn't hurt, because it is numbered.
"""

import time

import table

LEASE_MS = 5_000
LOOK = 0.25
"""Seconds from one look of the watcher to the next."""
MOST = 30
"""So much may wait to be told (`ceiling`), where it is held in the item. With what keeps messages from being written
twice, 30 of them are 61 writes of a transaction's 100."""
RESERVE_MS = 3_000
"""So much of the function's time is left when a teller or a watcher stops."""


class Lost(Exception):
    """Somebody else is the teller."""


def run(key, context, tell):
    """`tell(item)` tells what there is; it returns how much of the item's `seq` is told then, and the item's attributes
    that are to go with that."""
    token = context.aws_request_id
    item = take(key, token)
    if item is not None:
        turns(key, context, tell, item)
    elif watch(key, token):
        while context.get_remaining_time_in_millis() > RESERVE_MS:
            time.sleep(LOOK)
            item = take(key, token)
            if item is not None:
                turns(key, context, tell, item)
            if not watch_on(key, token):
                return
        changed(key, "REMOVE watcher, watching", {":me": token}, "watcher = :me")


def turns(key, context, tell, item):
    """One after the other, until nothing is left."""
    token = context.aws_request_id
    while item is not None:
        done = item.get("told", 0), ()
        try:
            done = tell(item)
        except Lost:
            return
        except BaseException:
            release(key, token, *done, "seq >= :told")
            raise
        if context.get_remaining_time_in_millis() < RESERVE_MS:
            release(key, token, *done, "seq >= :told")
            return
        item = None if release(key, token, *done, "seq = :told") else advance(key, token, *done)


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


def advance(key, token, told, left):
    """The item with what is new, if the lock is still ours."""
    try:
        return table.update(
            table.CONNECTIONS,
            {"connectionId": key},
            f"SET told = :told, ceiling = :ceiling, #until = :until {_removing(left)}",
            {":me": token, ":told": told, ":ceiling": told + MOST, ":until": now_ms() + LEASE_MS},
            {"#until": "until", **_names(left)},
            "teller = :me",
        )
    except table.Unmet:
        return None


def release(key, token, told, left, condition):
    """Whether the lock is let go."""
    left = ["teller", "until", *left]
    try:
        table.update(
            table.CONNECTIONS,
            {"connectionId": key},
            f"SET told = :told, ceiling = :ceiling {_removing(left)}",
            {":me": token, ":told": told, ":ceiling": told + MOST},
            _names(left),
            f"teller = :me AND {condition}",
            "NONE",
        )
    except table.Unmet:
        return False
    return True


def watch(key, token):
    """Whether we are the one who watches; nobody has to if nothing is left."""
    now = now_ms()
    return changed(
        key,
        "SET watcher = :me, watching = :until",
        {":me": token, ":until": now + 2 * LEASE_MS, ":now": now},
        "(attribute_not_exists(watcher) OR watching < :now) AND (attribute_not_exists(told) OR told < seq)",
    )


def watch_on(key, token):
    """Whether we still have to: something is left, and nobody else watches."""
    if changed(key, "REMOVE watcher, watching", {":me": token}, "watcher = :me AND told >= seq"):
        return False
    until = {":me": token, ":until": now_ms() + 2 * LEASE_MS}
    return changed(key, "SET watching = :until", until, "watcher = :me")


def changed(key, expression, values, condition):
    try:
        table.update(table.CONNECTIONS, {"connectionId": key}, expression, values, None, condition, "NONE")
    except table.Unmet:
        return False
    return True


def _removing(left):
    return f"REMOVE {', '.join(_names(left))}" if left else ""


def _names(left):
    return {f"#left{number}": name for number, name in enumerate(left)}


def now_ms():
    return int(time.time() * 1000)
