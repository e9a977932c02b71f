"""A vector for each text, for search and comparison."""

from __future__ import annotations

from edgewright_compiler.processors.sentence import SENTENCES
from edgewright_compiler.tasks._task import Task

TASK = Task(
    name="feature-extraction",
    # By family: many names of other kinds end in Model.
    heads=("BertModel", "RobertaModel", "MPNetModel", "ElectraModel", "AlbertModel", "DebertaV2Model"),
    model="AutoModel",
    needless=(r"(^|\.)pooler\.",),
    outputs=("last_hidden_state",),
    processor=SENTENCES,
    output_name="vector",
)
