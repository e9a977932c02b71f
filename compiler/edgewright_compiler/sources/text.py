"""The text side of a source: tokenizer files and the declared steps made from them."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from edgewright_compiler.component import ASSET_PREFIX, ASSETS_FOLDER
from edgewright_runtime.manifest import PipelineSpec, StepSpec

_TOKENIZER = "tokenizer"
TOKENIZER_FILE = "tokenizer.json"


def classification_pipeline(
    inputs: Sequence[str], logits: str, *, max_length: int, pad_id: int, padding_side: str
) -> PipelineSpec:
    """Text to labels: tokenize, infer, classify."""
    tokenize = {
        "tokenizer": f"{ASSET_PREFIX}{_TOKENIZER}/{TOKENIZER_FILE}",
        "outputs": list(inputs),
        "max_length": max_length,
        "pad_id": pad_id,
        "padding_side": padding_side,
    }
    steps = (
        StepSpec("tokenize", tokenize),
        StepSpec("infer", {"component": "model"}),
        StepSpec("classify", {"logits": logits}),
    )
    return PipelineSpec("text", "labels", steps)


def arrays_pipeline() -> PipelineSpec:
    """Named arrays in, named arrays out."""
    return PipelineSpec("*", "*", (StepSpec("infer", {"component": "model"}),))


def keep_tokenizer(tokenizer: Path, folder: Path) -> None:
    """Copy `tokenizer.json` into a component's assets."""
    destination = folder / ASSETS_FOLDER / _TOKENIZER
    destination.mkdir(parents=True)
    shutil.copyfile(tokenizer, destination / TOKENIZER_FILE)
