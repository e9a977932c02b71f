"""The types of the values that steps make, and whether each step is given what it takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from edgewright_runtime.applications.conditions import Condition
from edgewright_runtime.applications.declaration import FlowStep
from edgewright_runtime.applications.nodes import NODES, SAME, NodeKind
from edgewright_runtime.applications.value_types import LIST, PARTS, item_type, type_words
from edgewright_targets.errors import nearest
from edgewright_targets.record import RecordError

_ANY = "any"


@dataclass(frozen=True)
class Signature:
    """What a model takes, name -> type, and the type of what it gives."""

    takes: Mapping[str, str]
    gives: str


class StepTypes:
    """The types of steps.

    Args:
        types: Value -> type, of all values that the steps in question take; whoever asks adds to it.
        models: Model -> what it takes and gives.
        conditions: Step -> its condition.
        where: What messages begin with.
    """

    def __init__(
        self,
        types: Mapping[str, str],
        models: Mapping[str, Signature],
        conditions: Mapping[str, Condition],
        where: str,
    ) -> None:
        self._types = types
        self._models = models
        self._conditions = conditions
        self._where = where

    def _raise(self, message: str, hint: str, *keys: str) -> None:
        raise RecordError(f"{self._where}: {message}", hint=hint, keys=keys)

    def of(self, name: str, step: FlowStep) -> str:
        """The type of the value that a step makes.

        Raises:
            RecordError: The step does not fit; the keys lead to the place.
        """
        if (step.model is None) == (step.do is None):
            self._raise(f"the step '{name}' needs one of 'model' and 'do'.", "", "step", name)
        condition = self._conditions.get(name)
        if condition is not None:
            kind = self._resolved(name, step, condition.value, "when")
            if condition.type not in (None, kind):
                self._raise(
                    f"the condition of '{name}' compares '{condition.value}' with a {condition.type}, and it is "
                    f"{type_words(kind)}.",
                    _parts_hint(condition.value, kind),
                    *("step", name, "when"),
                )
        if step.each is not None and item_type(self._types[step.each]) is None:
            self._raise(
                f"the step '{name}' runs for each of '{step.each}', which is {type_words(self._types[step.each])} "
                "and not a list.",
                "Leave out 'each'.",
                *("step", name, "each"),
            )
        given = {key: self._resolved(name, step, value, "input", key) for key, value in step.input.items()}
        gives = self._model_type(name, step, given) if step.model is not None else self._node_type(name, step, given)
        if step.each is None:
            return gives
        if step.each not in [value.partition(".")[0] for value in step.input.values()]:
            self._raise(
                f"the step '{name}' runs for each of '{step.each}', and takes it nowhere.", "", "step", name, "each"
            )
        return gives + LIST

    def _resolved(self, name: str, step: FlowStep, reference: str, *keys: str) -> str:
        """The type of a reference inside a step."""
        base, _, part = reference.partition(".")
        kind = self._types[base]
        if base == step.each:
            kind = item_type(kind) or kind
        if not part:
            return kind
        parts = PARTS.get(kind, {})
        if part not in parts:
            shown = f"its parts are {', '.join(parts)}" if parts else "it has no parts"
            self._raise(f"'{reference}': '{base}' is {type_words(kind)}; {shown}.", "", "step", name, *keys)
        return parts[part]

    def _model_type(self, name: str, step: FlowStep, given: Mapping[str, str]) -> str:
        model = step.model or ""
        if model not in self._models:
            self._raise(
                f"the step '{name}' calls the model '{model[:60]}', which is not declared.",
                nearest(model, self._models),
                *("step", name, "model"),
            )
        takes = self._models[model].takes
        self._check_inputs(step, name, f"the model '{model}'", given, {key: (kind,) for key, kind in takes.items()}, ())
        return self._models[model].gives

    def _node_type(self, name: str, step: FlowStep, given: Mapping[str, str]) -> str:
        do = step.do or ""
        if do not in NODES:
            self._raise(
                f"the step '{name}' does '{do[:60]}', which is unknown.", nearest(do, NODES), "step", name, "do"
            )
        kind: NodeKind = NODES[do]
        needed = {key: types for key, types in kind.takes.items() if key in given or key not in kind.optional}
        self._check_inputs(step, name, f"'{do}'", given, needed, kind.others)
        free = {key: value for key, value in given.items() if key not in kind.takes}
        if len(free) < kind.least:
            self._raise(f"the step '{name}' has nothing to work on: '{do}' needs inputs.", "", "step", name)
        if kind.gives != SAME:
            return kind.gives
        types = dict.fromkeys(free.values())
        if len(types) > 1:
            self._raise(
                f"the step '{name}' takes values of different types: {', '.join(types)}.", "", "step", name, "input"
            )
        return next(iter(types))

    def _check_inputs(
        self,
        step: FlowStep,
        name: str,
        what: str,
        given: Mapping[str, str],
        needed: Mapping[str, tuple[str, ...]],
        others: tuple[str, ...],
    ) -> None:
        for key in needed:
            if key not in given:
                self._raise(f"the step '{name}' lacks the input '{key}' of {what}.", "", "step", name)
        for key, kind in given.items():
            if key not in needed and not others:
                self._raise(
                    f"the step '{name}': {what} has no input '{key[:60]}'.",
                    f"It takes {', '.join(needed) or 'no inputs'}.",
                    *("step", name, "input", key),
                )
            allowed = needed.get(key, others)
            if kind not in allowed and _ANY not in allowed:
                reference = step.input[key]
                wanted = " or ".join(map(type_words, allowed))
                self._raise(
                    f"the step '{name}': {what} takes {wanted} as '{key}', and '{reference}' is {type_words(kind)}.",
                    _parts_hint(reference, kind),
                    *("step", name, "input", key),
                )


def _parts_hint(reference: str, kind: str) -> str:
    item = item_type(kind)
    if item is not None and "." not in reference:
        return f'Take one after another with: each = "{reference}".'
    parts = PARTS.get(kind, {})
    return f"Its parts: {', '.join(f'{reference}.{part} ({parts[part]})' for part in parts)}." if parts else ""
