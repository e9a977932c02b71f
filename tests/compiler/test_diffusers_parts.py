"""Parts of diffusers pipelines as models of named arrays; with diffusers in a process of its own."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from command import Command
from edgewright_compiler.graphs.exported import ExportedFolder
from edgewright_compiler.sources import SourceOptions, open_source

# What diffusers needs beside what is installed.
WHEELS = ("diffusers==0.42.1", "importlib_metadata", "zipp", "requests", "charset_normalizer")
there = importlib.util.find_spec("diffusers") is not None
beside = pytest.mark.skipif(not there, reason="diffusers is not in this process")


def _index(folder: Path, **parts: list[str]) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "model_index.json").write_text(json.dumps({"_class_name": "StableDiffusionPipeline", **parts}))
    return folder


@pytest.mark.slow
@pytest.mark.skipif(there, reason="this is that process")
def test_what_needs_diffusers(tmp_path: Path) -> None:
    install = (sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(tmp_path), *WHEELS)
    done = subprocess.run(install, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"diffusers could not be fetched: {done.stderr[-200:]}")
    path = f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    # Its import has advice of other libraries for its developers.
    command = [sys.executable, "-m", "pytest", "-q", "-W", "ignore", "-p", "no:cacheprovider", __file__]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": path})
    assert done.returncode == 0, done.stdout
    assert "5 passed" in done.stdout.splitlines()[-1], done.stdout


@pytest.mark.skipif(there, reason="diffusers is in this process")
def test_diffusers_is_not_installed(command: Command, tmp_path: Path) -> None:
    folder = _index(tmp_path / "pipe", unet=["diffusers", "UNet2DModel"])
    (folder / "unet").mkdir()
    command.refuses_build(folder / "unet", says=["pip install 'edgewright[diffusers]'"])


def test_a_pipeline_is_refused_with_its_parts(command: Command, tmp_path: Path) -> None:
    folder = _index(tmp_path / "pipe", unet=["diffusers", "UNet2DModel"], scheduler=["diffusers", "DDPMScheduler"])
    for name in ("unet", "scheduler"):
        (folder / name).mkdir()
    command.refuses_build(folder, says=["is a diffusers pipeline", f"edgewright build {folder / 'unet'}."])
    command.refuses_build(folder / "scheduler", says=["is not a part", "of this one these are: unet", "AutoencoderKL"])


@beside
def test_a_unet(tmp_path: Path) -> None:
    from diffusers import UNet2DConditionModel

    torch.manual_seed(1)
    net = UNet2DConditionModel(
        sample_size=8, block_out_channels=(32,), layers_per_block=1, cross_attention_dim=16, attention_head_dim=8,
        down_block_types=("CrossAttnDownBlock2D",), up_block_types=("CrossAttnUpBlock2D",), norm_num_groups=8,
    ).eval()  # fmt: skip
    folder = _index(tmp_path / "pipe", unet=["diffusers", "UNet2DConditionModel"])
    net.save_pretrained(folder / "unet")
    source = open_source(str(folder / "unet"), SourceOptions())
    assert (source.name, source.task) == ("pipe-unet", "arrays")
    (sample,) = source.example()
    assert {name: value.shape for name, value in sample.items()} == {
        "sample": (1, 4, 8, 8), "timestep": (1,), "encoder_hidden_states": (1, 77, 16),
    }  # fmt: skip
    (answer,) = source.reference([sample])
    with torch.no_grad():
        expected = net(*map(torch.from_numpy, sample.values())).sample
    np.testing.assert_allclose(next(iter(answer.values())), expected.numpy(), atol=1e-5)
    source.export(tmp_path / "exported")
    assert ExportedFolder.read(tmp_path / "exported").model.graphs["model"].inputs == tuple(sample)


@beside
def test_the_decoder_of_a_vae(tmp_path: Path) -> None:
    from diffusers import AutoencoderKL

    torch.manual_seed(2)
    net = AutoencoderKL(
        block_out_channels=(8, 16), norm_num_groups=8, sample_size=16, latent_channels=4,
        down_block_types=("DownEncoderBlock2D",) * 2, up_block_types=("UpDecoderBlock2D",) * 2,
    ).eval()  # fmt: skip
    folder = _index(tmp_path / "pipe", vae=["diffusers", "AutoencoderKL"])
    net.save_pretrained(folder / "vae")
    source = open_source(str(folder / "vae"), SourceOptions())
    (sample,) = source.example()
    (answer,) = source.reference([sample])
    with torch.no_grad():
        expected = net.decode(torch.from_numpy(sample["latent_sample"])).sample
    np.testing.assert_allclose(next(iter(answer.values())), expected.numpy(), atol=1e-5)


@beside
def test_a_text_encoder(tmp_path: Path) -> None:
    from transformers import CLIPTextConfig, CLIPTextModel

    torch.manual_seed(3)
    config = CLIPTextConfig(
        vocab_size=50, hidden_size=16, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2,
        max_position_embeddings=12, eos_token_id=49,
    )  # fmt: skip
    net: Any = CLIPTextModel(config)
    net.eval()
    folder = _index(tmp_path / "pipe", text_encoder=["transformers", "CLIPTextModel"])
    net.save_pretrained(folder / "text_encoder")
    source = open_source(str(folder / "text_encoder"), SourceOptions())
    (sample,) = source.example()
    (answer,) = source.reference([sample])
    with torch.no_grad():
        expected = net(torch.from_numpy(sample["input_ids"])).last_hidden_state
    np.testing.assert_allclose(answer["0"], expected.numpy(), atol=1e-5)


@beside
def test_a_part_that_cannot_be_loaded(command: Command, tmp_path: Path) -> None:
    folder = _index(tmp_path / "pipe", unet=["diffusers", "UNet2DModel"])
    (folder / "unet").mkdir()
    (folder / "unet" / "config.json").write_text("{}")
    command.refuses_build(folder / "unet", says=["loading it as UNet2DModel failed"])
