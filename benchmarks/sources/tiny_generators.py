"""Generators of pictures: the structure of StyleGAN2, tiny and untrained; and a real DCGAN from an ordinary package."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from fetched import wheel_files

LATENT = 16
EDGE = 16
_CHANNELS = 12


class StyledConvolution(nn.Module):
    """A convolution whose input channels are scaled by a style, its outputs brought back to deviation 1; then noise.

    Scaling what goes in, and not the weights, is the same and leaves the weights constant: they can be quantized.
    """

    def __init__(self, out: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(out, _CHANNELS, 3, 3))
        self.style = nn.Linear(LATENT, _CHANNELS)
        self.noise_strength = nn.Parameter(torch.full((1,), 0.3))
        self.bias = nn.Parameter(torch.randn(out) / 10)
        nn.init.ones_(self.style.bias)

    def forward(self, x: torch.Tensor, w: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        style = self.style(w)
        scale = torch.rsqrt((style.square() @ self.weight.square().sum((2, 3)).T) + 1e-8)
        x = functional.conv2d(x * style[:, :, None, None], self.weight, padding=1) * scale[:, :, None, None]
        return functional.leaky_relu(x + noise * self.noise_strength + self.bias[:, None, None], 0.2) * 2**0.5


class ToRgb(nn.Module):
    """A styled 1 x 1 convolution to colours, without demodulation."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(3, _CHANNELS, 1, 1) / _CHANNELS)
        self.style = nn.Linear(LATENT, _CHANNELS)

    def forward(self, x: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
        return functional.conv2d(x * self.style(w)[:, :, None, None], self.weight)


class StyleGan(nn.Module):
    """Mapping network, a learned 4 x 4 constant, two styled blocks, and colours summed over the sizes."""

    def __init__(self) -> None:
        super().__init__()
        layers = [nn.Linear(LATENT, LATENT), nn.LeakyReLU(0.2), nn.Linear(LATENT, LATENT), nn.LeakyReLU(0.2)]
        self.mapping = nn.Sequential(*layers)
        self.constant = nn.Parameter(torch.randn(1, _CHANNELS, 4, 4))
        self.blocks = nn.ModuleList(StyledConvolution(_CHANNELS) for _ in range(3))
        self.colours = nn.ModuleList(ToRgb() for _ in range(3))

    def forward(self, z: torch.Tensor, noise4: torch.Tensor, noise8: torch.Tensor, noise16: torch.Tensor) -> Any:
        w = self.mapping(z * torch.rsqrt(z.square().mean(1, keepdim=True) + 1e-8))
        x = self.constant.expand(z.shape[0], -1, -1, -1)
        picture = None
        for block, colour, noise in zip(self.blocks, self.colours, (noise4, noise8, noise16), strict=True):
            if picture is not None:
                x = functional.interpolate(x, scale_factor=2, mode="bilinear")
                picture = functional.interpolate(picture, scale_factor=2, mode="bilinear")
            x = block(x, w, noise)
            picture = colour(x, w) if picture is None else picture + colour(x, w)
        return picture


def stylegan() -> tuple[nn.Module, dict[str, torch.Tensor]]:
    """A source: the latent and one noise for each size."""
    torch.manual_seed(3)
    noise = {f"noise{edge}": torch.zeros(2, 1, edge, edge) for edge in (4, 8, 16)}
    return StyleGan(), {"z": torch.zeros(2, LATENT), **noise}


def with_settings() -> Any:
    """A source that says what its numbers mean."""
    return nn.Sequential(nn.Linear(4, 12), nn.Sigmoid(), nn.Unflatten(1, (3, 2, 2))), torch.zeros(2, 4), SETTINGS


SETTINGS: dict[str, Any] = {"distribution": "uniform", "range": [0, 1]}


def unknown_setting() -> Any:
    return *with_settings()[:2], {"rnage": [0, 1]}


def wrong_range() -> Any:
    return *with_settings()[:2], {"range": [1, 0]}


def wrong_distribution() -> Any:
    return *with_settings()[:2], {"distribution": "cauchy"}


def takes_classes() -> Any:
    return nn.Embedding(4, 12), torch.zeros(2, 1, dtype=torch.int64)


def no_picture() -> Any:
    return nn.Linear(4, 12), torch.zeros(2, 4)


def faces() -> tuple[nn.Module, torch.Tensor]:
    """The DCGAN of the package `gan-face-generate` (MIT), its code copied in layers: a face of 64 x 64."""
    state = torch.load(weights(), weights_only=True, map_location="cpu")["netG_state_dict"]
    layers: list[nn.Module] = []
    for index in (0, 3, 6, 9, 12):
        weight = state[f"main.{index}.weight"]
        stride, padding = (1, 0) if index == 0 else (2, 1)
        layers.append(nn.ConvTranspose2d(weight.shape[0], weight.shape[1], 4, stride, padding, bias=False))
        layers += [nn.BatchNorm2d(weight.shape[1]), nn.ReLU()] if index < 12 else [nn.Tanh()]
    net = nn.Sequential(*layers)
    net.load_state_dict({name.removeprefix("main."): value for name, value in state.items()})
    return net, torch.zeros(2, 100, 1, 1)


def weights() -> Path:
    """The DCGAN's weights, fetched once.

    Raises:
        CannotFetchError: They cannot be had.
    """
    return wheel_files("gan-face-generate") / "gan_face_generate" / "weights.tar"
