"""How tokens are chosen and when to stop: from the source's own generation settings, changed by a call.

Names and meanings are those of transformers' `GenerationConfig`.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from edgewright_runtime.errors import SampleError
from edgewright_targets.errors import nearest
from edgewright_targets.record import RecordError, read_record

if TYPE_CHECKING:
    from collections.abc import Mapping

# Options of a call that ask for sampling where the source does not say `do_sample`.
_SAMPLING = ("temperature", "top_k", "top_p", "seed")


@dataclass(frozen=True, kw_only=True)
class GenerationSettings:
    """How a sequence is continued.

    Attributes:
        max_new_tokens: At most so many; None is as many as `max_length` and the model's positions allow.
        max_length: At most so many tokens with the prompt, where `max_new_tokens` does not say it.
        min_new_tokens: An end before so many is not taken.
        min_length: Nor is one before so many with the prompt, where `min_new_tokens` does not say it.
        do_sample: Draw the next token from its probabilities; else take the most probable.
        temperature: Divides the scores before sampling; below 1 is more certain.
        top_k: Sample from the so many most probable tokens; 0 is all.
        top_p: Sample from the most probable tokens that together reach this probability.
        seed: Of sampling; None draws one.
        num_beams: Sequences that beam search keeps; 1 means no beam search.
        length_penalty: Beam search divides the score of a sequence by its length to this power.
        early_stopping: When beam search ends: `true` with as many ended sequences as beams, `false` where a better one
            is unlikely, `never` where it is impossible.
        repetition_penalty: Makes tokens that occurred less probable; 1 means no penalty.
        no_repeat_ngram_size: No sequence of so many tokens comes twice; 0 means no limit.
        bad_words_ids: Sequences of tokens that never come.
        suppress_tokens: Never chosen.
        begin_suppress_tokens: Not chosen as the first.
        forced_bos_token_id: The first token.
        forced_eos_token_id: The last token where the limit is reached.
        eos_token_ids: Tokens that end a sequence.
        pad_token_id: Fills up a batch.
        stop: Texts that end a sequence; they are not part of the answer.
    """

    max_new_tokens: int | None = None
    max_length: int | None = None
    min_new_tokens: int = 0
    min_length: int = 0
    do_sample: bool = False
    temperature: float = 1.0
    top_k: int = 50
    top_p: float = 1.0
    seed: int | None = None
    num_beams: int = 1
    length_penalty: float = 1.0
    early_stopping: Literal["true", "false", "never"] = "false"
    repetition_penalty: float = 1.0
    no_repeat_ngram_size: int = 0
    bad_words_ids: tuple[tuple[int, ...], ...] = ()
    suppress_tokens: tuple[int, ...] = ()
    begin_suppress_tokens: tuple[int, ...] = ()
    forced_bos_token_id: int | None = None
    forced_eos_token_id: int | None = None
    eos_token_ids: tuple[int, ...] = ()
    pad_token_id: int = 0
    stop: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Raise SampleError where a value means nothing."""
        rules = {
            "max_new_tokens": (self.max_new_tokens is None or self.max_new_tokens >= 1, "1 or more"),
            "min_new_tokens": (self.min_new_tokens >= 0, "0 or more"),
            "min_length": (self.min_length >= 0, "0 or more"),
            "temperature": (0 < self.temperature < float("inf"), "above 0"),
            "top_k": (self.top_k >= 0, "0 or more; 0 is all"),
            "top_p": (0 < self.top_p <= 1, "above 0, at most 1"),
            "seed": (self.seed is None or self.seed >= 0, "0 or more"),
            "num_beams": (self.num_beams >= 1, "1 or more"),
            "length_penalty": (abs(self.length_penalty) < float("inf"), "a number"),
            "repetition_penalty": (0 < self.repetition_penalty < float("inf"), "above 0"),
            "no_repeat_ngram_size": (self.no_repeat_ngram_size >= 0, "0 or more"),
            "bad_words_ids": (all(self.bad_words_ids), "lists of tokens that are not empty"),
            "stop": (all(self.stop), "texts that are not empty"),
        }
        for name, (fits, expected) in rules.items():
            if not fits:
                raise SampleError(f"The setting {name} is {getattr(self, name)!r}; expected {expected}.")
        if self.do_sample and self.num_beams > 1:
            raise SampleError(
                "Beam search and sampling cannot be combined; both were requested.",
                hint="Pass num_beams=1 to sample, or do_sample=False to search.",
            )

    def changed(self, options: Mapping[str, object]) -> GenerationSettings:
        """These settings with those of a call.

        A temperature of 0 is the most probable token, as people write it; any other setting of sampling asks for it.

        Raises:
            SampleError: Unknown, or a value means nothing.
        """
        if not options:
            return self
        changes = dict(options)
        for name in changes:
            if name not in OPTIONS:
                raise SampleError(f"Unknown setting '{name}'.", hint=nearest(name, OPTIONS))
        if isinstance(changes.get("early_stopping"), bool):
            changes["early_stopping"] = str(changes["early_stopping"]).lower()
        if isinstance(changes.get("stop"), str):
            changes["stop"] = (changes["stop"],)
        if changes.get("temperature") == 0:
            del changes["temperature"]
            changes.setdefault("do_sample", False)
        elif any(changes.get(name) is not None for name in _SAMPLING):
            changes.setdefault("do_sample", True)
        elif changes.get("num_beams", 1) != 1:
            changes.setdefault("do_sample", False)
        try:
            read = read_record(GenerationSettings, changes, "generation settings")
        except RecordError as error:
            raise SampleError(error.message, hint=error.hint) from error
        return dataclasses.replace(self, **{name: getattr(read, name) for name in changes})


# What a call may set: everything but what the model itself decides.
OPTIONS = tuple(
    field.name
    for field in dataclasses.fields(GenerationSettings)
    if not field.name.startswith(("forced_", "pad_", "eos_"))
)
