"""What a decoder begins with: declared tokens, some of which a call may choose."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from edgewright_runtime.errors import SampleError
from edgewright_targets.errors import nearest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edgewright_runtime.engine import Engine
    from edgewright_runtime.package import Package


class Prompt:
    """Adds the tokens that a decoder begins with, int64 [1, tokens].

    Args:
        package: Unused; steps share one signature.
        engine: Unused.
        output: Name of the value.
        tokens: In their order. An entry is a token, or an option of a call:
            `{"option": NAME, "choices": {VALUE: TOKEN}, "default": VALUE}`; a choice without a token has null.
    """

    def __init__(self, package: Package, engine: Engine, *, output: str, tokens: Sequence[Any]) -> None:
        del package, engine
        self._output = output
        self._entries = [entry if isinstance(entry, dict) else int(entry) for entry in tokens]
        chosen = [entry for entry in self._entries if isinstance(entry, dict)]
        for entry in chosen:
            if set(entry) != {"option", "choices", "default"} or entry["default"] not in entry["choices"]:
                raise ValueError(f"the choice {entry} of a prompt")
        self.options = tuple(str(entry["option"]) for entry in chosen)

    def __call__(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Add the tokens.

        Raises:
            SampleError: A call chose what there is not.
        """
        options = values.get("options", {})
        found = [entry if isinstance(entry, int) else _chosen(entry, options) for entry in self._entries]
        return {self._output: np.array([[token for token in found if token is not None]], dtype=np.int64)}


def _chosen(entry: Mapping[str, Any], options: Mapping[str, Any]) -> int | None:
    given = options.get(entry["option"])
    value = entry["default"] if given is None else str(given).lower()
    if value not in entry["choices"]:
        raise SampleError(
            f"The option {entry['option']} is {given!r}, which this model does not have.",
            hint=nearest(value, entry["choices"]),
        )
    token = entry["choices"][value]
    return None if token is None else int(token)
