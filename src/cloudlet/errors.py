"""The errors of the house: who is to blame decides the class.

- `AwsError`: the caller's request failed as AWS would fail it. It has AWS's `code` and, apart from it, an HTTP
  `status`. It is raised once, where the fact is known, and becomes bytes once, in `aws/dispatch.py`.
- `PeerGone`: the other side of a socket or pipe went away. Nobody's bug.
- `Overloaded`: a bounded queue is full; the owner of the queue says what happens next.
- anything else is a bug: 500 with a request id, logged with its traceback.
"""

from __future__ import annotations

from typing import Any


class AwsError(Exception):
    """An error as a service gives it.

    `code` is the name of the error (with botocore: `err.response["Error"]["Code"]`), `status` the HTTP status
    (None: what the service's model says, else 400, or 500 when `fault` is "server"), `fields` further members of
    the error's shape, e.g. `CancellationReasons`, in the model's own names.
    """

    def __init__(
        self,
        code: str,
        message: str = "",
        *,
        status: int | None = None,
        fault: str = "client",
        fields: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.fault = fault
        self.fields = fields or {}


class PeerGone(Exception):
    """The other side closed or never read."""


class Overloaded(Exception):
    """A bounded queue is full."""


class UserError(Exception):
    """Said to the person at the command line, without a traceback: what happened and what to do next."""
