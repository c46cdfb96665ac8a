"""Signature version 4, read: who signed, for which day, region and service, over which headers.

It reads the Authorization header and presigned query strings, and words what is malformed as AWS does; `verify` makes
the signature again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from urllib.parse import parse_qsl

from ..errors import AwsError

ALGORITHM = "AWS4-HMAC-SHA256"
OLD_QUERY_SERVICE = "s3"
MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key"
    " and signing method. Consult the service documentation for details."
)
MISSING_TOKEN = "Request is missing Authentication Token"
MAX_EXPIRES = 604_800
"""Of S3's presigned requests, in seconds: "Authenticating Requests: Using Query Parameters"."""
ALGORITHM_ASYMMETRIC = "AWS4-ECDSA-P256-SHA256"


@dataclass(slots=True, frozen=True)
class Signature:
    """What a request says of its signature. Of an unsigned request everything is ""."""

    access_key: str = ""
    date: str = ""
    region: str = ""
    service: str = ""
    signed_headers: tuple[str, ...] = ()
    signature: str = ""
    expires: float = 0.0
    """When a presigned request ends, in seconds since 1970; 0: never."""
    lifetime: str = ""
    """For how many seconds it was made, as a presigned request says it."""
    token: str = ""
    """The session token, when it is part of a presigned query string; else it is the header X-Amz-Security-Token."""


UNSIGNED = Signature()


class Unauthenticated(AwsError):
    """Who asks can't be told. `kind` names the failure; each service's protocol has its own code for it.
    `detail` is by which name a service's patch may have a text of its own for it."""

    def __init__(self, kind: str, message: str, status: int, detail: str = "") -> None:
        super().__init__(kind, message, status=status)
        self.kind = kind
        self.detail = detail


class SignatureMismatch(Unauthenticated):
    """The secret makes another signature of the request than it has."""

    def __init__(self, canonical: str, to_sign: str, signature: Signature) -> None:
        super().__init__("signature_mismatch", MISMATCH, 403)
        self.canonical = canonical
        self.to_sign = to_sign
        self.signature = signature


def signature_in(authorization: str) -> str:
    """The signature itself, of an Authorization header that was read before."""
    return authorization[authorization.rfind("Signature=") + 10 :].partition(",")[0].strip()


def incomplete(message: str) -> Unauthenticated:
    return Unauthenticated("incomplete_signature", message, 400)


def _bad_query(message: str, detail: str = "") -> Unauthenticated:
    return Unauthenticated("incomplete_query", message, 400, detail)


def read_header(authorization: str, has_date: bool) -> Signature:
    """Read an Authorization header."""
    algorithm, _, rest = authorization.strip().partition(" ")
    if not algorithm.startswith("AWS4-"):
        kind = "old_signature" if algorithm == "AWS" else "unknown_signature"
        raise Unauthenticated(kind, MISSING_TOKEN, 403, kind)
    parts: dict[str, str] = {}
    for piece in rest.replace(" ", ",").split(","):
        if not piece:
            continue
        name, equals, value = piece.partition("=")
        if not equals:
            raise incomplete(
                f"'{piece}' not a valid key=value pair (missing equal-sign) in Authorization header: '{authorization}'."
            )
        parts[name] = value
    lacking = [
        f"Authorization header requires '{name}' parameter. "
        for name in ("Credential", "Signature", "SignedHeaders")
        if not parts.get(name)
    ]
    if not has_date:
        lacking.append(
            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. "
        )
    if lacking:
        raise incomplete(f"{''.join(lacking)}Authorization={algorithm}")
    if algorithm == ALGORITHM_ASYMMETRIC:
        return _asymmetric(parts)
    if algorithm != ALGORITHM:
        raise incomplete(f"Unsupported AWS 'algorithm': '{algorithm}' (only AWS4-HMAC-SHA256 for now). ")
    return _signature(parts["Credential"], parts["SignedHeaders"], parts["Signature"])


def read_query(query: str) -> Signature:
    """Read a presigned query string, one that has X-Amz-Algorithm or X-Amz-Credential."""
    parts = dict(parse_qsl(query, keep_blank_values=True))
    names = ("X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature", "X-Amz-SignedHeaders", "X-Amz-Date")
    lacking = [
        f"AWS query-string parameters must include '{name}'. " for name in names if not parts.get(name)
    ]
    if lacking:
        raise _bad_query(f"{''.join(lacking)}Re-examine the query-string parameters.", "query_missing")
    if parts["X-Amz-Algorithm"] != ALGORITHM:
        raise _bad_query(
            f"Unsupported AWS 'algorithm': '{parts['X-Amz-Algorithm']}' (only AWS4-HMAC-SHA256 for now). ",
            "query_algorithm",
        )
    try:
        signature = _signature(
            parts["X-Amz-Credential"],
            parts["X-Amz-SignedHeaders"],
            parts["X-Amz-Signature"],
            parts.get("X-Amz-Security-Token", ""),
        )
    except Unauthenticated as error:
        raise _bad_query(error.message, "query_credential") from error
    if signature.service == OLD_QUERY_SERVICE:
        _check_lifetime(parts.get("X-Amz-Expires", ""))
    lifetime = parts.get("X-Amz-Expires", "")
    return replace(signature, expires=_end(parts["X-Amz-Date"], lifetime), lifetime=lifetime)


def _check_lifetime(seconds: str) -> None:
    """S3 wants one, and none of more than a week."""
    if not seconds:
        raise _bad_query("AWS query-string parameters must include 'X-Amz-Expires'. ", "query_missing")
    if seconds.startswith("-") and seconds[1:].isdigit():
        raise _bad_query("X-Amz-Expires must be non-negative")
    if seconds.isdigit() and int(seconds) > MAX_EXPIRES:
        raise _bad_query(
            "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than "
            f"{MAX_EXPIRES} seconds"
        )


def _end(date: str, seconds: str) -> float:
    if not seconds:
        return 0.0
    if not seconds.isdigit() or len(seconds) > 9:
        raise _bad_query("X-Amz-Expires should be a number")
    try:
        begin = datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError as error:
        raise _bad_query("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"") from error
    return begin.timestamp() + int(seconds)


def read_old_query(query: str) -> Signature:
    """Read a presigned query string of the version before: only S3's clients still make it."""
    parts = dict(parse_qsl(query, keep_blank_values=True))
    expires = parts.get("Expires", "")
    if not expires.isdigit() or not parts.get("Signature"):
        text = "Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters"
        raise Unauthenticated("missing_token", text, 403)
    return Signature(
        parts["AWSAccessKeyId"],
        service=OLD_QUERY_SERVICE,
        signature=parts["Signature"],
        expires=float(expires),
        token=parts.get("x-amz-security-token", ""),
    )


def _signature(credential: str, headers: str, signature: str, token: str = "") -> Signature:
    elements = credential.rstrip("/").rsplit("/", 4)
    if len(elements) != 5:
        raise incomplete(
            "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term,"
            f" got '{credential}'"
        )
    access_key, date, region, service, terminator = elements
    if terminator != "aws4_request":
        raise incomplete(
            f"Credential should be scoped with a valid terminator: 'aws4_request', not '{terminator}'. "
        )
    return Signature(access_key, date, region, service, tuple(headers.split(";")), signature, token=token)


def _asymmetric(parts: dict[str, str]) -> Signature:
    """SigV4a: the scope has no region."""
    elements = parts["Credential"].rsplit("/", 3)
    if len(elements) != 4:
        raise incomplete(
            "Credential must have exactly 4 slash-delimited elements, e.g. keyid/date/service/term,"
            f" got '{parts['Credential']}'"
        )
    access_key, date, service, _ = elements
    return Signature(
        access_key, date, "", service, tuple(parts["SignedHeaders"].split(";")), parts["Signature"]
    )
