"""Options of the steps of an application, checked by its build: what a node or a model takes, and names of inputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from edgewright_runtime.applications.declaration import Flow, FlowStep
from edgewright_runtime.applications.nodes import make_node
from edgewright_runtime.manifest import Manifest
from edgewright_runtime.steps import step_kind
from edgewright_targets.errors import nearest
from edgewright_targets.record import RecordError


def check_options(flow: Flow, models: Mapping[str, Manifest], where: str) -> None:
    """Check the options of all steps, before anything is measured or copied.

    Args:
        flow: The application, whose steps fit together.
        models: Model -> its manifest.
        where: What messages begin with.

    Raises:
        RecordError: An option is unknown or wrong, or names an input that the step does not have.
    """
    for name, step in flow.step.items():
        if step.model is not None:
            _check_call(name, step, models[step.model], where)
        else:
            _check_node(name, step, where)


def _check_call(name: str, step: FlowStep, manifest: Manifest, where: str) -> None:
    pipeline = manifest.pipeline
    known = {"top_k"}.union(*(step_kind(kind).call_options for kind in pipeline.step_names()))
    # Some steps take further options, whose names stand among their own; 'direction' need not be said there.
    own = {text for spec in pipeline.steps for text in _texts(spec.options)} | {"direction"}
    for option in step.options:
        if option not in known | own:
            raise RecordError(
                f"{where}: the step '{name}': the model '{step.model}' has no option '{option[:60]}'.",
                hint=nearest(option, sorted(known)),
                keys=("step", name, "options", option),
            )


def _check_node(name: str, step: FlowStep, where: str) -> None:
    try:
        node = make_node(step.do or "", step.options)
    except (TypeError, ValueError) as error:
        raise RecordError(
            f"{where}: the step '{name}' has wrong options: {error}.", keys=("step", name, "options")
        ) from error
    for spoken in getattr(node, "names", ()):
        if spoken not in step.input:
            raise RecordError(
                f"{where}: the options of the step '{name}' name '{spoken[:60]}', which is not an input of it.",
                hint=nearest(spoken, step.input),
                keys=("step", name, "options"),
            )


def _texts(value: object) -> Iterator[str]:
    """All texts inside an option."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _texts(one)
