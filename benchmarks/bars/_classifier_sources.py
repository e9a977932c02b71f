"""Two classifiers of ImageNet as sources of `edgewright build`: each function gives a module, inputs, a processor."""

from __future__ import annotations

from typing import Any

from lite0 import PROCESSOR, imagenet_classifier

# torchvision's own way for Inception v3: to 342, the middle 299 of it, then as ImageNet is normalised.
_INCEPTION = {
    "image_processor_type": "DeiTImageProcessor",
    "size": {"height": 342, "width": 342},
    "crop_size": {"height": 299, "width": 299},
    "resample": 2,
    "image_mean": [0.485, 0.456, 0.406],
    "image_std": [0.229, 0.224, 0.225],
}


def lite0() -> Any:
    """EfficientNet-lite0 with the weights of ImageNet that come in a package."""
    import torch

    return imagenet_classifier(), torch.zeros(2, 3, 224, 224), PROCESSOR


def inception() -> Any:
    """Inception v3 of torchvision; its weights are random, its second head is for training alone."""
    import torch
    from torchvision.models import inception_v3

    torch.manual_seed(3)
    net = inception_v3(weights=None, aux_logits=True, transform_input=True, init_weights=False)
    # A few pictures through it, so that the norms know the range of what they see.
    with torch.no_grad():
        net.train()(torch.randn(4, 3, 299, 299))
    return net.eval(), torch.zeros(2, 3, 299, 299), _INCEPTION
