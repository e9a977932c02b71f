"""What the quantization of each group alone does to the outputs of a graph, on calibration data.

The graph has a switch for each group. It is run in float, with one switch on for each group in turn, and with all of
them: see `switches`. Low forms compute as they are written, so what is found is the rounding itself; where kernels of a
processor saturate as well, only the meter shows it.
"""

from __future__ import annotations

import contextlib
import math
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from edgewright_benchmarks.progress import Progress
from edgewright_compiler.graphs.exported import write_graph
from edgewright_compiler.search.facts import Group
from edgewright_compiler.search.switches import add_switches, switch
from edgewright_runtime.provider_words import provider_words

if TYPE_CHECKING:
    import onnx_ir

    from edgewright_compiler.search.groups import LowForm
    from edgewright_runtime.wire import Arrays

# Samples at most: the order of groups settles within a few, for each sample has thousands of values.
SAMPLES = 8
# Not a number, an infinity, or another shape: a share that no rounding reaches.
_RUINED = 1e3


class NoErrorsError(Exception):
    """The graph with switches does not run here; the text says why, for people."""


@dataclass(frozen=True)
class Sensitivity:
    """Errors that were found.

    Attributes:
        errors: Group to its error, in `GroupFacts.error`'s measure; those that the time did not allow are left out.
        whole: The error of all groups together.
        samples: On how many samples the groups were compared, at least.
    """

    errors: Mapping[Group, float]
    whole: float
    samples: int


@dataclass
class _Sums:
    """Mean squares of differences, as shares, summed over samples and outputs."""

    total: float = 0.0
    count: int = field(default=0)

    def add(self, outputs: Arrays, expected: Arrays) -> None:
        self.total += sum(_square(outputs[name], reference) for name, reference in expected.items()) / len(expected)
        self.count += 1

    @property
    def error(self) -> float:
        return min(math.sqrt(self.total / self.count), _RUINED)


def sensitivity(
    model: onnx_ir.Model,
    low: onnx_ir.Model,
    forms: Sequence[LowForm],
    feeds: Sequence[Arrays],
    *,
    seconds: float,
    threads: int,
    progress: Progress,
) -> Sensitivity:
    """The error of each group, the most expensive groups first, within a time.

    Each group is seen on one sample before any is seen on a second one.

    Args:
        model: The float graph, from which the groups were found; it gets the switches.
        low: The quantized graph.
        forms: The groups, the ones that matter most first.
        feeds: What the graph is given for calibration samples.
        seconds: How long it may take; the first sample of the first group and of all together is run in any case.
        threads: Threads of the session.
        progress: Told how far it is.

    Raises:
        NoErrorsError: The graph does not run here.
    """
    ends = time.monotonic() + seconds
    chosen = _spread(feeds, SAMPLES)
    sums: dict[int, _Sums] = {}
    whole = _Sums()
    add_switches(model, low, forms)
    bar = progress.bar("finding what quantization hurts", len(chosen) * len(forms))
    with tempfile.TemporaryDirectory() as place, contextlib.closing(bar):
        try:
            session = _session(model, Path(place), threads)
            for feed in chosen:
                expected = _run(session, feed, len(forms), ())
                whole.add(_run(session, feed, len(forms), range(len(forms))), expected)
                for index in range(len(forms)):
                    if sums and time.monotonic() > ends:
                        return _found(forms, sums, whole)
                    sums.setdefault(index, _Sums()).add(_run(session, feed, len(forms), (index,)), expected)
                    bar.update()
        except Exception as error:  # whatever ONNX Runtime throws, it refused this graph
            raise NoErrorsError(f"ONNX Runtime's CPU cannot run the graph: {provider_words(error)}") from error
    return _found(forms, sums, whole)


def _found(forms: Sequence[LowForm], sums: Mapping[int, _Sums], whole: _Sums) -> Sensitivity:
    errors = {forms[index].group: found.error for index, found in sums.items()}
    return Sensitivity(errors, whole.error, min(found.count for found in sums.values()))


def _session(model: onnx_ir.Model, folder: Path, threads: int) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    # Pairs stay pairs: no operators of integers are made of them, whose sums may saturate.
    options.add_session_config_entry("session.disable_quant_qdq", "1")
    options.log_severity_level = 4
    options.intra_op_num_threads = threads
    options.add_provider("CPUExecutionProvider", {})
    return onnxruntime.InferenceSession(str(write_graph(model, folder)), options)


def _run(session: Any, feed: Arrays, count: int, on: Sequence[int]) -> Arrays:
    names = [output.name for output in session.get_outputs()]
    switches = {switch(index): np.array(index in on) for index in range(count)}
    return dict(zip(names, session.run(names, {**feed, **switches}), strict=True))


def _square(output: Any, expected: Any) -> float:
    """Mean square of the difference, as a share of that of the expected values; of whole numbers how many differ."""
    if output.shape != expected.shape:
        return _RUINED**2
    if not np.issubdtype(expected.dtype, np.floating):
        return float(np.mean(output != expected)) if expected.size else 0.0
    reference = expected.astype(np.float64)
    both = np.isfinite(reference)
    if not np.array_equal(both, np.isfinite(output)):
        return _RUINED**2
    difference = np.square(output.astype(np.float64)[both] - reference[both]).sum()
    size = np.square(reference[both]).sum()
    if not difference:
        return 0.0
    return min(float(difference / size), _RUINED**2) if size else _RUINED**2


def _spread(feeds: Sequence[Arrays], count: int) -> list[Arrays]:
    """So many of some feeds, evenly spread over all of them."""
    count = min(count, len(feeds))
    return [feeds[index * len(feeds) // count] for index in range(count)]
