"""`POST /predict/PACKAGE`: any package and any application, with all options of a call."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from edgewright_runtime import Model
from edgewright_runtime.applications import Application
from edgewright_serving.packages.calls import Answer, Call, Work
from edgewright_serving.packages.served import APPLICATION, Served
from edgewright_serving.requests.answers import as_json
from edgewright_serving.requests.bodies import FORM, media_type, read_form, read_json
from edgewright_serving.requests.choice import package_of
from edgewright_serving.requests.inputs import sample_of, sample_of_form
from edgewright_serving.requests.options import check_options
from edgewright_serving.requests.refusals import RefusalError
from edgewright_serving.requests.waiting import EventStream, begun, event, whole_answer
from edgewright_serving.service import Service
from edgewright_targets.errors import nearest

_FIELDS = ("input", "options", "stream")


async def predict(request: Request) -> Response:
    """The answer of a package for one sample."""
    service: Service = request.app.state.service
    served = package_of(service, request.path_params["package"])
    sample, options, streamed = await _asked(request, served, service.settings.most_bytes)
    if served.task == APPLICATION and options:
        raise RefusalError(400, "An application takes no options: they stand in its steps.")
    check_options(options)
    call = service.submit(served, _work(sample, options))
    if streamed:
        await begun(request, call)
        return EventStream(call, _events(served, call))
    answer = await whole_answer(request, call)
    # Pictures and arrays take a while to write, and other requests do not wait for that.
    return await asyncio.to_thread(lambda: JSONResponse(_body(served, answer)))


async def _asked(request: Request, served: Served, most_bytes: int) -> tuple[object, dict[str, object], bool]:
    """The sample, the options, and whether the answer is to come in pieces."""
    if media_type(request) == FORM:
        form = await read_form(request)
        wanted = form.fields.pop("stream", ["false"])[-1]
        sample, asked = await asyncio.to_thread(sample_of_form, served, form, most_bytes)
        return sample, asked, wanted.lower() in ("true", "1")
    body = await read_json(request)
    if unknown := [name for name in body if name not in _FIELDS]:
        raise RefusalError(400, f"Unknown field {unknown[0]!r}.", hint=nearest(unknown[0], _FIELDS))
    if "input" not in body:
        raise RefusalError(400, "The field 'input' is missing.", hint=f"It takes {' and '.join(served.inputs)}.")
    options = {} if body.get("options") is None else body["options"]
    streamed = body.get("stream") or False
    if not isinstance(options, dict) or not isinstance(streamed, bool):
        raise RefusalError(400, "'options' must be an object, and 'stream' true or false.")
    return await asyncio.to_thread(sample_of, served, body["input"]), options, streamed


def _work(sample: object, options: dict[str, object]) -> Work:
    def work(model: Any, call: Call) -> dict[str, object]:
        if isinstance(model, Application):
            run = model.run(sample)
            answers = {name: run.values[name] for name in model.package.checked.flow.answer}
            failures = [{"step": step, "index": index, "message": text} for step, index, text in run.failures]
            seconds = dict(run.seconds)
            return {"answer": answers, "steps": seconds, "left_out": dict(run.left_out), "failures": failures}
        assert isinstance(model, Model)
        engine = {"name": model.engine.name, "provider": model.engine.provider}
        if not model.streams:
            return {"answer": model(sample, **options), "engine": engine}
        stream = model.stream(sample, **options)
        pieces = []
        for piece in stream:
            pieces.append(piece)
            call.give(piece)
        return {"answer": "".join(pieces), "engine": engine, "generation": dict(stream.facts)}

    return work


def _body(served: Served, answer: Answer) -> dict[str, object]:
    warned = {"warnings": list(answer.warnings)} if answer.warnings else {}
    made = {name: as_json(value) for name, value in answer.value.items()}
    return {"package": served.name, "output": served.output, **made, "seconds": answer.seconds, **warned}


async def _events(served: Served, call: Call) -> AsyncIterator[bytes]:
    async for piece in call.pieces():
        yield event({"piece": piece})
    assert call.answer is not None
    answer = call.answer
    yield await asyncio.to_thread(lambda: event(_body(served, answer)))
