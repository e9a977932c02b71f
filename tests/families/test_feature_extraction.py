"""Feature extraction from a checkpoint to a vector: pooled as the checkpoint says."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import tiny_models
from command import QUICK, Command
from edgewright_runtime import load


@pytest.mark.slow
def test_from_a_checkpoint_to_a_vector(command: Command, sources: Path, tmp_path: Path) -> None:
    import torch
    from transformers import AutoModel, AutoTokenizer

    checkpoint = tiny_models.write_checkpoint(tmp_path / "vectors", "Model")
    (checkpoint / "1_Pooling").mkdir()
    (checkpoint / "1_Pooling" / "config.json").write_text('{"pooling_mode_mean_tokens": true}', encoding="utf-8")
    (checkpoint / "2_Normalize").mkdir()
    output = command.folder / "vectors.ortpackage"
    data = ("--calibration", sources / "train.csv", "--target", command.target, "-o", output, *QUICK, "-q")
    done = command("build", checkpoint, *data)
    assert done.code == 0, done.err
    assert command("verify", output).code == 0
    text = "turn on the hall light"
    tokenizer = AutoTokenizer.from_pretrained(checkpoint)
    with torch.no_grad():
        hidden = AutoModel.from_pretrained(checkpoint)(**tokenizer(text, return_tensors="pt")).last_hidden_state[0]
    expected = hidden.mean(0) / hidden.mean(0).norm()
    with load(output, engine="tiny-cpu-fp32") as model:
        assert np.allclose(model(text), expected.numpy(), atol=1e-4)
    answer = json.loads(command("run", output, text, "--json").out)["answers"][0]["vector"]
    assert len(answer) == tiny_models.HIDDEN
    assert np.linalg.norm(answer) == pytest.approx(1, abs=1e-5)
    # How tokens are pooled decides the package as much as the weights do: nothing may come from the cache.
    shutil.rmtree(checkpoint / "2_Normalize")
    (checkpoint / "1_Pooling" / "config.json").write_text('{"pooling_mode": "cls"}', encoding="utf-8")
    assert command("build", checkpoint, *data).code == 0
    with load(output, engine="tiny-cpu-fp32") as model:
        assert np.allclose(model(text), hidden[0].numpy(), atol=1e-3)
