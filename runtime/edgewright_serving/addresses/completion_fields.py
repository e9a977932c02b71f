"""Fields of requests for completions: what is taken, what may be said without effect, and what is refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from edgewright_serving.requests.options import check_options
from edgewright_serving.requests.refusals import RefusalError
from edgewright_targets.errors import nearest

# Field -> the option of a call that it is. The last ones are not OpenAI's.
_OPTIONS = {
    "max_tokens": "max_new_tokens",
    "max_completion_tokens": "max_new_tokens",
    "temperature": "temperature",
    "top_p": "top_p",
    "seed": "seed",
    "stop": "stop",
    "top_k": "top_k",
    "num_beams": "num_beams",
    "repetition_penalty": "repetition_penalty",
}
_TAKEN = ("model", "stream", "stream_options", *_OPTIONS)
# What changes no answer of ours.
_WITHOUT_EFFECT = (
    "user", "metadata", "store", "service_tier", "safety_identifier", "prompt_cache_key", "parallel_tool_calls",
)  # fmt: skip
# Field -> the values that ask for nothing.
_NOTHING: dict[str, tuple[object, ...]] = {
    "n": (1,),
    "best_of": (1,),
    "echo": (False,),
    "suffix": ("",),
    "logprobs": (False,),
    "top_logprobs": (0,),
    "logit_bias": ({},),
    "presence_penalty": (0,),
    "frequency_penalty": (0,),
    "tools": ([],),
    "tool_choice": ("none", "auto"),
    "functions": ([],),
    "modalities": (["text"],),
    "response_format": ({"type": "text"},),
}
_ROLES = ("system", "developer", "user", "assistant")
_MOST_MESSAGES = 1024


def check_fields(body: Mapping[str, object], prompt: str) -> None:
    """Refuse what would change the answer and is not done here: a client must not think that it was.

    Args:
        body: The request.
        prompt: The field of what is to be continued.

    Raises:
        RefusalError: A field is unknown, or asks for what is not done.
    """
    taken = (*_TAKEN, prompt)
    for name, value in body.items():
        if value is None or name in taken or name in _WITHOUT_EFFECT:
            continue
        if name not in _NOTHING:
            raise RefusalError(400, f"Unknown field {name[:100]!r}.", hint=nearest(name[:100], taken))
        if value not in _NOTHING[name]:
            raise RefusalError(400, f"The field '{name}' is not supported.", hint="Leave it out.")
    if not isinstance(body.get("stream", False), bool | None):
        raise RefusalError(400, "'stream' must be true or false.")


def options_of(body: Mapping[str, object]) -> dict[str, object]:
    """The options of a call.

    Raises:
        RefusalError: One has another type.
    """
    options = {option: body[name] for name, option in _OPTIONS.items() if body.get(name) is not None}
    check_options(options)
    return options


def plain_prompt(given: object) -> str:
    """A prompt to be continued.

    Raises:
        RefusalError: It is not one text.
    """
    if isinstance(given, list) and len(given) == 1:
        given = given[0]
    if not isinstance(given, str):
        raise RefusalError(400, "'prompt' must be one text.")
    return given


def chat_prompt(messages: object) -> str:
    r"""The contents of messages, one below the other: packages hold no template of a chat.

    >>> chat_prompt([{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello"}])
    'Be brief.\nHello'

    Raises:
        RefusalError: They are not messages of texts.
    """
    if not isinstance(messages, list) or not 0 < len(messages) <= _MOST_MESSAGES:
        raise RefusalError(400, f"'messages' must be a list of 1 to {_MOST_MESSAGES} messages.")
    return "\n".join(_content(message) for message in messages)


def _content(message: object) -> str:
    if not isinstance(message, dict) or message.get("role") not in _ROLES:
        raise RefusalError(400, f"A message must be an object with a role: {', '.join(_ROLES)}.")
    content = message.get("content")
    if isinstance(content, str):
        return content
    if isinstance(content, Sequence) and all(_is_text(part) for part in content):
        return "".join(str(part["text"]) for part in content)
    raise RefusalError(400, "The content of a message must be a text.", hint="Others: see /predict/PACKAGE.")


def _is_text(part: object) -> bool:
    return isinstance(part, dict) and part.get("type") == "text" and isinstance(part.get("text"), str)
