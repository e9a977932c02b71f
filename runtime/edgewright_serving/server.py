"""Listening: a socket, uvicorn around the application, and an end in which running requests finish."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import uvicorn

from edgewright_serving.app import make_app
from edgewright_serving.packages.served import open_served
from edgewright_serving.packages.warned import routed_warnings
from edgewright_serving.service import Service
from edgewright_serving.settings import ServeSettings
from edgewright_targets.errors import InputError

_log = logging.getLogger(__name__)
_BACKLOG = 256
_LOOK_SECONDS = 0.05
# After all requests have ended, only a call that nobody waits for can still run.
_LEFT_OVER_SECONDS = 2.0
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def serve(
    packages: Sequence[str], settings: ServeSettings, started: Callable[[str, Service], None] | None = None
) -> None:
    """Serve packages until SIGINT or SIGTERM; then requests under way finish. A second SIGINT ends at once.

    Args:
        packages: `PATH` or `NAME=PATH` of each.
        settings: Where, for whom, and how much.
        started: Called with the address when the socket listens.

    Raises:
        InputError: A name, a path or a limit cannot be, or the address is in use.
    """
    service = Service(settings, open_served(packages))
    listening = _listening(settings)
    address = f"http://{_shown(settings.host)}:{listening.getsockname()[1]}"
    server = _Server(service)
    try:
        with routed_warnings(), listening, _signals(server):
            if started is not None:
                started(address, service)
            server.run(sockets=[listening])
    finally:
        service.close(_LEFT_OVER_SECONDS)


class _Server(uvicorn.Server):
    """uvicorn's, which waits for requests under way before it closes their connections.

    uvicorn's own end tells them that the client has gone, and this service would stop their calls.
    """

    def __init__(self, service: Service) -> None:
        config = uvicorn.Config(
            make_app(service),
            http="h11",
            ws="none",
            loop="asyncio",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            backlog=_BACKLOG,
        )
        super().__init__(config)
        self._service = service

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no further request, let those under way finish, then end."""
        self._service.stopping = True
        _log.info("stopping; %d requests are under way", self._service.running)
        for server in self.servers:
            server.close()
        while self._service.running and not self.force_exit:
            await asyncio.sleep(_LOOK_SECONDS)
        await super().shutdown(sockets)


@contextmanager
def _signals(server: uvicorn.Server) -> Iterator[None]:
    """Both signals end the server during the block, also before it listens to them itself.

    And after that: uvicorn raises the signal again when it has ended, by which the process would end.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, server.handle_exit) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _listening(settings: ServeSettings) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (OSError, UnicodeError) as error:
        raise InputError(f"'{settings.host}' is not an address of this machine: {error}.") from error
    made = socket.socket(family, kind, protocol)
    try:
        # A port that a server has just left can be used again.
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
        made.listen(_BACKLOG)
    except OSError as error:
        made.close()
        raise InputError(
            f"The server cannot listen at {settings.host}, port {settings.port}: {error.strerror}.",
            hint="Choose another one with --port; 0 takes a free one.",
        ) from error
    return made


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host
