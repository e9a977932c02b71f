"""What a recogniser of several languages is told before it writes: the language, and whether to translate."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from edgewright_runtime.errors import SampleError
from edgewright_targets.errors import nearest

_TRANSCRIBE = "transcribe"


@dataclass(frozen=True, kw_only=True)
class SpeechPromptSpec:
    """The tokens that a transcript begins with.

    Attributes:
        start: The first one.
        forced: Those after it where neither language nor task is said; None is a language to be detected.
        languages: Code to its token; empty where the model has one language only.
        names: Another name of a language to its code, such as `german`.
        tasks: Task to its token.
        language: The language where a call does not say it; detected where this is None.
        task: The task where a call does not say it.
    """

    start: int
    forced: tuple[int | None, ...] = ()
    languages: dict[str, int] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    tasks: dict[str, int] = field(default_factory=dict)
    language: str | None = None
    task: str | None = None

    @property
    def options(self) -> tuple[str, ...]:
        """The options that a call may give: `language` and `task`, where the model has a choice."""
        return tuple(name for name, there in (("language", self.languages), ("task", self.tasks)) if there)


def language_code(name: Any) -> str:
    """The code in a token or in what a person writes: `<|de|>` or `DE` is `de`."""
    return str(name).lower().strip("<|>")


def speech_prompt(
    spec: SpeechPromptSpec, options: Mapping[str, object], detect: Callable[[Sequence[int]], int]
) -> tuple[list[int], str | None]:
    """The tokens, and the code of the language where there is one; times are left to the caller.

    Args:
        spec: The model's.
        options: Of a call.
        detect: From the tokens of languages, that of the recording.

    Raises:
        SampleError: The model does not have the language or the task.
    """
    language = _language(spec, options.get("language") or spec.language)
    task = _task(spec, options.get("task") or spec.task)
    tokens: list[int | None] = [spec.start, *(spec.forced if language is None and task is None else ())]
    found = spec.languages.get(language) if language is not None else None
    if found is None and spec.languages and (len(tokens) < 2 or tokens[1] is None):
        found = detect(sorted(spec.languages.values()))
    if found is not None:
        tokens[1:2] = [found]
    if task is not None:
        tokens.append(spec.tasks[task])
    elif language is not None and spec.tasks and not set(spec.tasks.values()) & set(tokens):
        tokens.append(spec.tasks[_TRANSCRIBE])
    heard = next((code for code, token in spec.languages.items() if token == found), None)
    return [token for token in tokens if token is not None], heard


def _language(spec: SpeechPromptSpec, given: Any) -> str | None:
    if given is None:
        return None
    code = language_code(given)
    code = spec.names.get(code, code)
    if code not in spec.languages:
        raise SampleError(
            f"The option language is {given!r}, which this model does not have.",
            hint=f"It has: {', '.join(sorted(spec.languages))}.",
        )
    return code


def _task(spec: SpeechPromptSpec, given: Any) -> str | None:
    if given is None:
        return None
    if given not in spec.tasks:
        raise SampleError(
            f"The option task is {given!r}, which this model does not have.", hint=nearest(str(given), spec.tasks)
        )
    return str(given)
