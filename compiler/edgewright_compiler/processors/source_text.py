"""Texts that an encoder reads and a decoder writes about: the words in front of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgewright_compiler.processors import ExportingProcessor
from edgewright_runtime.manifest import StepSpec

if TYPE_CHECKING:
    from edgewright_runtime.wire import Arrays


class SourceText:
    """Texts as an encoder takes them; see `Processor`.

    Args:
        tokenizer: Makes tokens of a text.
        prefixes: Name to the words in front of each text, the first by default; none where it is empty.
    """

    def __init__(self, tokenizer: ExportingProcessor, prefixes: Mapping[str, str]) -> None:
        self._tokenizer = tokenizer
        self._prefixes = dict(prefixes)

    def example(self) -> dict[str, Any]:
        """Torch tensors by input name for the exporter, two samples in a batch."""
        return self._tokenizer.example()

    def axes(self, feeds: Mapping[str, object]) -> dict[str, dict[int, Any]]:
        """Input name to axis to `torch.export.Dim`: the dynamic axes."""
        return self._tokenizer.axes(feeds)

    def feeds(self, sample: Any) -> Arrays:
        """The graph's inputs for one sample, as the source's own code computes them."""
        return self._tokenizer.feeds(next(iter(self._prefixes.values()), "") + sample)

    def steps(self, inputs: Sequence[str]) -> tuple[StepSpec, ...]:
        """The steps from a sample to the graph's inputs."""
        tokenize = self._tokenizer.steps(inputs)
        if not self._prefixes:
            return tokenize
        return (StepSpec("prefix", {"choices": self._prefixes, "default": next(iter(self._prefixes))}), *tokenize)

    def keep(self, folder: Path) -> None:
        """Copy nothing: the tokenizer also writes the output, and is kept there."""
