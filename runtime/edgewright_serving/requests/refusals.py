"""Refused requests: their status and words, in the form that clients of OpenAI's addresses read."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping

from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse

from edgewright_runtime.arrays import ArraysError
from edgewright_runtime.errors import InferenceError, SampleError
from edgewright_targets.errors import MissingDependencyError

_log = logging.getLogger(__name__)
_SERVER_ERROR = 500


class ClientGoneError(Exception):
    """The client closed the connection before its answer was whole."""


GONE = (ClientGoneError, ClientDisconnect)


class RefusalError(Exception):
    """A request that is refused.

    Args:
        status: Of the response.
        message: What failed, and what was asked.
        hint: What to do.
        headers: Of the response.
    """

    def __init__(self, status: int, message: str, *, hint: str = "", headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.hint = hint
        self.headers = dict(headers or {})


def refusal_of(error: Exception) -> RefusalError:
    """What a client is told of an error. What is not the client's fault is logged, and told by its number alone."""
    if isinstance(error, RefusalError):
        return error
    if isinstance(error, SampleError | InferenceError | ArraysError):
        return RefusalError(400, error.message, hint=error.hint)
    if isinstance(error, MissingDependencyError):
        return RefusalError(_SERVER_ERROR, error.message, hint=error.hint)
    if isinstance(error, MemoryError):
        return RefusalError(503, "There is not enough memory for this request.", headers={"Retry-After": "10"})
    number = secrets.token_hex(4)
    _log.error("error %s", number, exc_info=error)
    return RefusalError(
        _SERVER_ERROR,
        f"The server could not answer: error {number}.",
        hint="The log of the server says more under this number.",
    )


def error_body(refusal: RefusalError) -> dict[str, object]:
    """The body of the response; `message`, `type` and `code` are those of OpenAI."""
    kind = "server_error" if refusal.status >= _SERVER_ERROR else "invalid_request_error"
    error: dict[str, object] = {"message": refusal.message, "type": kind, "code": refusal.status}
    return {"error": error | ({"hint": refusal.hint} if refusal.hint else {})}


def refused(refusal: RefusalError) -> JSONResponse:
    """The response."""
    return JSONResponse(error_body(refusal), refusal.status, refusal.headers)
