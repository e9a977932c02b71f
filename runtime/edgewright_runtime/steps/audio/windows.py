"""Long audio in windows that overlap, for graphs whose memory grows with the length; as transformers' pipeline does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from edgewright_runtime.steps.audio.features import Waveform
from edgewright_runtime.steps.graph.infer import Infer
from edgewright_runtime.steps.values import NamedValues, extended

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edgewright_runtime.engine import Engine


class InferWindows(Infer):
    """Runs a component on a whole waveform, or window by window where it is longer than `whole`.

    Its one output is scores of shape [1, frames, tokens].

    What overlaps is heard twice, and of each pair of scores the one farther from an edge counts.

    Args:
        engine: The active engine.
        component: Name of the component.
        input: Name of its input, which has a value of that name for whole audio.
        whole: Samples that are heard at once.
        window: Samples of a window of longer audio.
        overlap: Samples of it on either side that serve as context only.
        ratio: Samples for each frame of scores.
        normalize: See `Waveform`: of each window for itself.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        component: str,
        input: str,  # noqa: A002 - the manifest's word
        whole: int,
        window: int,
        overlap: int,
        ratio: int,
        normalize: bool,
    ) -> None:
        super().__init__(engine, component=component)
        if not 0 <= 2 * overlap < window <= whole or ratio < 1:
            raise ValueError(f"whole {whole}, window {window}, overlap {overlap}, ratio {ratio}")
        self._logits = self._graph.output_names[0]
        self._whole, self._window, self._overlap, self._ratio = whole, window, overlap, ratio
        self._prepare = Waveform(output=input, normalize=normalize)

    def __call__(self, values: NamedValues) -> dict[str, object]:
        """Add the outputs of the graph; of windows those of all of them, joined."""
        waveform = values["waveform"]
        if len(waveform) <= self._whole:
            return super().__call__(values)
        parts = []
        for part, left, right in self._windows(waveform):
            made = self.arrays(extended(values, self._prepare({"waveform": part})))[self._logits]
            frames = round(len(part) / self._ratio)
            kept = slice(round(left / len(part) * frames), frames - round(right / len(part) * frames))
            parts.append(made[:, kept])
        joined = np.concatenate(parts, axis=1)
        return {self._logits: joined, "outputs": {self._logits: joined}}

    def _windows(self, waveform: Any) -> Iterator[tuple[Any, int, int]]:
        """Each window with the samples at its left and at its right that are context only."""
        step = self._window - 2 * self._overlap
        for start in range(0, len(waveform), step):
            last = start + self._window >= len(waveform)
            yield waveform[start : start + self._window], self._overlap if start else 0, 0 if last else self._overlap
            if last:
                return
