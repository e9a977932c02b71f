"""NaN and infinities that only an engine has, or only the float baseline: they are named, and not only counted."""

from __future__ import annotations

from collections.abc import Sequence

from edgewright_benchmarks.predictions import Prediction
from edgewright_runtime.gaps import odd_place


def odd_values(predictions: Sequence[Prediction], baseline: Sequence[Prediction]) -> tuple[str, ...]:
    """A sentence with the first such value and the number of samples that have some; empty if there are no such values.

    Args:
        predictions: Of an engine.
        baseline: Of the float baseline, for the same samples.
    """
    found = [_of_sample(*pair) for pair in zip(predictions, baseline, strict=True)]
    samples = [index for index, place in enumerate(found) if place]
    if not samples:
        return ()
    sentence = (
        f"In {len(samples):,} of {len(found):,} samples NaN or infinities are at other places than in float: in "
        f"sample {samples[0]}, {found[samples[0]]}."
    )
    return (sentence,)


def _of_sample(prediction: Prediction, baseline: Prediction) -> str:
    for name, expected in baseline.outputs.items():
        value = prediction.outputs.get(name)
        if value is None or expected.dtype.kind != "f" or value.dtype.kind != "f" or value.shape != expected.shape:
            continue
        if place := odd_place(value, expected):
            return f"'{name}' at {place}"
    return ""
