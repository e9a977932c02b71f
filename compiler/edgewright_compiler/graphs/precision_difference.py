"""How far the precision of a graph alone takes its answers from float, by ONNX Runtime's CPU provider.

For engines that cannot run here: it says what may be expected of one that computes the same graph rightly, and so what
`edgewright finish` allows. It is not evidence about the engine, and no accuracy.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, log2
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgewright_compiler.graphs.exported import copy_graph, load_graph, write_graph
from edgewright_runtime.likeness import Likeness
from edgewright_runtime.provider_words import provider_words

if TYPE_CHECKING:
    from edgewright_runtime.wire import Arrays

_BY_VALUES = Likeness()


class NoReferenceError(Exception):
    """The graph cannot run on this processor; the text says why, for people."""


def tolerance_for(seen: float, floor: float = _BY_VALUES.floor) -> float:
    """What to allow where a difference of `seen` was seen: a power of two, at least twice as much, and the floor.

    Other kernels of the same precision round differently, and a coarse grid keeps two builds of the same input at the
    same number.
    """
    return float(2.0 ** ceil(log2(max(2 * seen, floor))))


@dataclass(frozen=True)
class PrecisionDifference:
    """What a precision changes.

    Attributes:
        largest: Largest difference of any output.
        changed: Samples where the largest of the scores is another, of a graph whose answer that is.
        samples: How many were compared.
        refused: Why a graph cannot run here; empty where all can.
    """

    largest: float
    changed: int
    samples: int
    refused: str = ""


def precision_difference(
    float_graph: Path, graph: Path, feeds: Sequence[Arrays], alike: Likeness = _BY_VALUES
) -> PrecisionDifference:
    """What is different between the two graphs on `feeds`, on this processor.

    Args:
        float_graph: Folder of the float graph.
        graph: Folder of the same graph in another precision.
        feeds: What both are given.
        alike: How their outputs are compared.

    Raises:
        NoReferenceError: The second graph cannot run here.
    """
    from edgewright_compiler.graphs.passes.contract import edit
    from edgewright_compiler.graphs.passes.float_types import RoundToBrainFloats

    model = load_graph(graph)
    edit(model, RoundToBrainFloats())
    with tempfile.TemporaryDirectory() as place:
        expected = _session(copy_graph(float_graph, Path(place) / "float"))
        path = write_graph(model, Path(place) / "other")
        try:
            other = _session(path)
            pairs = [(_run(other, feed), _run(expected, feed)) for feed in feeds]
        except Exception as error:  # whatever the provider throws, it refused this graph
            raise NoReferenceError(f"ONNX Runtime's CPU cannot run the graph: {provider_words(error)}") from error
    largest = max((alike.difference(made, float_made) for made, float_made in pairs), default=0.0)
    changed = sum(not alike.same_choice(made, float_made) for made, float_made in pairs)
    return PrecisionDifference(largest, changed, len(pairs))


def differences(pairs: Mapping[str, tuple[Path, Path, Sequence[Arrays]]], alike: Likeness) -> PrecisionDifference:
    """What a precision changes in all components together; those that cannot run here are left out, and say why.

    Args:
        pairs: Component to the folders of its float graph and of the other, and what both are given.
        alike: How their outputs are compared.
    """
    found, refused = [], ""
    for float_graph, graph, feeds in pairs.values():
        try:
            found.append(precision_difference(float_graph, graph, feeds, alike))
        except NoReferenceError as error:
            refused = str(error)
    return PrecisionDifference(
        largest=max((one.largest for one in found), default=0.0),
        changed=sum(one.changed for one in found),
        samples=max((one.samples for one in found), default=0),
        refused=refused,
    )


def _session(graph: Path) -> Any:
    """A session that runs the graph as it is written.

    Rewritten by ONNX Runtime's optimizations, QDQ pairs of float8 gave other answers altogether (1.32), and products of
    int8 become operators whose sums saturate on processors without VNNI.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    options.add_provider("CPUExecutionProvider", {})
    return onnxruntime.InferenceSession(str(graph), options)


def _run(session: Any, feed: Arrays) -> Arrays:
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, feed), strict=True))
