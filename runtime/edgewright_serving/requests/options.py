"""Options of a call out of JSON: of the types that steps expect, and within what a server can afford."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from edgewright_runtime.steps.call_options import CALL_OPTIONS
from edgewright_serving.requests.refusals import RefusalError

# Beams are rows of one batch, and labels are texts that the model reads: memory grows with both.
_MOST = {"num_beams": 64}
_MOST_TEXTS = 1024


def check_options(options: Mapping[str, object]) -> None:
    """Refuse values of other types, which a step of Python would be given by mistake only.

    Which options a package has, and settings that mean nothing, it says itself.

    Raises:
        RefusalError: A value has another type, or is more than a server affords.
    """
    for name, value in options.items():
        # `top_k` stands for itself at the command line.
        kind = "integer" if name == "top_k" else CALL_OPTIONS[name].kind if name in CALL_OPTIONS else None
        if value is None or kind is None:
            continue
        fits, words = _KINDS[kind]
        if not fits(value):
            raise RefusalError(400, f"The option '{name}' is {str(value)[:100]!r}; it must be {words}.")
        if isinstance(value, int) and value > _MOST.get(name, value):
            raise RefusalError(400, f"The option '{name}' is {value}; this server takes at most {_MOST[name]}.")


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _share(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def _texts(value: object) -> bool:
    if isinstance(value, list):
        return len(value) <= _MOST_TEXTS and all(isinstance(text, str) for text in value)
    return isinstance(value, str)


_SOME_TEXTS = (_texts, f"a text, or a list of at most {_MOST_TEXTS} texts")
_KINDS: dict[str, tuple[Callable[[object], bool], str]] = {
    "count": (lambda value: isinstance(value, int) and value >= 1 and _whole(value), "a whole number above zero"),
    "integer": (lambda value: isinstance(value, int) and value >= 0 and _whole(value), "a whole number of 0 or more"),
    "number": (_number, "a number"),
    "share": (_share, "a number from 0 to 1"),
    # The labels to choose from may be a list too.
    "text": _SOME_TEXTS,
    "texts": _SOME_TEXTS,
    "flag": (lambda value: isinstance(value, bool), "true or false"),
}
