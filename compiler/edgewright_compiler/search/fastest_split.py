"""Which groups of a graph are faster in float, together with the conversions between groups of different precision."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

# Capacities of a flow are whole numbers of 32 bits, and so is their sum.
_LARGEST = 2**30


def faster_in_float(gains: Sequence[float], borders: Iterable[tuple[int, int, float]]) -> set[int]:
    """The groups that stay in float where the sum of all times is to be the smallest.

    A group in float costs its gain; where one of two neighbours is in float and the other is not, the border costs its
    conversion. That is a minimum cut, which the largest flow finds exactly (Ford and Fulkerson, 1956).

        >>> sorted(faster_in_float([2.0, -1.0, 2.0], []))
        [1]
        >>> sorted(faster_in_float([2.0, -1.0, 2.0], [(0, 1, 0.75), (1, 2, 0.75)]))
        []

    Args:
        gains: Seconds that each group saves in the lower precision; negative where it costs some.
        borders: Pairs of groups that give to one another, with the seconds of a conversion between them.
    """
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import breadth_first_order, maximum_flow

    low, high = len(gains), len(gains) + 1
    edges: list[tuple[int, int, float]] = []
    for index, gain in enumerate(gains):
        edges.append((low, index, gain) if gain > 0 else (index, high, -gain))
    for one, other, seconds in borders:
        edges += [(one, other, seconds), (other, one, seconds)]
    starts, ends = [edge[0] for edge in edges], [edge[1] for edge in edges]
    unit = sum(edge[2] for edge in edges) / _LARGEST or 1.0
    capacities = [round(edge[2] / unit) for edge in edges]
    # Edges between the same two are added up.
    graph = csr_matrix((capacities, (starts, ends)), shape=(high + 1, high + 1), dtype="int32")
    left = graph - maximum_flow(graph, low, high).flow
    left.data = left.data.clip(min=0)
    left.eliminate_zeros()
    reached = breadth_first_order(left, low, return_predecessors=False)
    return set(range(len(gains))) - {int(index) for index in reached}
