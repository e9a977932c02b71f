"""Graphs of parts of a model: a function of its tensors, exported with torch's own exporter.

For models that transformers' exporter takes whole or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import onnx_ir


def export_part(
    model: Any,
    part: Callable[..., Any],
    feeds: Mapping[str, object],
    outputs: Sequence[str],
    axes: Mapping[str, Mapping[int, Any]],
) -> onnx_ir.Model:
    """The graph of `part`.

    Args:
        model: The torch module whose weights `part` uses.
        part: Takes tensors by the names of the graph's inputs, gives a tensor or a tuple of tensors.
        feeds: An example of the inputs.
        outputs: Names of the graph's outputs, in the order of what `part` gives.
        axes: Input to axis to `torch.export.Dim`: what may have another size than in the example.
    """
    import torch

    names = list(feeds)

    class Part(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, *values: Any) -> Any:
            return part(**dict(zip(names, values, strict=True)))

    shapes = tuple(dict(axes[name]) if name in axes else None for name in names)
    program = torch.onnx.export(
        Part().eval(),
        tuple(feeds.values()),
        input_names=names,
        output_names=list(outputs),
        dynamic_shapes=(shapes,),
        dynamo=True,
        verbose=False,
    )
    assert program is not None, "the exporter gives a program where it writes no file"
    return program.model
