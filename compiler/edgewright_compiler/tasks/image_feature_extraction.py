"""A vector for each picture, for search and comparison: faces, products, places."""

from __future__ import annotations

from edgewright_compiler.processors.image import IMAGE
from edgewright_compiler.tasks._task import Task
from edgewright_compiler.tasks._vectors import vector

TASK = Task(
    name="image-feature-extraction",
    # By family: many names of other kinds end in Model.
    heads=("ViTModel", "DeiTModel", "Dinov2Model", "ResNetModel", "ConvNextModel"),
    model="AutoModel",
    needless=(r"(^|\.)pooler\.",),
    outputs=("last_hidden_state",),
    processor=IMAGE,
    answer=vector,
    output_name="vector",
)
