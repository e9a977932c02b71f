"""`POST /v1/embeddings`: vectors of texts, in the form of OpenAI's address."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import numpy as np
from starlette.requests import Request
from starlette.responses import JSONResponse

from edgewright_serving.packages.calls import Answer, Call, StoppedError, Work
from edgewright_serving.packages.served import Served
from edgewright_serving.requests.answers import as_json
from edgewright_serving.requests.bodies import read_json
from edgewright_serving.requests.choice import package_for
from edgewright_serving.requests.refusals import RefusalError
from edgewright_serving.requests.waiting import whole_answer
from edgewright_serving.service import Service
from edgewright_targets.errors import nearest

_FIELDS = ("model", "input", "encoding_format", "user")
_FORMATS = ("float", "base64")
_MOST_TEXTS = 2048


async def embeddings(request: Request) -> JSONResponse:
    """The vectors of one or several texts."""
    service: Service = request.app.state.service
    body = await read_json(request)
    if unknown := [name for name, value in body.items() if name not in _FIELDS and value is not None]:
        raise RefusalError(400, f"Unknown field {unknown[0][:100]!r}.", hint=nearest(unknown[0][:100], _FIELDS))
    served = package_for(service, body.get("model"), lambda one: one.embeds_texts, "gives the vector of a text")
    form = body.get("encoding_format") or "float"
    if form not in _FORMATS:
        raise RefusalError(400, "'encoding_format' must be float or base64.")
    texts = _texts(body.get("input"))
    answer = await whole_answer(request, service.submit(served, _work(served, texts)))
    # Thousands of vectors take a while to write, and other requests do not wait for that.
    return await asyncio.to_thread(_response, served, answer, form)


def _response(served: Served, answer: Answer, form: object) -> JSONResponse:
    data = [
        {"object": "embedding", "index": index, "embedding": _encoded(vector, form)}
        for index, vector in enumerate(answer.value)
    ]
    warned = {"warnings": list(answer.warnings)} if answer.warnings else {}
    return JSONResponse({"object": "list", "data": data, "model": served.name, **warned})


def _texts(given: object) -> list[str]:
    texts = [given] if isinstance(given, str) else given
    right = isinstance(texts, list) and 0 < len(texts) <= _MOST_TEXTS and all(isinstance(one, str) for one in texts)
    if not right or not isinstance(texts, list):
        raise RefusalError(400, f"'input' must be a text, or a list of 1 to {_MOST_TEXTS} texts.")
    return texts


def _work(served: Served, texts: list[str]) -> Work:
    def work(model: Any, call: Call) -> list[np.ndarray[Any, Any]]:
        made = []
        for text in texts:
            if call.stopped:
                raise StoppedError
            vector = model.embed(text=text) if served.embeds_by_part else model(text)
            made.append(np.asarray(vector, dtype=np.float32).reshape(-1))
        return made

    return work


def _encoded(vector: np.ndarray[Any, Any], form: object) -> object:
    # Little-endian, as clients of OpenAI's read it.
    return base64.b64encode(vector.astype("<f4").tobytes()).decode() if form == "base64" else as_json(vector)
