"""The files of applications among the examples, checked as far as that goes without the packages of their models."""

from __future__ import annotations

from pathlib import Path

from edgewright_compiler.applications.form import ApplicationFile
from edgewright_runtime.applications.checks import check_references
from edgewright_runtime.applications.declaration import Flow, ModelUse
from edgewright_targets.declared import read_declared

EXAMPLES = Path(__file__).parents[1] / "examples"


def flow_of(path: Path) -> Flow:
    """The flow that a file declares; its names and references are right, and its models are made below `demo`."""
    file = read_declared(ApplicationFile, "application", path.read_text(encoding="utf-8"), str(path))
    models = {name: ModelUse(str(model.package)) for name, model in file.model.items()}
    flow = Flow(file.input, file.answer, file.step, models, file.metric)
    check_references(flow, str(path))
    made = EXAMPLES.parent / "demo"
    assert all((path.parent / use.package).resolve().parent == made for use in models.values())
    return flow
