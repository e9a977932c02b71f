"""Values to a sentence, by a template with names in braces."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgewright_runtime.steps.values import NamedValues


_FIELD = re.compile(r"\{([A-Za-z][A-Za-z0-9_-]*)\}")


class Template:
    """A sentence with values in it.

    Not `str.format`: a template is data of somebody else, and that reaches attributes of what it is given.

    Args:
        text: The sentence; `{name}` stands for the input of that name.
        texts: By the value of the input `choice`, the sentence for it; `text` is for all others.

    Attributes:
        names: Inputs that its options name.
    """

    def __init__(self, *, text: str, texts: Mapping[str, str] | None = None) -> None:
        self._text = text
        self._texts = texts or {}
        spoken = (name for sentence in (text, *self._texts.values()) for name in _FIELD.findall(sentence))
        self.names = tuple(dict.fromkeys((*spoken, *(("choice",) if self._texts else ()))))

    def __call__(self, values: NamedValues) -> str:
        """The sentence.

        Raises:
            ValueError: A name in the sentence is not an input.
        """
        template = self._texts.get(str(values.get("choice")), self._text)

        def filled(match: re.Match[str]) -> str:
            name = match.group(1)
            if name not in values:
                raise ValueError(f"the sentence has {{{name}}}, which is not an input of the step")
            value = values[name]
            return f"{value:g}" if isinstance(value, float) else str(value)

        return _FIELD.sub(filled, template)
