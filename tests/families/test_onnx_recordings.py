"""Models of recordings as bare ONNX files: inputs of any names, the processor beside them, and no config.json."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from torch import nn

import tiny_exports
import tiny_speech
from edgewright_benchmarks.progress import Quiet
from edgewright_compiler.building.job import BuildOptions
from edgewright_compiler.building.read_jobs import read_jobs
from edgewright_compiler.building.unmeasured_package import draft_package
from edgewright_compiler.cache import StageCache
from edgewright_runtime import Model, load

# Each exports with torch and compares with the file.
pytestmark = pytest.mark.slow

STRIDE = 320


class Hears(nn.Module):
    """Scores of each fiftieth of a second."""

    def __init__(self, count: int) -> None:
        super().__init__()
        torch.manual_seed(7)
        last = nn.Conv1d(24, count, 3, padding=1)
        self.layers = nn.Sequential(nn.Conv1d(1, 24, 400, STRIDE), nn.ReLU(), last)
        nn.init.normal_(last.weight, std=3.0)

    def forward(self, audio: torch.Tensor, lengths: torch.Tensor) -> Any:
        scores = self.layers(audio[:, None]).transpose(1, 2)
        frames = torch.div(lengths - 400, STRIDE, rounding_mode="floor") + 1
        # In an order in which the scores are not the first.
        return frames, scores


class Tells(nn.Module):
    """A class of each recording of one channel."""

    def __init__(self, hears: Hears) -> None:
        super().__init__()
        self.hears = hears

    def forward(self, x: torch.Tensor) -> Any:
        return self.hears.layers(x).mean(2)


def _drafted(path: Path, evaluation: Path, target: Path, task: str, **options: Any) -> Model:
    output = path.parent.parent / "p"
    more = BuildOptions(output=output, evaluation=evaluation, task=task, targets=(str(target),), **options)
    (job,) = read_jobs(str(path), more)
    # The export is compared with the file on the data.
    draft_package(job, output, StageCache(), Quiet())
    return load(output, engine="tiny-cpu-fp32")


def _beside(folder: Path, checkpoint: Path) -> Path:
    """What of a checkpoint is read beside a bare file."""
    shutil.copytree(checkpoint, folder, ignore=shutil.ignore_patterns("*.safetensors", "config.json"))
    return folder


def test_speech_by_ctc(tmp_path: Path, sources: Path) -> None:
    checkpoint = tiny_speech.write_speech_checkpoint(tmp_path / "checkpoint")
    network = Hears(len(tiny_speech.TOKENS)).eval()
    length = tiny_speech.RATE
    path = tiny_exports.export_graph(
        network,
        _beside(tmp_path / "file", checkpoint) / "model.onnx",
        {"audio": torch.randn(2, length), "lengths": torch.tensor([length, length])},
        ["output_lengths", "log_probs"],
        {"audio": {0: "n", 1: "s"}, "lengths": {0: "n"}, "log_probs": {0: "n", 1: "f"}, "output_lengths": {0: "n"}},
    )
    clips = tiny_speech.write_recordings(tmp_path / "clips", 3)
    processor: Any = transformers.AutoProcessor.from_pretrained(checkpoint)  # type: ignore[no-untyped-call]
    with _drafted(path, clips, sources / "tiny.toml", "automatic-speech-recognition") as model:
        (windows,) = (step for step in model.manifest.pipeline.steps if step.step == "infer_windows")
        # No configuration says it: it was counted.
        assert windows.options["ratio"] == STRIDE
        found = []
        for index in range(6):
            waveform = tiny_speech.sound(index)
            feeds = processor(waveform, sampling_rate=tiny_speech.RATE, return_tensors="pt")
            with torch.no_grad():
                _, scores = network(feeds.input_values, torch.tensor([waveform.size]))
            found += processor.batch_decode(scores.argmax(dim=-1))
            assert model(waveform) == found[-1]
        assert len(set(found)) > 3
        # Of more than a minute, heard in windows.
        long = np.concatenate([tiny_speech.sound(index, seconds=5) for index in range(13)])
        assert len(model(long)) > len(found[0])


def test_classes_of_recordings(tmp_path: Path, sources: Path) -> None:
    checkpoint = tiny_speech.write_audio_classifier(tmp_path / "checkpoint")
    network = Tells(Hears(len(tiny_speech.LABELS))).eval()
    path = tiny_exports.export_graph(
        network,
        _beside(tmp_path / "file", checkpoint) / "model.onnx",
        {"x": torch.randn(2, 1, tiny_speech.RATE)},
        ["scores"],
        {"x": {0: "n", 2: "s"}, "scores": {0: "n"}},
    )
    data = tiny_speech.write_sound_classes(tmp_path / "data", count=2)
    options: dict[str, Any] = {"labels": tiny_speech.LABELS}
    extractor: Any = transformers.AutoFeatureExtractor.from_pretrained(checkpoint)  # type: ignore[no-untyped-call]
    with _drafted(path, data, sources / "tiny.toml", "audio-classification", **options) as model:
        waveform = tiny_speech.sound(1)
        feeds = extractor(waveform, sampling_rate=tiny_speech.RATE, return_tensors="pt")
        with torch.no_grad():
            expected = network(feeds.input_values[:, None])[0].softmax(-1)
        found = {one["label"]: one["score"] for one in model(waveform, top_k=3)}
        assert [found[name] for name in tiny_speech.LABELS] == pytest.approx(expected.tolist(), abs=1e-4)
