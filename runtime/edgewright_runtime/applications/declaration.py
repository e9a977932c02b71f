"""What an application declares, in a file of people's (TOML) and in its package (JSON) alike: one form for both."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from edgewright_targets.record import RecordError

# Names of models and steps become names of folders and of values.
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
# Far beyond what people declare; a forged package must not make more than memory holds.
MOST_STEPS = 256


@dataclass(frozen=True)
class ModelUse:
    """A model of an application.

    Attributes:
        package: Its package: a path, relative to the file that declares it.
    """

    package: str


@dataclass(frozen=True, kw_only=True)
class FlowStep:
    """A step: a model that is called, or one of `NODES` that joins, cuts or chooses values.

    Attributes:
        input: Name that the model or the node takes -> the value: `NAME`, or `NAME.PART`.
        model: The model that is called; else `do` is there.
        do: The node.
        options: Of the node, or of the call of the model, such as `max_new_tokens`.
        when: A condition, such as `intent.score >= 0.7`; where it does not hold, the step is left out.
        each: A value that is a list: the step runs for each of its values, and gives a list.
    """

    input: dict[str, str] = field(default_factory=dict)
    model: str | None = None
    do: str | None = None
    options: dict[str, object] = field(default_factory=dict)
    when: str | None = None
    each: str | None = None


@dataclass(frozen=True)
class Flow:
    """An application as it is declared.

    Attributes:
        input: What a call gives -> its type, see `INPUT_TYPES`.
        answer: The values that a call gets.
        model: Name -> the model.
        step: Name of the value that it makes -> the step, in any order.
        metric: Value -> the metric that judges it where data has its ground truth; `bench` knows their names.
    """

    input: dict[str, str]
    answer: tuple[str, ...]
    step: dict[str, FlowStep]
    model: dict[str, ModelUse] = field(default_factory=dict)
    metric: dict[str, str] = field(default_factory=dict)


def check_names(flow: Flow, where: str) -> None:
    """Raise where a name cannot be one, or stands for two values.

    Raises:
        RecordError: It says which.
    """
    if not flow.input or not flow.step or not flow.answer:
        empty = next(name for name in ("input", "step", "answer") if not getattr(flow, name))
        raise RecordError(f"{where}: an application has at least one '{empty}'.", keys=(empty,))
    if len(flow.step) > MOST_STEPS or len(flow.model) > MOST_STEPS:
        raise RecordError(f"{where}: an application has at most {MOST_STEPS} steps and models.", keys=("step",))
    for table in ("input", "model", "step"):
        for name in getattr(flow, table):
            if not _NAME.fullmatch(name):
                raise RecordError(
                    f"{where}: '{name[:60]}' cannot be the name of a value.",
                    hint="Names begin with a letter and have letters, digits, '-' and '_'.",
                    keys=(table, name),
                )
    for name in flow.step:
        if name in flow.input:
            raise RecordError(
                f"{where}: '{name}' is an input and the value of a step.",
                hint="Give the step another name.",
                keys=("step", name),
            )
