"""Named arrays in, named arrays out: what any graph can do."""

from __future__ import annotations

from edgewright_compiler.tasks._task import Task

TASK = Task(name="arrays", declared=True)
