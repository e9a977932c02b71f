"""Wav2Vec2's kin export to graphs that answer as their source does, whatever the length of a recording."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest

import tiny_speech
from edgewright_compiler.graphs.exported import WEIGHTS_FOLDER
from edgewright_compiler.sources import SourceOptions, open_source


@pytest.mark.slow
@pytest.mark.parametrize("family", ["WavLM", "SEW"])
def test_graphs_answer_as_their_source_at_every_length(family: str, tmp_path: Path) -> None:
    checkpoint = tiny_speech.write_speech_checkpoint(tmp_path / "checkpoint", model=family)
    source = open_source(str(checkpoint), SourceOptions())
    (tmp_path / "exported").mkdir()
    source.export(tmp_path / "exported")
    folder = tmp_path / "exported" / "model"
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    weights = folder / WEIGHTS_FOLDER
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", str(weights))
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"), options)
    shortest = 720 if family == "SEW" else 400
    for count in (shortest, 801, 9000, 30_001):
        waveform = tiny_speech.sound(count, seconds=count / tiny_speech.RATE)
        (expected,) = (answer["logits"] for answer in source.reference([waveform]))
        normalized = (waveform - waveform.mean()) / np.sqrt(waveform.var() + 1e-7)
        (made,) = session.run(None, {"input_values": normalized[None]})
        assert made.shape == expected.shape
        assert np.abs(made - expected).max() <= 1e-3 * max(1.0, float(np.abs(expected).max()))
