"""From a seed to a picture: a generator with the structure of StyleGAN2, one in ONNX, and the faces of a real DCGAN."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import tiny_generators
from command import QUICK, Command
from edgewright_benchmarks.accuracy._perceptual import can_be_seen
from edgewright_cli import main
from edgewright_compiler.graphs.end_layers import end_layers
from edgewright_runtime import SampleError, load
from real_models import unpacked_wheel

TASK = ("--task", "unconditional-image-generation")


@pytest.fixture(scope="session")
def target(sources: Path) -> Path:
    """The tiny target, whose int8 keeps the ends in float."""
    path = sources / "tiny-ends.toml"
    text = (sources / "tiny.toml").read_text(encoding="utf-8")
    path.write_text(text.replace('method = "static"', 'method = "static"\nfloat_ends = true'), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def styled(target: Path, sources: Path, shared_cache: Path) -> Path:
    """A package of the StyleGAN2-like generator: do not write into it."""
    output = sources / "styled.ortpackage"
    fixed = ("--target", str(target), "-o", str(output), *QUICK, "-q")
    assert main(["build", "tiny_generators:stylegan", *TASK, *fixed]) == 0
    return output


def test_pictures_are_those_of_the_module(command: Command, styled: Path, tmp_path: Path) -> None:
    net, inputs = tiny_generators.stylegan()
    random = np.random.default_rng(5)
    given = {name: random.standard_normal((4, *value.shape[1:])).astype(np.float32) for name, value in inputs.items()}
    with torch.no_grad():
        made = net.eval()(**{name: torch.from_numpy(value) for name, value in given.items()})
    expected = ((made + 1) * 127.5 + 0.5).clamp(0, 255).permute(0, 2, 3, 1).numpy().astype(np.uint8)
    with load(styled, engine="tiny-ends-cpu-fp32") as model:
        pictures = model(given)
        first = model({name: value[:1] for name, value in given.items()})
        assert np.array_equal(model(7), model({"z": model.run(7)["z"], **{n: model.run(7)[n] for n in inputs}}))
        with pytest.raises(SampleError, match="has no input 'w'"):
            model({"w": given["z"]})
    assert pictures.shape == (4, 16, 16, 3)
    assert np.abs(pictures.astype(int) - expected).max() <= 1
    assert np.abs(first.astype(int) - expected[0]).max() <= 1
    # Noise is an input of its own: without it pictures are others.
    file = tmp_path / "latents.npz"
    np.savez(file, **given)  # type: ignore[arg-type]
    done = command("run", styled, file, "--engine", "tiny-ends-cpu-fp32", "--out", tmp_path / "sheet.png", "--json")
    assert json.loads(done.out)["answers"][0]["picture"] == {"pictures": 4, "height": 16, "width": 16}
    sheet = np.asarray(Image.open(tmp_path / "sheet.png"))
    assert sheet.shape == (32, 32, 3)
    assert np.array_equal(sheet[16:, :16], pictures[2])
    np.save(tmp_path / "z.npy", given["z"][0])
    assert command("run", styled, tmp_path / "z.npy", "--out", tmp_path / "one.png").code == 0
    assert not np.array_equal(np.asarray(Image.open(tmp_path / "one.png")), first)


def test_seeds_on_the_command_line(command: Command, styled: Path, tmp_path: Path) -> None:
    engine = ("--engine", "tiny-ends-cpu-fp32")
    done = command("run", styled, "--seed", 7, "--out", tmp_path / "seven.png", *engine, "-q")
    assert (done.code, done.out) == (0, "a picture of 16 x 16 (--out FILE.png writes it)\n")
    with load(styled, engine="tiny-ends-cpu-fp32") as model:
        assert np.array_equal(np.asarray(Image.open(tmp_path / "seven.png")), model(7))
    assert command("run", styled, 7, *engine, 8, "--out", tmp_path / "pictures").code == 0
    assert sorted(path.name for path in (tmp_path / "pictures").iterdir()) == ["7.png", "8.png"]
    assert (tmp_path / "pictures" / "7.png").read_bytes() == (tmp_path / "seven.png").read_bytes()
    command.refuses("run", styled, says=["No input was given; this model takes seeds."])
    command.refuses("run", styled, "seven", says=["'seven' is neither a seed nor a file of latents"])
    command.refuses("run", styled, 2**32, says=["The seed is 4294967296; it must be from 0"])
    command.refuses("run", styled, 7, "-o", tmp_path / "x.tga", says=["does not end as an image file does", ".png"])
    command.refuses(
        "run", styled, 7, 8, "-o", tmp_path / "x.png", says=["is one file, and there are several images to write"]
    )
    command.refuses("run", styled, 7, 8, "-o", tmp_path / "no" / "x", says=["there is no folder"])
    command.refuses("run", styled, 7, "--temperature", 1, says=["--temperature is for models that generate text"])
    (tmp_path / "bad.npy").write_bytes(b"\x93NUMPY, cut off")
    command.refuses("run", styled, tmp_path / "bad.npy", says=["is not a readable .npy file"])
    np.save(tmp_path / "objects.npy", np.array([{}], dtype=object), allow_pickle=True)
    command.refuses("run", styled, tmp_path / "objects.npy", says=["is not a readable .npy file"])
    np.savez(tmp_path / "bad.npz", z=np.zeros((2, 3)))
    command.refuses(
        "run", styled, tmp_path / "bad.npz", says=["'z' is float64 [2, 3]; the model takes floats of [1, 16]"]
    )


def test_it_is_measured_and_verified(command: Command, styled: Path, tmp_path: Path) -> None:
    evidence = json.loads(command("inspect", styled, "--json").out)["evidence"]
    (result,) = evidence.values() if isinstance(evidence, dict) else evidence
    engines = {engine["name"]: engine for engine in result["engines"]}
    assert result["measure"] == "agreement"
    assert result["data"]["samples"] == 300
    metrics = engines["tiny-ends-cpu-int8"]["accuracy"]["metrics"]
    assert list(metrics) == ["agreement", "psnr", *(["perceptual_distance"] if can_be_seen() else [])]
    assert 0.3 < metrics["agreement"]["value"] < 1
    assert 15 < metrics["psnr"]["value"] < 80
    assert command("verify", styled).code == 0
    np.savez(tmp_path / "latents.npz", z=np.random.default_rng(0).standard_normal((20, 16)))
    seeds = tmp_path / "seeds.csv"
    seeds.write_text("latent\n" + "\n".join(map(str, range(20))) + "\n", encoding="utf-8")
    for data in (tmp_path / "latents.npz", seeds):
        done = command("bench", styled, "--data", data, "--json", *QUICK)
        assert done.code == 0, done.err
        assert json.loads(done.out)["data"]["samples"] == 20


def test_first_and_last_layers_of_a_generator(styled: Path) -> None:
    import onnx_ir

    model = onnx_ir.load(styled / "model" / "tiny-ends-cpu-fp32" / "model.onnx")
    ends = end_layers(model)
    weights = [
        value.name for node in model.graph if node.name in ends for value in node.inputs if value and value.const_value
    ]
    # The first of the mapping network, and a layer that makes colours for each size; none of the blocks between.
    assert sorted(str(name) for name in weights) == [
        *(f"colours.{index}.weight" for index in range(3)), "mapping.0.bias", "mapping.0.weight"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("function", "says"),
    [
        ("unknown_setting", "unknown setting 'rnage' of a generator"),
        ("wrong_range", "the range is [1, 0]"),
        ("wrong_distribution", "the distribution is 'cauchy'; expected normal or uniform"),
        ("takes_classes", "is int64 [2, 1]; the inputs of a generator are float tensors"),
    ],
)
def test_sources_that_are_no_generators(command: Command, function: str, says: str) -> None:
    command.refuses_build(f"tiny_generators:{function}", *TASK, says=[says])


def test_a_checkpoint_is_no_generator(command: Command, checkpoint: Path) -> None:
    command.refuses_build(
        checkpoint, *TASK, says=["image generators cannot be built from a checkpoint of transformers"]
    )


@pytest.mark.slow
def test_an_onnx_file_with_settings_beside_it(command: Command, target: Path, tmp_path: Path) -> None:
    net, example, settings = tiny_generators.with_settings()
    file = tmp_path / "net.onnx"
    shapes = {"input": {0: torch.export.Dim.AUTO}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(net.eval(), (example,), dynamic_shapes=shapes, dynamo=True, verbose=False)
    assert program is not None
    program.save(file)
    (tmp_path / "generator_config.json").write_text(json.dumps(settings), encoding="utf-8")
    output = command.folder / "net.ortpackage"
    done = command("build", file, *TASK, "--target", target, "-o", output, *QUICK, "-q")
    assert done.code == 0, done.err
    latent: Any = np.random.RandomState(3).uniform(-1, 1, (1, 4)).astype(np.float32)
    with torch.no_grad():
        expected = (net(torch.from_numpy(latent))[0] * 255 + 0.5).permute(1, 2, 0).numpy().astype(np.uint8)
    with load(output, engine="tiny-ends-cpu-fp32") as model:
        assert np.abs(model(3).astype(int) - expected).max() <= 1
    says = ["does not fit the model", "which is not a picture"]
    command.refuses_build("tiny_generators:no_picture", *TASK, says=says)


@pytest.mark.slow
def test_the_faces_of_a_real_generator(command: Command, target: Path, tmp_path: Path) -> None:
    """Weights inside an ordinary package; what the graph answers is compared with torch by the build itself."""
    unpacked_wheel("gan-face-generate")
    seeds = tmp_path / "seeds.csv"
    seeds.write_text("latent\n" + "\n".join(map(str, range(40))) + "\n", encoding="utf-8")
    output = command.folder / "faces.ortpackage"
    fixed = ("--calibration", seeds, "--target", target, "-o", output, *QUICK, "-q")
    done = command("build", "tiny_generators:faces", *TASK, *fixed)
    assert done.code == 0, done.err
    evidence = json.loads(command("inspect", output, "--json").out)["evidence"]
    (result,) = evidence.values() if isinstance(evidence, dict) else evidence
    int8 = {engine["name"]: engine for engine in result["engines"]}["tiny-ends-cpu-int8"]["accuracy"]["metrics"]
    # Faces in 8 bits between float ends are still the same faces.
    assert int8["agreement"]["value"] > 0.9
    assert int8["psnr"]["value"] > 25
