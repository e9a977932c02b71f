"""A client that does not read its stream holds its package no longer than any other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from edgewright_serving.packages.calls import Call
from edgewright_serving.requests import waiting
from edgewright_serving.requests.refusals import ClientGoneError
from edgewright_serving.requests.waiting import EventStream

START, BODY = "http.response.start", "http.response.body"


@pytest.mark.parametrize(("unread", "sent"), [(BODY, [START, BODY, BODY]), (START, [START])])
def test_a_client_that_does_not_read_its_stream(unread: str, sent: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "_LAST_SECONDS", 0.05)
    tried: list[tuple[str, bool]] = []

    async def streamed() -> None:
        call = Call(lambda model, own: None, seconds=0.05)

        async def events() -> AsyncIterator[bytes]:
            yield b"data: 1\n\n"

        async def send(message: Any) -> None:
            tried.append((message["type"], call.stopped))
            if message["type"] == unread:
                # What is written waits here until the client has read what came before.
                await forever()

        # Far longer than both limits, in case that they are not held.
        await asyncio.wait_for(EventStream(call, events())({}, forever, send), 10)

    with pytest.raises(ClientGoneError):
        asyncio.run(streamed())
    assert [kind for kind, _ in tried] == sent
    # The call is stopped before the client is told so, as that may wait too.
    assert [stopped for _, stopped in tried] == [False, False, True][: len(sent)]


async def forever() -> Any:
    """Nothing comes."""
    await asyncio.Event().wait()
