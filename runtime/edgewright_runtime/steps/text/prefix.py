"""Words in front of a text that say what is to be done with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgewright_runtime.errors import SampleError
from edgewright_runtime.steps.text.tokenize import describe
from edgewright_runtime.steps.values import call_of
from edgewright_targets.errors import nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgewright_runtime.steps.values import NamedValues


class Prefix:
    """Puts words in front of the text, such as `translate English to German: `.

    Args:
        choices: Name to the words.
        default: Which of them, where a call does not say.
        option: The option of a call that names one.
    """

    def __init__(self, *, choices: Mapping[str, str], default: str, option: str = "direction") -> None:
        self._choices = {str(name): str(words) for name, words in choices.items()}
        self._default = default
        self._option = option
        if default not in self._choices:
            raise ValueError(f"the default '{default}' is not one of the choices")
        self.options = (option,) if len(self._choices) > 1 else ()

    def __call__(self, values: NamedValues) -> dict[str, str]:
        """Replace `text`.

        Raises:
            SampleError: The text is not a string or empty, or a call names what there is not.
        """
        text = values["text"]
        if not isinstance(text, str) or not text.strip():
            raise SampleError(f"The model takes a non-empty text; found {describe(text)}.")
        given = call_of(values).options.get(self._option)
        name = self._default if given is None else str(given)
        if name not in self._choices:
            raise SampleError(
                f"The option {self._option} is {given!r}, which this model does not have.",
                hint=nearest(name, self._choices),
            )
        return {"text": self._choices[name] + text}
