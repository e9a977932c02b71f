"""A class for each row of a table: pipelines of scikit-learn, trees that were boosted."""

from __future__ import annotations

from edgewright_compiler.processors.table import TABLE
from edgewright_compiler.tasks._task import Task

TASK = Task(name="tabular-classification", processor=TABLE, output_name="labels", labelled=True)
