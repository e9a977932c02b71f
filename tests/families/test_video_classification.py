"""Video classification from a checkpoint of VideoMAE to a label, in every form of a video."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import tiny_videos
from command import QUICK, Command
from edgewright_benchmarks.data import read_dataset
from edgewright_benchmarks.devices.engine_worker import WORKER_COMMAND
from edgewright_benchmarks.devices.workers import WorkerProcess
from edgewright_cli import main
from edgewright_compiler.processors.video import VIDEO
from edgewright_runtime import load
from photos import photos


@pytest.fixture(scope="module")
def motions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Videos in folders named after their classes: do not write into it."""
    folder = tmp_path_factory.mktemp("motions")
    tiny_videos.write_motions(folder / "train", seed=1)
    tiny_videos.write_motions(folder / "validation", seed=2)
    return folder


@pytest.fixture(scope="module")
def checkpoint(motions: Path) -> Path:
    """A checkpoint: do not write into it."""
    return tiny_videos.write_checkpoint(motions / "videomae")


@pytest.fixture(scope="module")
def package(checkpoint: Path, motions: Path, sources: Path, shared_cache: Path) -> Path:
    """A package of the checkpoint: do not write into it."""
    output = motions / "videomae.ortpackage"
    data = ("--calibration", str(motions / "train"), "--evaluation", str(motions / "validation"), "--accept-baseline")
    fixed = ("--target", str(sources / "tiny.toml"), "-o", str(output), *QUICK, "-q")
    assert main(["build", str(checkpoint), *data, *fixed]) == 0
    return output


def test_pixels_and_answers_are_those_of_transformers(checkpoint: Path, package: Path) -> None:
    from transformers import VideoMAEForVideoClassification, VideoMAEImageProcessorPil

    processor: Any = VideoMAEImageProcessorPil.from_pretrained(checkpoint)
    net: Any = VideoMAEForVideoClassification.from_pretrained(checkpoint)
    net.eval()
    random = np.random.default_rng(0)
    # Real photographs, panned over: edges and smooth parts as cameras show them.
    pans = [np.stack([photo[:300, 20 * i : 20 * i + 400] for i in range(8)]) for photo in photos()]
    with load(package, engine="tiny-cpu-fp32") as model:
        for video in (*pans, tiny_videos.motion("up", random, frames=9)):
            chosen = [video[index * len(video) // tiny_videos.FRAMES] for index in range(tiny_videos.FRAMES)]
            expected = processor(chosen, return_tensors="pt")["pixel_values"]
            values = model.run(video, top_k=4)
            # In units of the model, whose 255 levels are 2 wide.
            assert np.abs(values["pixel_values"] - expected.numpy()).max() <= 2 / 255
            with torch.no_grad():
                scores = net(pixel_values=expected).logits.softmax(-1)[0]
            found = {entry["label"]: entry["score"] for entry in values["labels"]}
            assert [found[label] for label in tiny_videos.LABELS] == pytest.approx(scores.tolist(), abs=1e-3)


def test_on_the_command_line(command: Command, package: Path, motions: Path) -> None:
    videos = [motions / "validation" / "left" / name for name in ("0.mp4", "1", "2.npz")]
    done = command("run", package, *videos, "--top-k", 2, "--json")
    answers = json.loads(done.out)["answers"]
    assert [len(answer["labels"]) for answer in answers] == [2, 2, 2]
    done = command("bench", package, "--data", motions / "validation", "--json", *QUICK)
    assert done.code == 0, done.err
    accuracy = json.loads(done.out)["engines"][0]["accuracy"]
    assert next(iter(accuracy["metrics"])) == "accuracy"
    assert accuracy["samples"] == 12
    assert command("verify", package).code == 0
    command.refuses("run", package, "missing.mp4", says=["There is no file 'missing.mp4'"])
    command.refuses("run", package, motions / "videomae" / "config.json", says=["is not a video, or it cannot be read"])
    # A worker that may be on another machine is sent the files, and answers the same.
    found = []
    for started in (WORKER_COMMAND, [*WORKER_COMMAND, "elsewhere"]):
        with WorkerProcess(command=started) as worker:
            worker.keep(videos)
            worker.load(package, "tiny-cpu-fp32", 1)
            found.append([answer.outputs["logits"].tolist() for answer in worker.answer([0, 1, 2])])
    assert found[0] == found[1]


def test_videos_as_data(motions: Path, tmp_path: Path) -> None:
    def read(path: Path) -> Any:
        return read_dataset(path, task="video-classification", input_name="video", class_names=tiny_videos.LABELS)

    data = read(motions / "train")
    assert len(data.samples) == 12
    copy = Path(shutil.copytree(motions / "train", tmp_path / "copy"))
    assert read(copy).digest == data.digest
    # One frame of one video is other data.
    (copy / "up" / "1" / "000.png").write_bytes((copy / "up" / "1" / "001.png").read_bytes())
    assert read(copy).digest != data.digest
    table = copy / "table.csv"
    table.write_text("video,label\nup/1,up\nup/0.mp4,up\n", encoding="utf-8")
    assert read(table).samples == (copy / "up" / "1", copy / "up" / "0.mp4")


def test_checkpoints_that_do_not_fit(command: Command, checkpoint: Path, motions: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(checkpoint, tmp_path / "copy"))
    data = ("--evaluation", motions / "validation")
    (copy / "preprocessor_config.json").unlink()
    command.refuses_build(copy, *data, says=["it has no image processor"])
    shutil.copy(checkpoint / "preprocessor_config.json", copy)
    config = json.loads((copy / "config.json").read_text(encoding="utf-8"))
    (copy / "config.json").write_text(json.dumps(config | {"num_frames": None}), encoding="utf-8")
    command.refuses_build(copy, *data, says=["has no number of frames"])
    assert VIDEO.input_name == "video"
