"""A number for each row of a table, or several."""

from __future__ import annotations

from edgewright_compiler.processors.table import TABLE
from edgewright_compiler.tasks._task import Task

TASK = Task(name="tabular-regression", processor=TABLE, output_name="number")
