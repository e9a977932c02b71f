"""Running the steps of an application in their order: conditions, lists, and what is missing."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from edgewright_runtime.applications.checks import CheckedFlow
from edgewright_runtime.applications.declaration import FlowStep
from edgewright_runtime.applications.nodes import NODES
from edgewright_runtime.applications.value_types import part_of
from edgewright_runtime.errors import InferenceError, SampleError
from edgewright_runtime.steps.values import NamedValues, Values, extended

_OF_A_SAMPLE = (SampleError, InferenceError)
# A model or a node, called with its inputs by name.
Call = Callable[[NamedValues], Any]


@dataclass(kw_only=True)
class FlowRun:
    """What one call came to.

    Attributes:
        values: All values by name; None where a step was left out.
        seconds: Step -> how long it took.
        left_out: Step -> why it did not run, as a sentence.
        failures: (step, index, sentence) of values of a list that a step failed on; they are None in its list.
        calls: Step -> how often it was called: once, or for each value of a list; not at all where its value was kept.
        held: Steps whose condition held, in a list for at least one value.
    """

    values: Values
    seconds: dict[str, float] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    failures: list[tuple[str, int, str]] = field(default_factory=list)
    calls: dict[str, int] = field(default_factory=dict)
    held: set[str] = field(default_factory=set)


def run_flow(
    checked: CheckedFlow, calls: Mapping[str, Call], inputs: NamedValues, kept: Values | None = None
) -> FlowRun:
    """Run all steps on the inputs of a call.

    Args:
        checked: The application.
        calls: Step -> what it calls.
        inputs: Input -> value.
        kept: Constant step -> its value, of earlier calls; those that are not in it yet are run and added.

    Raises:
        SampleError: A step cannot take what it was given; the message names the step.
    """
    run = FlowRun(values=Values(inputs))
    kept = Values() if kept is None else kept
    for name in checked.order:
        if name in kept:
            run.values[name] = kept[name]
            continue
        start = time.perf_counter()
        run.values[name] = _step_value(checked, name, calls[name], run)
        if name not in run.left_out:
            run.seconds[name] = time.perf_counter() - start
            if name in checked.constant and _whole(checked, name, run, kept):
                kept[name] = run.values[name]
    return run


def _whole(checked: CheckedFlow, name: str, run: FlowRun, kept: NamedValues) -> bool:
    """Whether the value of a constant step has no gap of this call: what has one is tried again in the next call."""
    step = checked.flow.step[name]
    needed = {reference.partition(".")[0] for reference in (*step.input.values(), *filter(None, (step.each,)))}
    return all(base in kept for base in needed) and all(failed != name for failed, _, _ in run.failures)


def _step_value(checked: CheckedFlow, name: str, call: Call, run: FlowRun) -> Any:
    step = checked.flow.step[name]
    if step.each is not None:
        items = run.values[step.each]
        if items is None:
            return _left_out(run, name, f"'{step.each}' is missing.")
        return [_item_value(checked, name, call, run, index) for index in range(len(items))]
    if not _holds(checked, name, run, run.values):
        return _left_out(run, name, f"'{step.when}' does not hold.")
    given = {key: _value(run.values, reference) for key, reference in step.input.items()}
    missing = [step.input[key] for key, value in given.items() if value is None]
    if missing and not _takes_missing(step):
        return _left_out(run, name, f"'{missing[0]}' is missing.")
    run.calls[name] = 1
    try:
        return call(given)
    except (*_OF_A_SAMPLE, ValueError) as error:
        raise SampleError(f"In the step '{name}': {_sentence(error)}", hint=getattr(error, "hint", "")) from error


def _item_value(checked: CheckedFlow, name: str, call: Call, run: FlowRun, index: int) -> Any:
    """The value for one of a list: a step that fails on one of many does not lose the others."""
    step = checked.flow.step[name]
    values = extended(run.values, {str(step.each): run.values[str(step.each)][index]})
    if not _holds(checked, name, run, values):
        return None
    given = {key: _value(values, reference) for key, reference in step.input.items()}
    if any(value is None for value in given.values()) and not _takes_missing(step):
        return None
    run.calls[name] = run.calls.get(name, 0) + 1
    try:
        return call(given)
    except (*_OF_A_SAMPLE, ValueError) as error:
        run.failures.append((name, index, _sentence(error)))
        return None


def _holds(checked: CheckedFlow, name: str, run: FlowRun, values: NamedValues) -> bool:
    condition = checked.conditions.get(name)
    if condition is None or condition.holds(_value(values, condition.value)):
        run.held.add(name)
        return True
    return False


def _takes_missing(step: FlowStep) -> bool:
    return step.do is not None and NODES[step.do].takes_missing


def _left_out(run: FlowRun, name: str, reason: str) -> None:
    run.left_out[name] = reason


def _value(values: NamedValues, reference: str) -> Any:
    name, _, part = reference.partition(".")
    return part_of(values[name], part) if part else values[name]


def _sentence(error: Exception) -> str:
    text = str(getattr(error, "message", error))
    return text if text.endswith(".") else f"{text}."
