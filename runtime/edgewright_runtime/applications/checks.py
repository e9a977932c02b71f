"""Whether the steps of an application fit together: names, types, conditions and order, before anything runs."""

from __future__ import annotations

import graphlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edgewright_runtime.applications.conditions import Condition, read_condition
from edgewright_runtime.applications.declaration import Flow, check_names
from edgewright_runtime.applications.nodes import NODES, SAME
from edgewright_runtime.applications.step_types import Signature, StepTypes
from edgewright_runtime.applications.value_types import INPUT_TYPES, MODEL_INPUTS, MODEL_OUTPUTS
from edgewright_runtime.manifest import Manifest
from edgewright_runtime.samples import input_names
from edgewright_targets.errors import nearest
from edgewright_targets.record import RecordError


@dataclass(frozen=True, kw_only=True)
class CheckedFlow:
    """An application whose steps fit together.

    Attributes:
        flow: As it is declared.
        order: Its steps, each behind those that it needs.
        types: Value -> type.
        conditions: Step -> its condition.
        whole_labels: Steps whose scores are needed for all labels.
        constant: Steps that depend on no input of a call and have no condition: their values are the same in all calls.
    """

    flow: Flow
    order: tuple[str, ...]
    types: Mapping[str, str]
    conditions: Mapping[str, Condition]
    whole_labels: frozenset[str]
    constant: frozenset[str] = frozenset()


def signature(manifest: Manifest) -> Signature | None:
    """What a package takes and gives; None where values of an application cannot be that (named arrays, latents)."""
    names = input_names(manifest.pipeline.input)
    if not names or manifest.pipeline.output not in MODEL_OUTPUTS or not set(MODEL_INPUTS).issuperset(names):
        return None
    return Signature({name: MODEL_INPUTS[name] for name in names}, MODEL_OUTPUTS[manifest.pipeline.output])


def check_flow(flow: Flow, models: Mapping[str, Signature], where: str) -> CheckedFlow:
    """The application with the order of its steps.

    Raises:
        RecordError: A step does not fit; the message begins with `where`, and the keys lead to the place.
    """
    return _Check(flow, models, where).checked()


def check_references(flow: Flow, where: str) -> None:
    """What can be found wrong before the models are there: names, values that nothing makes, conditions, rings.

    Raises:
        RecordError: As of `check_flow`.
    """
    check_names(flow, where)
    _Check(flow, {}, where).order()


class _Check:
    def __init__(self, flow: Flow, models: Mapping[str, Signature], where: str) -> None:
        self._flow = flow
        self._models = models
        self._where = where
        self._types: dict[str, str] = {}
        self._conditions: dict[str, Condition] = {}

    def checked(self) -> CheckedFlow:
        flow = self._flow
        check_names(flow, self._where)
        for name, kind in flow.input.items():
            if kind not in INPUT_TYPES:
                self._raise(f"an input cannot be of the type '{kind[:60]}'.", nearest(kind, INPUT_TYPES), "input", name)
            self._types[name] = kind
        order = self.order()
        step_types = StepTypes(self._types, self._models, self._conditions, self._where)
        for name in order:
            self._types[name] = step_types.of(name, flow.step[name])
        for index, name in enumerate(flow.answer):
            if name not in self._types:
                hint = nearest(name, self._types)
                self._raise(f"'{name[:60]}' is an answer, and no step makes it.", hint, "answer", index)
        self._check_unused()
        whole, constant = self._whole_labels(order), self._constant(order)
        return CheckedFlow(
            flow=flow,
            order=order,
            types=self._types,
            conditions=self._conditions,
            whole_labels=whole,
            constant=constant,
        )

    def _whole_labels(self, order: Sequence[str]) -> frozenset[str]:
        """The steps whose labels reach one that needs all of them, also through steps that hand them on."""
        found: set[str] = set()
        for name in reversed(order):
            step = self._flow.step[name]
            kind = NODES.get(step.do or "")
            if kind is not None and (kind.whole_labels or (kind.gives == SAME and name in found)):
                found.update(reference.partition(".")[0] for reference in step.input.values())
        return frozenset(found)

    def _constant(self, order: Sequence[str]) -> frozenset[str]:
        """The steps that no input of a call reaches."""
        found: set[str] = set()
        for name in order:
            step = self._flow.step[name]
            bases = {reference.partition(".")[0] for reference in (*step.input.values(), *filter(None, (step.each,)))}
            if step.when is None and bases <= found:
                found.add(name)
        return frozenset(found)

    def _raise(self, message: str, hint: str, *keys: str | int) -> None:
        raise RecordError(f"{self._where}: {message}", hint=hint, keys=keys)

    def order(self) -> tuple[str, ...]:
        """The steps, each behind those that it needs."""
        flow = self._flow
        needs: dict[str, set[str]] = {}
        for name, step in flow.step.items():
            if step.when is not None:
                try:
                    self._conditions[name] = read_condition(step.when)
                except ValueError as error:
                    raise RecordError(f"{self._where}: {error}.", keys=("step", name, "when")) from error
            references: list[tuple[tuple[str, ...], str]] = [
                (("step", name, "input", key), value) for key, value in step.input.items()
            ]
            references += [(("step", name, "each"), step.each)] if step.each is not None else []
            if name in self._conditions:
                references.append((("step", name, "when"), self._conditions[name].value))
            for keys, reference in references:
                base = reference.partition(".")[0]
                if base not in flow.step and base not in flow.input:
                    known = nearest(base, [*flow.input, *flow.step])
                    self._raise(f"the step '{name}' takes '{base[:60]}', which nothing makes.", known, *keys)
                if keys[-1] == "each" and reference != base:
                    hint = f'Write each = "{base}": parts are taken where the step\'s inputs are.'
                    self._raise(f"the step '{name}' runs for each of '{reference[:60]}', a part.", hint, *keys)
            needs[name] = {base for _, value in references if (base := value.partition(".")[0]) in flow.step}
        try:
            return tuple(graphlib.TopologicalSorter(needs).static_order())
        except graphlib.CycleError as error:
            ring = " -> ".join(reversed(error.args[1]))
            raise RecordError(
                f"{self._where}: steps need one another in a ring: {ring}.", keys=("step", error.args[1][0])
            ) from error

    def _check_unused(self) -> None:
        for name in self._flow.model:
            if all(step.model != name for step in self._flow.step.values()):
                self._raise(f"no step calls the model '{name}'.", "Leave it out, or call it.", "model", name)
