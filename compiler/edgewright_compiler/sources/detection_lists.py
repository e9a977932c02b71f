"""torchvision's detectors: a list of pictures in, a list of dicts out, with loops and branches that depend on the data.

torch's newer exporter cannot follow these, the older one can; as a graph they take one picture at a time.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgewright_compiler.failures import export_failures

if TYPE_CHECKING:
    import onnx_ir

_OPSET = 18
# In the order of the head `boxes`.
OUTPUTS = ("boxes", "labels", "scores")


def takes_lists(module: Any) -> bool:
    """Whether a torch module is one of torchvision's detectors."""
    return type(module).__module__.startswith("torchvision.models.detection.")


class OnePicture:
    """Makes a torch module of a detector that takes one picture as a batch, [1, channels, height, width].

    It gives boxes [boxes, 4], classes [boxes] and scores [boxes].
    """

    def __new__(cls, detector: Any) -> Any:
        """The module; a class of its own is made here, for torch is imported late."""
        import torch

        class _OnePicture(torch.nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.detector = detector

            def forward(self, images: Any) -> Any:
                found = self.detector([images[0]])[0]
                return tuple(found[name] for name in OUTPUTS)

        return _OnePicture()


def export_lists(module: Any, feeds: dict[str, object], source: str) -> onnx_ir.Model:
    """The graph of what `OnePicture` made, for pictures of any size.

    Raises:
        InputError: It cannot be exported.
    """
    import onnx_ir
    import torch

    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "model.onnx"
        with export_failures(source):
            torch.onnx.export(
                module,
                tuple(feeds.values()),
                path,
                input_names=list(feeds),
                output_names=list(OUTPUTS),
                dynamic_axes={name: {2: "height", 3: "width"} for name in feeds},
                opset_version=_OPSET,
                dynamo=False,
            )
        model = onnx_ir.load(path)
        # Into memory, before the folder goes.
        return onnx_ir.external_data.load_to_model(model)
