"""The example that trains a GPT, shortened to a few steps."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import tiny_models

SCRIPT = Path(__file__).resolve().parents[2] / "examples" / "gpt" / "train.py"


@pytest.mark.slow
def test_it_leaves_a_checkpoint_that_can_be_loaded(tmp_path: Path) -> None:
    for split in ("train", "validation", "test"):
        tiny_models.write_csv(tmp_path / f"{split}.csv")
    out = tmp_path / "gpt"
    small = ("--max-steps", "2", "--layers", "1", "--width", "32", "--vocabulary", "300")
    command = [sys.executable, SCRIPT, "--data", tmp_path, "--out", out, *small]
    done = subprocess.run([str(word) for word in command], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "test perplexity" in done.stdout
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(out)
    model = AutoModelForCausalLM.from_pretrained(out)
    assert model.config.n_layer == 1
    assert tokenizer.decode(tokenizer("turn on the light")["input_ids"]) == "turn on the light"
    # Nothing of the training is left beside it, and it is not trained over what is there.
    assert sorted(path.name for path in tmp_path.iterdir()) == ["gpt", "test.csv", "train.csv", "validation.csv"]
    again = subprocess.run([str(word) for word in command], check=False, capture_output=True, text=True)
    assert again.returncode == 0
    assert "nothing to do" in again.stdout
