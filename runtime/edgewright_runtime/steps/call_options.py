"""What people are told of the options of a call, and how they write them: the command line has an argument for each.

Which steps take an option stands in `STEPS`. One that has no entry here, such as `length_penalty`, is for calls from
Python alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class OptionGroup:
    """Options that mean something to the same models.

    Attributes:
        models: What such a model does, to follow "for models that".
        title: Of the group in the help; empty where they stand among the others.
        description: A line below the title.
    """

    models: str
    title: str = ""
    description: str = ""


@dataclass(frozen=True)
class CallOption:
    """One option of a call.

    Attributes:
        group: The models that it is for.
        kind: How it is written: `count` is a whole number above zero, `share` a number from 0 to 1, `texts` may be
            given several times, `flag` is on or off.
        help: What it does, for people.
        metavar: What stands for its value in the help.
    """

    group: OptionGroup
    kind: Literal["count", "integer", "number", "share", "text", "texts", "flag"]
    help: str
    metavar: str | None = None


BOXES = OptionGroup("give boxes")
CANDIDATES = OptionGroup(
    "choose from texts that you name",
    "zero-shot classification",
    "by default the labels that the package was built for",
)
GENERATION = OptionGroup(
    "generate text", "generated text", "defaults are the generation settings of the model's source"
)

# In the order of the help.
CALL_OPTIONS = {
    "threshold": CallOption(
        BOXES, "share", "leave out boxes with a lower score (default: the package's threshold)", "SCORE"
    ),
    "candidate_labels": CallOption(CANDIDATES, "text", "texts to choose from, commas between them", "TEXTS"),
    "hypothesis_template": CallOption(CANDIDATES, "text", "a text with {} where a label goes", "TEXT"),
    "max_new_tokens": CallOption(GENERATION, "count", "most tokens to generate", "N"),
    "prompt": CallOption(GENERATION, "text", "for captions: the words that the caption begins with", "TEXT"),
    "temperature": CallOption(
        GENERATION, "number", "sampling temperature; below 1 is more certain, 0 takes the most probable token", "T"
    ),
    "top_p": CallOption(
        GENERATION, "number", "sample from the most probable tokens that together have this probability", "P"
    ),
    "seed": CallOption(GENERATION, "integer", "seed of the sampling; the same seed gives the same text", "N"),
    "num_beams": CallOption(GENERATION, "count", "number of beams of a beam search", "N"),
    "repetition_penalty": CallOption(GENERATION, "number", "above 1 makes tokens that occurred less probable", "F"),
    "language": CallOption(
        GENERATION,
        "text",
        "for multilingual speech models: the language that is spoken, such as de (default: detected)",
        "CODE",
    ),
    "task": CallOption(
        GENERATION, "text", "for multilingual speech models: transcribe, or translate into English", "TASK"
    ),
    "timestamps": CallOption(
        GENERATION,
        "flag",
        "for speech: give segments of text with their start and end in seconds. --no-timestamps transcribes the "
        "model's first window only (default: depends on the length of the recording)",
    ),
    "stop": CallOption(GENERATION, "texts", "stop before this text; may be given several times", "TEXT"),
}
