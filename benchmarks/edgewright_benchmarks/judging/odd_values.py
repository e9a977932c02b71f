"""NaN and infinities that only an engine has, or only the float baseline: they are named, and not only counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from edgewright_runtime.gaps import odd_place
from edgewright_runtime.samples import graph_outputs

_Answers = Sequence[Mapping[str, Any]]


def odd_values(outputs: _Answers, baseline_outputs: _Answers) -> tuple[str, ...]:
    """The first such value and in how many samples there are some, as a sentence; nothing where there is none.

    Args:
        outputs: Of an engine, output to array for each sample.
        baseline_outputs: Of the float baseline, for the same samples.
    """
    if outputs is baseline_outputs:
        return ()
    found = [_of_sample(*pair) for pair in zip(outputs, baseline_outputs, strict=True)]
    samples = [index for index, place in enumerate(found) if place]
    if not samples:
        return ()
    said = (
        f"In {len(samples):,} of {len(found):,} samples it has NaN or an infinity where float has none, or the other "
        f"way round: in sample {samples[0]}, {found[samples[0]]}."
    )
    return (said,)


def _of_sample(outputs: Mapping[str, Any], baseline: Mapping[str, Any]) -> str:
    given = graph_outputs(dict(outputs))
    for name, expected in graph_outputs(dict(baseline)).items():
        value = given.get(name)
        if value is None or expected.dtype.kind != "f" or value.dtype.kind != "f" or value.shape != expected.shape:
            continue
        if place := odd_place(value, expected):
            return f"'{name}' at {place}"
    return ""
