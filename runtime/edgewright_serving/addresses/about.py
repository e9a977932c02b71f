"""What the server says about itself: health, metrics, its packages, its description, and the page."""

from __future__ import annotations

from importlib import resources

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from edgewright_runtime.package import Package
from edgewright_runtime.steps import step_kind
from edgewright_serving.openapi import description
from edgewright_serving.packages.served import Served
from edgewright_serving.requests.choice import package_of
from edgewright_serving.requests.refusals import RefusalError
from edgewright_serving.service import Service
from edgewright_targets import __version__

_FILES = {
    "index.html": "text/html; charset=utf-8",
    "page.css": "text/css; charset=utf-8",
    "page.js": "text/javascript; charset=utf-8",
    "inputs.js": "text/javascript; charset=utf-8",
    "recorder.js": "text/javascript; charset=utf-8",
}
# The page and what it asks come from this server alone; pictures are those of answers, sounds those of the microphone.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data: blob:; "
    "media-src 'self' blob:; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)


async def health(request: Request) -> JSONResponse:
    """Whether the server takes requests."""
    service: Service = request.app.state.service
    status = "stopping" if service.stopping else "ok"
    body = {"status": status, "version": __version__, "packages": list(service.packages)}
    return JSONResponse(body, 503 if service.stopping else 200)


async def metrics(request: Request) -> Response:
    """Counters for Prometheus."""
    service: Service = request.app.state.service
    return Response(service.metrics.text(), headers={"content-type": service.metrics.media_type})


async def openapi(request: Request) -> JSONResponse:
    """The description of all addresses."""
    service: Service = request.app.state.service
    return JSONResponse(description(service.packages.values(), token=bool(service.settings.token)))


async def models(request: Request) -> JSONResponse:
    """All packages."""
    service: Service = request.app.state.service
    return JSONResponse({"object": "list", "data": [_about(one) for one in service.packages.values()]})


async def model(request: Request) -> JSONResponse:
    """One package."""
    return JSONResponse(_about(package_of(request.app.state.service, request.path_params["package"])))


async def page(request: Request) -> Response:
    """The page to try packages by hand, and its parts."""
    name = request.path_params.get("name", "index.html")
    if name not in _FILES:
        raise RefusalError(404, "The page has no such part.")
    content = (resources.files("edgewright_serving") / "page" / name).read_bytes()
    policy = {"content-security-policy": _POLICY, "content-type": _FILES[name], "cache-control": "no-cache"}
    allowed = {"permissions-policy": "camera=(self), microphone=(self)"}
    return Response(content, headers=policy | allowed)


def _about(served: Served) -> dict[str, object]:
    """`id`, `object`, `created` and `owned_by` are OpenAI's; the others are what the page needs to ask."""
    options: list[str] = []
    if isinstance(served.package, Package):
        steps = served.package.manifest.pipeline.steps
        options = sorted({"top_k", *(name for step in steps for name in step_kind(step.step).call_options)})
    return {
        "id": served.name,
        "object": "model",
        "created": 0,
        "owned_by": "edgewright",
        "task": served.task,
        "inputs": dict(served.inputs),
        "output": served.output,
        "options": options,
        "streams": served.writes,
    }
