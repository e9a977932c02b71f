"""`/v1/chat/completions` and `/v1/completions`: texts that a package writes, in the form of OpenAI's addresses."""

from __future__ import annotations

import secrets
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from edgewright_serving.addresses.completion_fields import chat_prompt, check_fields, options_of, plain_prompt
from edgewright_serving.packages.calls import Call, Work
from edgewright_serving.packages.served import Served
from edgewright_serving.requests.bodies import read_json
from edgewright_serving.requests.choice import package_for
from edgewright_serving.requests.waiting import DONE, EventStream, begun, event, whole_answer
from edgewright_serving.service import Service


@dataclass(frozen=True)
class _Written:
    """A text that was written.

    Attributes:
        text: It.
        tokens: Of it.
        prompt_tokens: Of the prompt, as the tokenizer counts.
        at_limit: Whether it ended because it had as many tokens as were allowed.
    """

    text: str
    tokens: int
    prompt_tokens: int
    at_limit: bool

    @property
    def reason(self) -> str:
        """Why it ended, in the word of these addresses."""
        return "length" if self.at_limit else "stop"

    @property
    def usage(self) -> dict[str, int]:
        """Tokens."""
        total = self.prompt_tokens + self.tokens
        return {"prompt_tokens": self.prompt_tokens, "completion_tokens": self.tokens, "total_tokens": total}


@dataclass(frozen=True)
class _Form:
    """How one of the two addresses writes its answers."""

    kind: str
    prefix: str
    chat: bool

    def head(self, served: Served, *, piece: bool) -> dict[str, object]:
        """What every answer or event begins with."""
        kind = f"{self.kind}.chunk" if piece and self.chat else self.kind
        number = f"{self.prefix}-{secrets.token_hex(12)}"
        return {"id": number, "object": kind, "created": int(time.time()), "model": served.name}

    def whole(self, written: _Written) -> dict[str, object]:
        """The choice of an answer."""
        text = {"message": {"role": "assistant", "content": written.text}} if self.chat else {"text": written.text}
        return {"index": 0, **text, "logprobs": None, "finish_reason": written.reason}

    def part(self, text: str | None, reason: str | None) -> dict[str, object]:
        """The choice of an event."""
        if self.chat:
            return {"index": 0, "delta": {} if text is None else {"content": text}, "finish_reason": reason}
        return {"index": 0, "text": text or "", "logprobs": None, "finish_reason": reason}


_CHAT = _Form("chat.completion", "chatcmpl", chat=True)
_TEXT = _Form("text_completion", "cmpl", chat=False)


async def chat_completions(request: Request) -> Response:
    """What follows the messages of a conversation."""
    return await _completions(request, _CHAT)


async def completions(request: Request) -> Response:
    """What follows a prompt."""
    return await _completions(request, _TEXT)


async def _completions(request: Request, form: _Form) -> Response:
    service: Service = request.app.state.service
    body = await read_json(request)
    check_fields(body, "messages" if form.chat else "prompt")
    served = package_for(service, body.get("model"), lambda one: one.continues_texts, "writes a text for a text")
    prompt = chat_prompt(body.get("messages")) if form.chat else plain_prompt(body.get("prompt"))
    call = service.submit(served, _work(prompt, options_of(body)))
    if not body.get("stream"):
        answer = await whole_answer(request, call)
        written: _Written = answer.value
        warned = {"warnings": list(answer.warnings)} if answer.warnings else {}
        made = {**form.head(served, piece=False), "choices": [form.whole(written)], "usage": written.usage}
        return JSONResponse(made | warned)
    await begun(request, call)
    counted = body.get("stream_options")
    return EventStream(
        call, _events(call, form, served, usage=isinstance(counted, dict) and counted.get("include_usage") is True)
    )


async def _events(call: Call, form: _Form, served: Served, *, usage: bool) -> AsyncIterator[bytes]:
    head = form.head(served, piece=True)
    if form.chat:
        yield event({**head, "choices": [{"index": 0, "delta": {"role": "assistant"}, "finish_reason": None}]})
    async for piece in call.pieces():
        yield event({**head, "choices": [form.part(piece, None)]})
    assert call.answer is not None
    written: _Written = call.answer.value
    yield event({**head, "choices": [form.part(None, written.reason)]})
    if usage:
        yield event({**head, "choices": [], "usage": written.usage})
    yield DONE


def _work(prompt: str, options: dict[str, object]) -> Work:
    def work(model: Any, call: Call) -> _Written:
        stream = model.stream(prompt, **options)
        pieces = []
        for piece in stream:
            pieces.append(piece)
            call.give(piece)
        facts = stream.facts
        return _Written(
            "".join(pieces), len(facts["tokens"]), _prompt_tokens(model, prompt), facts["ended_by"] == "limit"
        )

    return work


def _prompt_tokens(model: Any, prompt: str) -> int:
    tokenizers = (getattr(step, "tokenizer", None) for step in model.pipeline.steps)
    tokenizer = next((one for one in tokenizers if one is not None), None)
    return 0 if tokenizer is None else len(tokenizer.encode(prompt).ids)
