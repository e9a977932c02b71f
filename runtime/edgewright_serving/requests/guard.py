"""Around all addresses: who may ask, how much and how many at once, and errors as responses."""

from __future__ import annotations

import asyncio
import hmac
import logging
import time
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from edgewright_serving.requests.refusals import GONE, RefusalError, refusal_of, refused
from edgewright_serving.service import Service
from edgewright_serving.settings import is_loopback

_log = logging.getLogger(__name__)
# Without a token: the page that asks for one, and whether the server lives.
_OPEN = ("/", "/health")
_OPEN_FOLDER = "/page/"
_PREDICT, _MODELS = "/predict/", "/v1/models/"
_KNOWN = (
    "/", "/health", "/metrics", "/openapi.json", "/v1/models", "/v1/audio/transcriptions", "/v1/chat/completions",
    "/v1/completions", "/v1/embeddings",
)  # fmt: skip
# What nginx writes where a client closed the connection; it is counted, and nobody gets it.
_CLIENT_GONE = 499
_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
)


class Guard:
    """Middleware of all requests.

    Args:
        app: What answers those that may pass.
        service: Its limits, and what counts requests.
    """

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self._app = app
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start = time.perf_counter()
        response = _Response(send)
        body = _Body(self._service, receive, Headers(scope=scope))
        try:
            self._check_client(scope)
            if scope["method"] == "POST":
                self._check_room()
                with self._service.counted():
                    body.check_length()
                    await self._app(scope, body.receive, response.send)
            else:
                await self._app(scope, receive, response.send)
        except GONE:
            response.status = _CLIENT_GONE
        except Exception as error:  # noqa: BLE001 - a fault in one request is logged, and must not harm others
            await self._refuse(error, body, response, scope, receive)
        finally:
            body.release()
            self._service.metrics.request(_address(scope["path"]), response.status, time.perf_counter() - start)

    async def _refuse(self, error: Exception, body: _Body, response: _Response, scope: Scope, receive: Receive) -> None:
        refusal = refusal_of(error)
        if response.status:
            # Half of an answer was sent: the connection is closed without its end, and the client sees that.
            _log.warning("an answer broke off: %s", refusal.message)
            response.status = refusal.status
            return
        if scope["method"] == "POST" and not body.whole:
            # What is still to come of the body is not read.
            refusal.headers["Connection"] = "close"
        await refused(refusal)(scope, receive, response.send)

    def _check_client(self, scope: Scope) -> None:
        """Refuse strangers, and pages of other sites that a browser on this machine has open."""
        settings, headers = self._service.settings, Headers(scope=scope)
        host = headers.get("host", "")
        if settings.loopback and not is_loopback(_name_of(host)):
            # A name of somebody else's that leads to this machine (DNS rebinding).
            raise RefusalError(403, "This server is for this machine alone.", hint="Ask it at 127.0.0.1 or localhost.")
        origin = headers.get("origin")
        if origin is not None and origin.partition("://")[2] != host:
            raise RefusalError(403, "Pages of other sites may not ask this server.")
        path = scope["path"]
        if not settings.token or path in _OPEN or path.startswith(_OPEN_FOLDER):
            return
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(token.strip().encode(), settings.token.encode()):
            raise RefusalError(
                401,
                "This server asks for its token.",
                hint="Send the header: Authorization: Bearer TOKEN",
                headers={"WWW-Authenticate": "Bearer"},
            )

    def _check_room(self) -> None:
        service = self._service
        later = {"Retry-After": str(service.retry_seconds)}
        if service.stopping:
            raise RefusalError(503, "The server is stopping.", headers=later)
        if service.running >= service.settings.most_requests:
            raise RefusalError(
                503,
                f"{service.running} requests are under way, which is as many as this server takes at once.",
                hint=f"Ask again in about {service.retry_seconds} s.",
                headers=later,
            )


class _Response:
    """What is sent, with headers of all responses, and its status; 0 before it begins."""

    def __init__(self, send: Send) -> None:
        self.status = 0
        self._send = send

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = int(message["status"])
            message["headers"] = [*message.get("headers", ()), *_HEADERS]
        await self._send(message)


class _Body:
    """The body of a request as it comes, within limits of bytes and of time.

    Attributes:
        whole: Whether all of it was read.
    """

    def __init__(self, service: Service, receive: Receive, headers: Headers) -> None:
        self.whole = False
        self._service = service
        self._receive = receive
        self._declared = headers.get("content-length", "")
        self._read = 0
        self._until = asyncio.get_running_loop().time() + service.settings.seconds

    def check_length(self) -> None:
        """Refuse a body by what its header says, before it is sent."""
        # h11 has refused what is not a number.
        if self._declared.isdecimal() and int(self._declared) > self._service.settings.most_bytes:
            raise self._too_large()

    async def receive(self) -> Message:
        """As ASGI's."""
        if self.whole:
            return await self._receive()
        try:
            message = await asyncio.wait_for(self._receive(), self._until - asyncio.get_running_loop().time())
        except TimeoutError:
            raise RefusalError(
                408, f"The request did not come within {self._service.settings.seconds:g} seconds."
            ) from None
        if message["type"] == "http.request":
            self._count(len(message.get("body", b"")))
            self.whole = not message.get("more_body", False)
        return message

    def release(self) -> None:
        """The body is not held any more."""
        self._service.held_bytes -= self._read
        self._read = 0

    def _count(self, size: int) -> None:
        self._read += size
        self._service.held_bytes += size
        if self._read > self._service.settings.most_bytes:
            raise self._too_large()
        if self._service.held_bytes > self._service.settings.held_bytes:
            later = {"Retry-After": str(self._service.retry_seconds)}
            raise RefusalError(503, "The requests under way have as many bytes as this server holds.", headers=later)

    def _too_large(self) -> RefusalError:
        return RefusalError(
            413,
            f"The request is larger than the {self._service.settings.most_bytes:,} bytes that this server takes.",
            hint="Send less, or start the server with a larger --max-request.",
        )


def _name_of(host: str) -> str:
    """The name or the number in a `Host` header, without its port."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _address(path: str) -> str:
    """What a request is counted under: a client must not make up any number of names."""
    if path in _KNOWN:
        return path
    if path.startswith(_PREDICT):
        return f"{_PREDICT}{{package}}"
    if path.startswith(_MODELS):
        return f"{_MODELS}{{package}}"
    return f"{_OPEN_FOLDER}..." if path.startswith(_OPEN_FOLDER) else "other"
