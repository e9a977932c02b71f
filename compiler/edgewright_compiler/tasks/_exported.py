"""transformers' own exporter."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from edgewright_compiler.failures import export_failures

if TYPE_CHECKING:
    import onnx_ir


# Modules whose code makes whole numbers of the edges of a picture, which are whole.
_CUT_EDGES = ("transformers.models.depth_anything.modeling_depth_anything",)


def exported(model: Any, feeds: Mapping[str, object], title: str, **settings: Any) -> onnx_ir.Model:
    """The graph of a torch module.

    Args:
        model: Of transformers, or one around such a model.
        feeds: An example of its inputs.
        title: What messages call it.
        settings: The fields of `OnnxConfig`.

    Raises:
        InputError: It cannot be exported.
    """
    from transformers.exporters import OnnxConfig  # type: ignore[attr-defined]
    from transformers.exporters.exporter_onnx import OnnxExporter

    exporter: Any = OnnxExporter
    with export_failures(title), _free_edges():
        program: onnx_ir.Model = exporter().export(model, dict(feeds), OnnxConfig(**settings)).program
    return program


@contextlib.contextmanager
def _free_edges() -> Iterator[None]:
    """For a block: edges stay symbols where code of a model calls `int` for them.

    torch.export makes a constant of an `int`: the graph would take pictures of any size and give maps of one.
    """
    modules = [sys.modules[name] for name in _CUT_EDGES if name in sys.modules]
    for module in modules:
        vars(module)["int"] = _whole
    try:
        yield
    finally:
        for module in modules:
            del vars(module)["int"]


def _whole(value: Any) -> Any:
    import torch

    return value if isinstance(value, torch.SymInt) else int(value)
