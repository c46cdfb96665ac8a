"""When a delivery is tried again: AWS's own policies, and those that people give to HTTP endpoints."""

from __future__ import annotations

from typing import Any

import orjson

from ...errors import AwsError
from . import model

Policy = dict[str, Any]
MANAGED = (0.0,) * 3 + (1.0,) * 2 + tuple(min(20.0, 1.35**n) for n in range(1, 11))
"""Pauses before the retries of queues and functions: at once, by the second, growing; then 20 s each, for 23 days."""
MANAGED_RETRIES = 100_015
MANAGED_PAUSE = 20.0


def managed_pause(retry: int) -> float | None:
    """Seconds before the nth retry (from 1) of what AWS runs itself; None if there is none."""
    if retry > MANAGED_RETRIES:
        return None
    return MANAGED[retry - 1] if retry <= len(MANAGED) else MANAGED_PAUSE


def effective(topic: str, subscription: str) -> Policy:
    """The policy of an HTTP subscription from both documents ("" where there is none)."""
    http = orjson.loads(topic or "{}").get("http") or {}
    own: Policy = {}
    if subscription and not http.get("disableSubscriptionOverrides"):
        own = orjson.loads(subscription)
    healthy = own.get("healthyRetryPolicy") or http.get("defaultHealthyRetryPolicy") or {}
    request = own.get("requestPolicy") or http.get("defaultRequestPolicy") or {}
    found = {
        "healthyRetryPolicy": {**model.RETRY_DEFAULTS, **healthy},
        "requestPolicy": {**model.REQUEST_DEFAULTS, **request},
    }
    throttle = own.get("throttlePolicy") or http.get("defaultThrottlePolicy")
    return found | ({"throttlePolicy": throttle} if throttle else {})


def effective_of_topic(topic: str) -> Policy:
    """What GetTopicAttributes shows."""
    http = orjson.loads(topic or "{}").get("http") or {}
    shown = {
        "defaultHealthyRetryPolicy": {
            **model.RETRY_DEFAULTS,
            **(http.get("defaultHealthyRetryPolicy") or {}),
        },
        "disableSubscriptionOverrides": bool(http.get("disableSubscriptionOverrides", False)),
        "defaultRequestPolicy": {**model.REQUEST_DEFAULTS, **(http.get("defaultRequestPolicy") or {})},
    }
    throttle = http.get("defaultThrottlePolicy")
    return {"http": shown | ({"defaultThrottlePolicy": throttle} if throttle else {})}


def http_pause(healthy: Policy, retry: int) -> float | None:
    """Seconds before the nth retry (from 1) of an HTTP endpoint; None if there is none.

    AWS's four phases: at once, with the least pause, with growing ones, with the longest.
    """
    total, at_once = healthy["numRetries"], healthy["numNoDelayRetries"]
    least, longest = healthy["minDelayTarget"], healthy["maxDelayTarget"]
    first, last = healthy["numMinDelayRetries"], healthy["numMaxDelayRetries"]
    if retry > total:
        return None
    if retry <= at_once:
        return 0.0
    if retry <= at_once + first:
        return float(least)
    growing = total - at_once - first - last
    step = retry - at_once - first
    if step > growing:
        return float(longest)
    return _grown(healthy["backoffFunction"], least, longest, step - 1, growing - 1)


def _grown(function: str, least: float, longest: float, step: int, steps: int) -> float:
    part = step / steps if steps > 0 else 1.0
    if function == "linear":
        return least + (longest - least) * part
    if function == "arithmetic":
        return least + (longest - least) * part * (step + 1) / (steps + 1)
    if function == "geometric":
        return float(least * (longest / least) ** part)
    return float(min(longest, least * 2.0 ** min(step, 32)))


# --- checks ------------------------------------------------------------


def check_topic(text: str) -> None:
    document = _document(text)
    http = document.get("http")
    if set(document) - {"http"} or not isinstance(http, dict):
        raise _bad("http needs to be defined")
    _check_healthy(http.get("defaultHealthyRetryPolicy"), "http.defaultHealthyRetryPolicy")
    _check_rest(http.get("defaultThrottlePolicy"), http.get("defaultRequestPolicy"))


def check_subscription(text: str) -> None:
    document = _document(text)
    _check_healthy(document.get("healthyRetryPolicy"), "healthyRetryPolicy")
    _check_rest(document.get("throttlePolicy"), document.get("requestPolicy"))


def _document(text: str) -> Policy:
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise _bad("failed to parse JSON.") from error
    if not isinstance(found, dict):
        raise _bad("failed to parse JSON.")
    return found


def _check_healthy(policy: Any, where: str) -> None:
    if policy is None:
        return
    if not isinstance(policy, dict) or set(policy) - set(model.RETRY_DEFAULTS):
        raise _bad(f"{where} has unknown members")
    merged = {**model.RETRY_DEFAULTS, **policy}
    numbers = {name: value for name, value in merged.items() if name != "backoffFunction"}
    for name, value in numbers.items():
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise _bad(f"{where}.{name} must be a whole number that is not negative")
    if merged["numRetries"] > 100:
        raise _bad(f"{where}.numRetries must be less than or equal to 100")
    if not 1 <= merged["minDelayTarget"] <= merged["maxDelayTarget"]:
        raise _bad(f"{where}.minDelayTarget must be between 1 and maxDelayTarget")
    if merged["maxDelayTarget"] > 3600:
        raise _bad(f"{where}.maxDelayTarget must be less than or equal to 3600")
    phases = merged["numNoDelayRetries"] + merged["numMinDelayRetries"] + merged["numMaxDelayRetries"]
    if phases > merged["numRetries"]:
        raise _bad(f"{where}.numRetries must be greater than or equal to the sum of its phases")
    if merged["backoffFunction"] not in model.BACKOFF:
        raise _bad(f"{where}.backoffFunction must be one of {', '.join(sorted(model.BACKOFF))}")


def _check_rest(throttle: Any, request: Any) -> None:
    if throttle is not None:
        most = throttle.get("maxReceivesPerSecond") if isinstance(throttle, dict) else 0
        if most is not None and (not isinstance(most, int) or most < 1):
            raise _bad("throttlePolicy.maxReceivesPerSecond must be 1 or more")
    if request is not None:
        kind = request.get("headerContentType") if isinstance(request, dict) else ""
        if kind is not None and kind not in model.CONTENT_TYPES:
            raise _bad("requestPolicy.headerContentType is not a supported content type")


def _bad(text: str) -> AwsError:
    return model.invalid(f"DeliveryPolicy: {text}")
