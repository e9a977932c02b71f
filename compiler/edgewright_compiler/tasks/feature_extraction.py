"""A vector for each text, for search and comparison."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edgewright_compiler.checkpoint import Checkpoint, read_json
from edgewright_compiler.processors.text import TEXT
from edgewright_compiler.tasks._single_graph import SingleGraph
from edgewright_compiler.tasks._task import Exporter, Task
from edgewright_runtime.manifest import StepSpec
from edgewright_targets import InputError

# Where sentence-transformers says how tokens become one vector.
_POOLING = "1_Pooling/config.json"
_NORMALIZE = "2_Normalize"
_SWITCH = "pooling_mode_"


def _open(task: Task, checkpoint: Checkpoint) -> Exporter:
    options = pooling(checkpoint.folder)

    def pool(outputs: Sequence[str]) -> tuple[StepSpec, ...]:
        return (StepSpec("pool_tokens", {"vectors": outputs[0], **options}),)

    return SingleGraph(dataclasses.replace(task, answer=pool), checkpoint)


def pooling(folder: Path) -> dict[str, Any]:
    """The options of the step that makes one vector: what sentence-transformers wrote, else the mean of all tokens.

    Raises:
        InputError: It asks for another way than the mean or the first token.
    """
    normalize = (folder / _NORMALIZE).is_dir()
    if not (folder / _POOLING).is_file():
        return {"method": "mean", "normalize": normalize}
    config = read_json(folder / _POOLING)
    # Newer versions write one name, older ones a switch for each way.
    modes = {
        key.removeprefix("pooling_mode_") for key, value in config.items() if key.startswith("pooling_mode_") and value
    }
    if isinstance(config.get("pooling_mode"), str):
        modes = {config["pooling_mode"]}
    known = {"mean_tokens": "mean", "mean": "mean", "cls_token": "cls", "cls": "cls"}
    if len(modes) != 1 or not modes <= set(known):
        raise InputError(
            f"'{folder}': its step 'pooling' is {' and '.join(sorted(modes)) or 'unknown'}; mean and cls are known."
        )
    return {"method": known[modes.pop()], "normalize": normalize}


TASK = Task(
    name="feature-extraction",
    # By family: many names of other kinds end in Model.
    heads=("BertModel", "RobertaModel", "MPNetModel", "ElectraModel", "AlbertModel", "DebertaV2Model"),
    model="AutoModel",
    # One vector of the first token, for classes that need it: models that fill masks were saved without it.
    needless=(r"(^|\.)pooler\.",),
    outputs=("last_hidden_state",),
    processor=TEXT,
    output_name="vector",
    open=_open,
)
