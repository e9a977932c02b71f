"""`timm:NAME`, `torchvision:NAME`, and folders that timm saved: classifiers that a library makes by their name."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from edgewright_compiler.graphs.exported import read_exported, write_exported
from edgewright_compiler.sources._source import SourceOptions
from edgewright_compiler.sources.model_libraries import LIBRARIES
from edgewright_compiler.sources.torch_module import TorchSource
from edgewright_targets import InputError

_TASK = "image-classification"


class LibrarySource(TorchSource):
    """A classifier of a library.

    Args:
        library: A key of `LIBRARIES`.
        model: The library's name for it.
        options: What the user says about it.
        weights: A file of weights; None takes those that the library has here already, or else random ones, with a
            warning in the evidence.
        name: What it is called; by default as the library calls it.

    Raises:
        InputError: The library has no such model, or it takes pictures in a way that is not supported.
        MissingDependencyError: The library is not installed.
    """

    def __init__(
        self, library: str, model: str, options: SourceOptions, weights: Path | None = None, name: str = ""
    ) -> None:
        if options.task not in (None, _TASK):
            raise InputError(
                f"'{library}:{model}': models of {library} are built for the task {_TASK}.",
                hint=f"For {options.task}, build package.module:function, which returns the network, its inputs and "
                "the settings of its processor (see docs/sources.md).",
            )
        self._weights = weights
        super().__init__(library, model, dataclasses.replace(options, task=_TASK))
        self.name = name or model
        self.tools = (*self.tools, library)

    @property
    def notes(self) -> tuple[str, ...]:
        """That its weights are random, where they are."""
        if self._made.weights:
            return ()
        trained = f" Trained ones are {self._made.trained}." if self._made.trained else ""
        note = (
            f"The weights of '{self._spec}' are random, because no trained ones are on this machine: the answers of "
            f"this model mean nothing, and only its speed can be judged.{trained}"
        )
        return (note,)

    def _call(self, module: str, function: str) -> tuple[Any, Any, dict[str, object] | None]:
        self._torch.manual_seed(0)
        self._made = made = LIBRARIES[module].make(function, self._weights)
        self.labels = self.labels or made.labels
        net = made.net.eval()
        return net, self._named(net, self._torch.zeros(1, 3, *made.size)), made.processor

    def export(self, folder: Path) -> None:
        """Export as torch modules are; that weights are random goes into the evidence."""
        super().export(folder)
        write_exported(folder, dataclasses.replace(read_exported(folder), notes=self.notes))
