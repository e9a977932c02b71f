"""Which places of a directed graph lie on ways that come back, in one pass: R. Tarjan, 1972."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import TypeVar

Place = TypeVar("Place")


def circles(after: Mapping[Place, Collection[Place]]) -> Iterator[set[Place]]:
    """Groups of places each of which leads to all others of its group; a place alone is a group too.

    Args:
        after: Each place, to those that it leads to. These are all among its keys.
    """
    order: dict[Place, int] = {}
    lowest: dict[Place, int] = {}
    open_places: list[Place] = []
    closed: set[Place] = set()
    for start in after:
        if start in order:
            continue
        way = [(start, iter(after[start]))]
        order[start] = lowest[start] = len(order)
        open_places.append(start)
        while way:
            place, rest = way[-1]
            following = next((one for one in rest if one not in closed), None)
            if following is None:
                way.pop()
                if way:
                    lowest[way[-1][0]] = min(lowest[way[-1][0]], lowest[place])
                if lowest[place] == order[place]:
                    group = set()
                    while place not in group:
                        group.add(open_places.pop())
                    closed |= group
                    yield group
            elif following in order:
                lowest[place] = min(lowest[place], order[following])
            else:
                order[following] = lowest[following] = len(order)
                open_places.append(following)
                way.append((following, iter(after[following])))
