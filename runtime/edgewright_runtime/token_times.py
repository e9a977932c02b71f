"""How fast a text comes after a prompt of a known length: to the first new token, and the tokens after it."""

from __future__ import annotations

import time
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from edgewright_runtime.errors import SampleCutWarning
from edgewright_runtime.responses import TokenTimes
from edgewright_runtime.steps import step_kind
from edgewright_targets import InputError

if TYPE_CHECKING:
    from edgewright_runtime.model import Model
    from edgewright_runtime.requests import TimeTokens
    from edgewright_runtime.steps.text.generate import Generate
    from edgewright_runtime.steps.values import Values


def time_tokens(model: Model, samples: Sequence[Any], request: TimeTokens) -> TokenTimes:
    """Continue a prompt made of samples, token by token.

    The clock begins with the tokens of the prompt, which tokenizing has made before; an encoder is part of the first
    token. Every engine makes the same number of tokens, each the most probable, and every token is made into text.

    Args:
        model: It generates texts from texts.
        samples: Its texts; the prompt begins with the one that the request names.
        request: How long the prompt is, and how many tokens are made.

    Raises:
        InputError: The model writes nothing, or no such prompt can be made.
    """
    reads, writes = _places(model)
    writer: Generate = model.pipeline.steps[writes]  # type: ignore[assignment] # by its name
    asked = {"max_new_tokens": request.new_tokens, "min_new_tokens": request.new_tokens}
    options = {**asked, "num_beams": 1, "do_sample": False, "stop": []}
    values = _prompt(model, samples, request, reads, options)
    start = time.perf_counter()
    model.pipeline.run_steps(model.pipeline.steps[reads + 1 : writes], values)
    stamps = [time.perf_counter() for _ in writer.tokens(values)]
    if len(stamps) != request.new_tokens:
        raise InputError(f"The engine made {len(stamps)} tokens where {request.new_tokens} were asked for.")
    return TokenTimes(
        prompt_tokens=request.prompt_tokens,
        new_tokens=len(stamps),
        first_token=stamps[0] - start,
        following=stamps[-1] - stamps[0],
    )


def _places(model: Model) -> tuple[int, int]:
    """Where the steps are that read the prompt and that write."""
    names = [spec.step for spec in model.manifest.pipeline.steps]
    writes = names.index("generate") if "generate" in names else 0
    reads = [index for index in range(writes) if step_kind(names[index]).tokenizes]
    if not reads:
        raise InputError(f"Models for {model.manifest.task} do not generate texts from texts.")
    return reads[-1], writes


def _prompt(
    model: Model, samples: Sequence[Any], request: TimeTokens, reads: int, options: dict[str, object]
) -> Values:
    """The values of a prompt of as many tokens as were asked for: samples are joined by spaces, and then cut."""
    if not all(isinstance(sample, str) for sample in samples):
        raise InputError("Prompts of a length are made of texts, and the samples are not texts.")
    names = model.manifest.pipeline.steps[reads].options["outputs"]
    before = count = 0
    joined = 1
    while True:
        text = " ".join(samples[(request.index + place) % len(samples)] for place in range(joined))
        values = model.pipeline.values(text, options)
        with warnings.catch_warnings():
            # Where the text is longer than the model takes, the prompt is cut anyway.
            warnings.simplefilter("ignore", SampleCutWarning)
            model.pipeline.run_steps(model.pipeline.steps[: reads + 1], values)
        count = min(values[name].shape[1] for name in names)
        if count >= request.prompt_tokens:
            break
        if count == before:
            raise InputError(f"A prompt of {request.prompt_tokens} tokens cannot be made: the model takes {count}.")
        before, joined = count, 2 * joined
    for name in names:
        values[name] = values[name][:, : request.prompt_tokens]
    return values
