"""Modules of torch as users have them: sound ones, and each way in which one cannot be exported."""

from __future__ import annotations

from pathlib import Path


def write_torch_module(folder: Path) -> str:
    """A module of the user's with functions for `package.module:function`; gives the module's name."""
    (folder / "tiny_torch_models.py").write_text(_TORCH_MODULE, encoding="utf-8")
    return "tiny_torch_models"


_TORCH_MODULE = """
import torch
from torch import nn


class Eigenvalues(nn.Module):
    def forward(self, x):
        doubled = x * 2
        return torch.linalg.eigvals(doubled).real


@torch.library.custom_op("edgewright_tests::twist", mutates_args=())
def twist(x: torch.Tensor) -> torch.Tensor:
    return x.clone() * 3


@twist.register_fake
def _(x):
    return torch.empty_like(x)


class Custom(nn.Module):
    def forward(self, x):
        return twist(torch.relu(x))


class Branch(nn.Module):
    def forward(self, x):
        if x.sum() > 0:
            return x + 1
        return x - 1


class Noise(nn.Module):
    def forward(self, x):
        return x + torch.rand_like(x)


class Dropout(nn.Module):
    def forward(self, x):
        return nn.functional.dropout(x, 0.5, training=True)


class Counter(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, x):
        self.calls += 1
        return x + self.calls


class Smoothed(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.zeros(3))

    def forward(self, x):
        self.mean.mul_(0.5).add_(x.detach().mean(0) * 0.5)
        return x - self.mean


class Remembers(nn.Module):
    before = None

    def forward(self, x):
        last = torch.zeros_like(x) if self.before is None else self.before
        if not torch.compiler.is_compiling():
            self.before = x
        return x + last


class FrozenBranch(nn.Module):
    def forward(self, x):
        return x * 2 if x.shape[0] == 2 else x


class FrozenLoop(nn.Module):
    def forward(self, x):
        return torch.stack([row * index for index, row in enumerate(x)])


class FrozenTable(nn.Module):
    def forward(self, x):
        return x + torch.tensor([[float(index)] for index in range(x.shape[0])])


class Given(nn.Module):
    def forward(self, x):
        return x * 2, x


class PaddedMean(nn.Module):
    def __init__(self):
        super().__init__()
        layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 1)

    def forward(self, x, pad):
        return self.encoder(x, src_key_padding_mask=pad).mean(1)


class Several(nn.Module):
    def forward(self, x):
        return x * 2, None, {"more": x + 1}


def eigenvalues():
    return Eigenvalues(), {"x": torch.eye(4)[None]}


def custom():
    return Custom(), torch.ones(2, 3)


def branch():
    return Branch(), torch.ones(2, 3)


def noise():
    return Noise(), torch.ones(2, 3)


def dropout():
    # So many that the same ones are hardly dropped twice: six were, once in sixty runs.
    return Dropout(), torch.ones(2, 64)


def counter():
    return Counter(), torch.ones(2, 3)


def smoothed():
    return Smoothed(), torch.ones(2, 3)


def remembers():
    return Remembers(), torch.ones(2, 3)


def frozen_branch():
    return FrozenBranch(), torch.ones(2, 3)


def frozen_loop():
    return FrozenLoop(), torch.ones(2, 3)


def frozen_table():
    return FrozenTable(), torch.ones(2, 3)


def compiled_and_parallel():
    return nn.DataParallel(torch.compile(Given())), torch.ones(2, 3)


def padded_mean():
    return PaddedMean(), {"x": torch.randn(2, 4, 8), "pad": torch.tensor([[False] * 4, [False, False, True, True]])}


def several():
    return Several(), torch.ones(2, 3)


def linear():
    torch.manual_seed(7)
    return nn.Linear(3, 4), {"input": torch.ones(2, 3)}


def diverged():
    net = nn.Linear(3, 2)
    net.bias.data[1] = torch.nan
    return net, torch.ones(1, 3)


def meta():
    return nn.Linear(3, 2, device="meta"), torch.ones(1, 3)


def lazy():
    return nn.LazyLinear(2), torch.ones(1, 3)


def half():
    return nn.Linear(3, 4).bfloat16(), torch.ones(2, 3).bfloat16()


def number():
    return 5


def no_tensors():
    return nn.Linear(3, 4), {"input": [1.0, 2.0]}


def too_many():
    return nn.Linear(3, 4), (torch.ones(2, 3), torch.ones(2, 3))


def fails():
    raise FileNotFoundError("the weights are on another disk")


value = 3
"""
