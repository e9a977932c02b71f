"""Waiting for an answer as long as the client does: whole answers, and streams of server-sent events."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Coroutine
from typing import TypeVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from edgewright_serving.packages.calls import Answer, Call
from edgewright_serving.requests.refusals import ClientGoneError, RefusalError, error_body, refusal_of

_T = TypeVar("_T")
_HEADERS = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"cache-control", b"no-store")]
# How long a client that does not read may keep its connection for the last event.
_LAST_SECONDS = 2.0
# How OpenAI's streams end.
DONE = b"data: [DONE]\n\n"


def event(data: object) -> bytes:
    """An event with JSON."""
    return b"data: " + json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n"


async def whole_answer(request: Request, call: Call) -> Answer:
    """The answer of a call.

    Raises:
        RefusalError: It took longer than the limit.
        ClientGoneError: The client does not wait any more.
    """
    return await _while_there(request, call, call.answered())


async def begun(request: Request, call: Call) -> None:
    """Wait for the first piece: what fails before it is refused as any other request; raises as `whole_answer`."""
    await _while_there(request, call, call.begun())


async def _while_there(request: Request, call: Call, waited: Coroutine[object, object, _T]) -> _T:
    answer = asyncio.ensure_future(waited)
    leaving = asyncio.ensure_future(_left(request.receive))
    try:
        timeout = max(call.deadline - asyncio.get_running_loop().time(), 0)
        done, _ = await asyncio.wait((answer, leaving), timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        if answer in done:
            return answer.result()
        call.stop()
        if leaving in done:
            raise ClientGoneError
        raise _late()
    finally:
        answer.cancel()
        leaving.cancel()


async def _left(receive: Receive) -> None:
    """Ends when the client closes the connection."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _late() -> RefusalError:
    return RefusalError(
        504,
        "The answer was not there within the time limit of this server.",
        hint="Ask for less, for example fewer tokens, or start the server with a larger --time-limit.",
    )


class EventStream(Response):
    """A response of server-sent events; the call behind it ends when the client goes away.

    Args:
        call: Where the events come from.
        events: They, as bytes.
    """

    def __init__(self, call: Call, events: AsyncIterator[bytes]) -> None:
        super().__init__()
        self._call = call
        self._events = events

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send all events."""
        del scope
        sending = asyncio.ensure_future(self._sent(send))
        leaving = asyncio.ensure_future(_left(receive))
        try:
            done, _ = await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
            if sending not in done:
                raise ClientGoneError
            sending.result()
        finally:
            self._call.stop()
            sending.cancel()
            leaving.cancel()

    async def _sent(self, send: Send) -> None:
        last, started = b"", False
        try:
            async with asyncio.timeout_at(self._call.deadline):
                await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
                started = True
                async for data in self._events:
                    await send({"type": "http.response.body", "body": data, "more_body": True})
        except Exception as error:  # noqa: BLE001 - the status was sent: the error is an event
            # A client that does not read would hold the package for as long as it likes.
            self._call.stop()
            last = event(error_body(_late() if isinstance(error, TimeoutError) else refusal_of(error)))
        try:
            async with asyncio.timeout(_LAST_SECONDS):
                if not started:
                    raise ClientGoneError
                if last:
                    await send({"type": "http.response.body", "body": last, "more_body": True})
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        except TimeoutError:
            raise ClientGoneError from None
