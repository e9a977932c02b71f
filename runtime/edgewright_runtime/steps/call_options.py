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
GENERATION = OptionGroup("generate text", "generated text", "by default as the model's source says")

# In the order of the help.
CALL_OPTIONS = {
    "threshold": CallOption(
        BOXES, "share", "leave out boxes of a lower score (default: what the package says)", "SCORE"
    ),
    "candidate_labels": CallOption(CANDIDATES, "text", "texts to choose from, commas between them", "TEXTS"),
    "hypothesis_template": CallOption(CANDIDATES, "text", "a text with {} where a label goes", "TEXT"),
    "max_new_tokens": CallOption(GENERATION, "count", "tokens of an answer at most", "N"),
    "prompt": CallOption(GENERATION, "text", "for captions: the words that it begins with", "TEXT"),
    "temperature": CallOption(GENERATION, "number", "sample; below 1 is more certain, 0 takes the best token", "T"),
    "top_p": CallOption(GENERATION, "number", "sample from the tokens that together have this probability", "P"),
    "seed": CallOption(GENERATION, "integer", "sample; the same seed gives the same answer", "N"),
    "num_beams": CallOption(GENERATION, "count", "search with so many beams", "N"),
    "repetition_penalty": CallOption(GENERATION, "number", "above 1 makes tokens that occurred less probable", "F"),
    "language": CallOption(
        GENERATION,
        "text",
        "of what is said, for speech models of several languages, such as de (default: it is detected)",
        "CODE",
    ),
    "task": CallOption(GENERATION, "text", "of these: transcribe, or translate into English", "TASK"),
    "timestamps": CallOption(
        GENERATION,
        "flag",
        "for speech: the text in segments, with their start and end in seconds; with --no-timestamps only what the "
        "model hears at once is written (default: as long as the recording is)",
    ),
    "stop": CallOption(GENERATION, "texts", "end before this text; may be given several times", "TEXT"),
}
