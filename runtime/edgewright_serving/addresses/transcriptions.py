"""`POST /v1/audio/transcriptions`: what is said in a recording, in the form of OpenAI's address."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from edgewright_serving.packages.calls import Call, Work
from edgewright_serving.requests.answers import as_json
from edgewright_serving.requests.bodies import Form, read_form
from edgewright_serving.requests.choice import package_for
from edgewright_serving.requests.refusals import RefusalError
from edgewright_serving.requests.waiting import EventStream, begun, event, whole_answer
from edgewright_serving.service import Service
from edgewright_targets.errors import nearest

_FORMATS = ("json", "text", "verbose_json")
_FILE = "file"
_FIELDS = ("model", "language", "temperature", "response_format", "stream", "prompt", "timestamp_granularities[]")


@dataclass(frozen=True)
class _Heard:
    """A transcript, with segments where times were asked for, and the language where one was found."""

    text: str
    segments: list[dict[str, object]]
    language: str | None


async def transcriptions(request: Request) -> Response:
    """The transcript of a recording."""
    service: Service = request.app.state.service
    form = await read_form(request)
    kind, streamed, options = _asked(form)
    served = package_for(service, form.text("model"), lambda one: one.transcribes, "transcribes speech")
    if _FILE not in form.files:
        raise RefusalError(400, "The recording is missing.", hint="Send it as the file 'file' of the form.")
    call = service.submit(served, _work(form.files[_FILE], options, timed=kind == "verbose_json"))
    if streamed:
        await begun(request, call)
        return EventStream(call, _events(call))
    answer = await whole_answer(request, call)
    heard: _Heard = answer.value
    if kind == "text":
        return PlainTextResponse(heard.text + "\n")
    body: dict[str, object] = {"text": heard.text}
    if kind == "verbose_json":
        segments = [{"id": index, **segment} for index, segment in enumerate(heard.segments)]
        body = {"task": "transcribe", "language": heard.language, "text": heard.text, "segments": segments}
    return JSONResponse(as_json(body | ({"warnings": list(answer.warnings)} if answer.warnings else {})))


def _asked(form: Form) -> tuple[str, bool, dict[str, object]]:
    """The form of the answer, whether it is to come in pieces, and the options of the call."""
    if unknown := [name for name in (*form.fields, *form.files) if name not in (*_FIELDS, _FILE)]:
        raise RefusalError(400, f"Unknown field {unknown[0][:100]!r}.", hint=nearest(unknown[0][:100], _FIELDS))
    if form.text("prompt"):
        raise RefusalError(400, "The field 'prompt' is not supported.", hint="Leave it out.")
    kind = form.text("response_format") or "json"
    if kind not in _FORMATS:
        raise RefusalError(400, f"Unknown response_format {kind[:100]!r}.", hint=nearest(kind[:100], _FORMATS))
    if any(value != "segment" for value in form.fields.get("timestamp_granularities[]", ())):
        raise RefusalError(400, "Times are given for segments, not for words.")
    options: dict[str, object] = {"language": language} if (language := form.text("language")) else {}
    if temperature := form.text("temperature"):
        try:
            options["temperature"] = float(temperature)
        except ValueError:
            raise RefusalError(400, f"'temperature' is not a number: {temperature[:100]!r}.") from None
        if not options["temperature"]:
            # What clients send that want the default.
            del options["temperature"]
    return kind, (form.text("stream") or "").lower() in ("true", "1"), options


def _work(recording: bytes, options: dict[str, object], *, timed: bool) -> Work:
    def work(model: Any, call: Call) -> _Heard:
        if timed:
            if "timestamps" not in model.options:
                raise RefusalError(
                    400, "This package gives no times.", hint="Ask for the response_format json or text."
                )
            options["timestamps"] = True
        if not model.streams:
            text = model(recording, **options)
            call.give(text)
            return _Heard(text, [], None)
        stream = model.stream(recording, **options)
        pieces = []
        for piece in stream:
            pieces.append(piece)
            call.give(piece)
        segments = [dict(segment) for segment in stream.segments]
        return _Heard("".join(pieces), segments, stream.facts.get("language"))

    return work


async def _events(call: Call) -> AsyncIterator[bytes]:
    async for piece in call.pieces():
        yield event({"type": "transcript.text.delta", "delta": piece})
    assert call.answer is not None
    yield event({"type": "transcript.text.done", "text": call.answer.value.text})
