"""A picture from a picture: larger, without noise. Its sources are ONNX files and torch modules."""

from __future__ import annotations

from edgewright_compiler.processors.restoring import RESTORING
from edgewright_compiler.tasks._task import Task

TASK = Task(name="image-to-image", processor=RESTORING, output_name="picture")
