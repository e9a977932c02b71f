"""The list of all addresses, as an application of Starlette."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from edgewright_serving.addresses import about
from edgewright_serving.addresses.completions import chat_completions, completions
from edgewright_serving.addresses.embeddings import embeddings
from edgewright_serving.addresses.predict import predict
from edgewright_serving.addresses.transcriptions import transcriptions
from edgewright_serving.requests.guard import Guard
from edgewright_serving.requests.refusals import RefusalError, refused
from edgewright_serving.service import Service

# Address -> what answers it. Each is described in `openapi.py`.
_READ: dict[str, Callable[[Request], Any]] = {
    "/": about.page,
    "/page/{name}": about.page,
    "/health": about.health,
    "/metrics": about.metrics,
    "/openapi.json": about.openapi,
    "/v1/models": about.models,
    "/v1/models/{package}": about.model,
}
_ASKED: dict[str, Callable[[Request], Any]] = {
    "/predict/{package}": predict,
    "/v1/chat/completions": chat_completions,
    "/v1/completions": completions,
    "/v1/embeddings": embeddings,
    "/v1/audio/transcriptions": transcriptions,
}


def make_app(service: Service) -> Starlette:
    """The application that answers for a service."""
    routes = [
        *(Route(path, answer, methods=["GET"]) for path, answer in _READ.items()),
        *(Route(path, answer, methods=["POST"]) for path, answer in _ASKED.items()),
    ]
    app = Starlette(
        routes=routes,
        middleware=[Middleware(Guard, service=service)],
        exception_handlers={HTTPException: _of_starlette},
    )
    app.state.service = service
    return app


async def _of_starlette(request: Request, error: Exception) -> Response:
    """What Starlette itself refuses: unknown addresses, other methods, broken forms."""
    assert isinstance(error, HTTPException)
    message = f"{request.method} {request.url.path[:100]}: {error.detail}."
    return refused(RefusalError(error.status_code, message, hint="See /openapi.json.", headers=error.headers))
