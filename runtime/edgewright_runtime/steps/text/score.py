"""Score a text that is there already, with a graph in a loop."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from edgewright_runtime.generation.loop import Loop, LoopSpec
from edgewright_runtime.probabilities import log_softmax
from edgewright_runtime.steps.text.generate import prompt_tokens, wired_values
from edgewright_runtime.steps.values import call_of
from edgewright_targets.record import read_record

if TYPE_CHECKING:
    from edgewright_runtime.engine import Engine
    from edgewright_runtime.package import Package
    from edgewright_runtime.steps.values import NamedValues

# Scoring reads a text in parts, so that the scores of a large vocabulary never are in memory for all of it.
_PART = 64
# The last tokens one by one: what is measured goes the way of every new token too.
_SINGLE = 4


class Score:
    """How probable a text is: for each token but the first, what the graph expected after those before it.

    Args:
        package: The package.
        engine: The active engine.
        component: Name of the component.
        loop: The fields of `LoopSpec`.
    """

    def __init__(self, package: Package, engine: Engine, *, component: str, loop: Mapping[str, object]) -> None:
        self._spec = read_record(LoopSpec, loop, f"'{package.root}': the step 'score'")
        self._loop = Loop(engine, component, self._spec)
        self.component = component
        self.wired = wired_values(self._spec)

    def __call__(self, values: NamedValues) -> dict[str, object]:
        """Add `outputs`, float32 [tokens - 1] each, and `next_tokens`, lists of as many.

        `log_probability` is of the token that is there, `best_log_probability` of the most probable one; in
        `next_tokens`, `there` is the former and `best` the latter.
        """
        tokens = np.array([prompt_tokens(values, self._spec)], dtype=np.int64)
        count = tokens.shape[1] - 1
        log_probability = np.zeros(count, dtype=np.float32)
        best_log_probability = np.zeros(count, dtype=np.float32)
        best = np.zeros(count, dtype=np.int64)
        self._loop.start(1, {name: values[name] for name in self._spec.fixed})
        feeds: dict[str, Any] = {}
        call = call_of(values)
        for start, end in _parts(count):
            part = tokens[:, start:end]
            # A step of several tokens after some, where there is one; else of one.
            if call.recorder is not None and start and (end - start > 1 or not feeds):
                feeds = self._loop.feeds(part)
            scores = log_softmax(self._loop.step(part, kept=np.arange(end - start))[0])
            best[start:end] = scores.argmax(axis=1)
            best_log_probability[start:end] = scores.max(axis=1)
            log_probability[start:end] = scores[np.arange(end - start), tokens[0, start + 1 : end + 1]]
        outputs = {"log_probability": log_probability, "best_log_probability": best_log_probability}
        answer = {"there": tokens[0, 1:].tolist(), "best": best.tolist()}
        if feeds:
            call.record(self.component, feeds)
        return {"outputs": outputs, "next_tokens": answer}


def _parts(count: int) -> list[tuple[int, int]]:
    # The first part is half at most: the state is then never empty for all of a text.
    first = max(1, min(_PART, (count - _SINGLE) // 2))
    edges = [0, first] if count else [0]
    while edges[-1] < count:
        many = min(_PART, count - _SINGLE - edges[-1])
        edges.append(edges[-1] + max(many, 1))
    return list(itertools.pairwise(edges))
