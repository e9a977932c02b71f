"""A picture from a seed: GANs and other generators of one step. Their sources are torch modules and ONNX files."""

from __future__ import annotations

from edgewright_compiler.processors.latent import LATENT
from edgewright_compiler.tasks._task import Task

TASK = Task(
    name="unconditional-image-generation",
    processor=LATENT,
    output_name="picture",
)
