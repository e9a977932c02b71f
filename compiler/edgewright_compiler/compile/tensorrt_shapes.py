"""Optimization profiles: the range of shapes that a plan takes, and the one that it is fastest for."""

from __future__ import annotations

from collections.abc import Mapping

from edgewright_compiler.graphs.feed_shapes import FeedShapes
from edgewright_runtime.trt import Shapes


def optimization_profile(shapes: FeedShapes, text_limits: Mapping[str, int]) -> dict[str, Shapes]:
    """Least, usual and largest shape of each input.

    Args:
        shapes: Shapes of the data, as the graph is given it.
        text_limits: Inputs that are tokens of texts, and the most that the model takes: any text is within their
            profile, for the data's texts are a sample of what comes. The range of other inputs is that of the data.
    """
    found: dict[str, Shapes] = {}
    for name in shapes.inputs:
        least, usual, most = shapes.minimum(name), shapes.typical(name), shapes.maximum(name)
        if name in text_limits and least:
            least, most = (*least[:-1], 1), (*most[:-1], max(most[-1], text_limits[name]))
        found[name] = (least, usual, most)
    return found
