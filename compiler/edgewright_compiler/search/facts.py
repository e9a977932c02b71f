"""What a search knows before it proposes engines: what each group of nodes costs in each precision, and what it hurts.

Values only: `node_costs` and `sensitivity` find them, `find_facts` keeps them.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass

from edgewright_compiler.search.fastest_split import faster_in_float

# A gain below this share of the float time of a group is within what two profiles of one graph differ by.
NOISE = 0.05


@dataclass(frozen=True, kw_only=True)
class Group:
    """Nodes that get a precision together: a layer, with the bias and the activation that runtimes fuse into it.

    Attributes:
        name: Of the node that multiplies; unique within a component.
        component: The graph that it is in.
        nodes: Names of all its nodes, as `Recipe.excluded_nodes` finds them.
        operators: Their operator types, in the same order.
    """

    name: str
    component: str
    nodes: tuple[str, ...]
    operators: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class GroupFacts:
    """What is known of one group.

    Attributes:
        group: Which.
        float_seconds: What it costs in float, in seconds a sample; None where it was not timed.
        low_seconds: The same in the precision of the recipe, with the conversions that it causes.
        error: What its quantization alone does to the outputs: root of the mean square of the difference, as a share
            of that of the float outputs. 0 is none; None where it was not found.
        operations: Multiplications and additions of one sample; 0 where the shapes do not tell.
        weight_bytes: Of its float weights.
    """

    group: Group
    float_seconds: float | None = None
    low_seconds: float | None = None
    error: float | None = None
    operations: float = 0.0
    weight_bytes: int = 0

    @property
    def gain(self) -> float | None:
        """Seconds that its quantization saves; negative where it costs some, None where it was not timed.

        >>> group = Group(name="conv", component="model", nodes=("conv",), operators=("Conv",))
        >>> GroupFacts(group=group, float_seconds=0.75, low_seconds=0.5).gain
        0.25
        """
        if self.float_seconds is None or self.low_seconds is None:
            return None
        return self.float_seconds - self.low_seconds

    @property
    def gains_nothing(self) -> bool:
        """Whether it was timed, and its quantization saves nothing beyond the noise of a profile.

        >>> group = Group(name="conv", component="model", nodes=("conv",), operators=("Conv",))
        >>> GroupFacts(group=group, float_seconds=0.50, low_seconds=0.49).gains_nothing
        True
        """
        return self.gain is not None and self.float_seconds is not None and self.gain <= NOISE * self.float_seconds


@dataclass(frozen=True, kw_only=True)
class Border:
    """Two groups of which one takes what the other gives; in one precision nothing is converted between them.

    Attributes:
        giver: The first.
        taker: The second.
        seconds: What a conversion between them costs, in seconds a sample.
    """

    giver: Group
    taker: Group
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is known of all groups of a model, for one candidate.

    Attributes:
        candidate: Its name: its recipe makes the low precision, its provider runs both.
        groups: All groups that the recipe quantizes, in the order in which they run.
        float_seconds: Sum over all nodes of the float graphs, those outside groups too, in seconds a sample; None where
            nothing was timed.
        low_seconds: The same of the quantized graphs.
        error: What the quantization of all groups together does to the outputs; see `GroupFacts.error`.
        borders: Between groups that are both quantized; a conversion costs where one of the two stays in float.
        note: What was not found and what stands in for it, as sentences; empty where all was found.
    """

    candidate: str
    groups: tuple[GroupFacts, ...]
    float_seconds: float | None = None
    low_seconds: float | None = None
    error: float | None = None
    borders: tuple[Border, ...] = ()
    note: str = ""

    @property
    def timed(self) -> bool:
        """Whether gains are seconds; where not, `operations` say which group is worth most."""
        return any(one.gain is not None for one in self.groups)

    def worth(self, one: GroupFacts) -> float:
        """What quantizing a group is worth: seconds where groups are timed, else its share of all operations."""
        if self.timed:
            return one.gain or 0.0
        whole = sum(other.operations for other in self.groups)
        return one.operations / whole if whole else 0.0

    def without_gain(self) -> tuple[Group, ...]:
        """Groups whose quantization saves nothing, the dearest first.

        With all of them in float the model is expected to be the fastest: a group that loses a little stays quantized
        where the conversions at its borders would cost more.
        """
        timed = [one for one in self.groups if one.gain is not None]
        places = {one.group: place for place, one in enumerate(timed)}
        gains = [(one.gain or 0.0) - NOISE * (one.float_seconds or 0.0) for one in timed]
        borders = [
            (places[border.giver], places[border.taker], border.seconds)
            for border in self.borders
            if border.giver in places and border.taker in places
        ]
        found = sorted(faster_in_float(gains, borders), key=gains.__getitem__) if timed else []
        return tuple(timed[place].group for place in found)

    def error_without(self, kept: Collection[Group]) -> float | None:
        """The error to expect where all groups but `kept` are quantized; None where no error is known.

        Errors of groups are added in squares, as independent ones add, and scaled to the error of all together.
        """
        known = [(one.error**2, one.group in kept) for one in self.groups if one.error is not None]
        if not known:
            return None
        whole = sum(square for square, _ in known)
        rest = sum(square for square, is_kept in known if not is_kept)
        scale = self.error / math.sqrt(whole) if self.error is not None and whole else 1.0
        return math.sqrt(rest) * scale

    def seconds_without(self, kept: Collection[Group]) -> float | None:
        """The seconds to expect where all groups but `kept` are quantized; None where nothing was timed."""
        if self.low_seconds is None:
            return None
        converted = sum(border.seconds for border in self.borders if (border.giver in kept) != (border.taker in kept))
        return self.low_seconds + converted + sum(one.gain or 0.0 for one in self.groups if one.group in kept)

    def excluded(self, kept: Collection[Group]) -> dict[str, tuple[str, ...]]:
        """Component to the nodes that `Recipe.excluded_nodes` names, so that these groups stay in float."""
        found: dict[str, tuple[str, ...]] = {}
        for group in (one.group for one in self.groups if one.group in kept):
            found[group.component] = (*found.get(group.component, ()), *group.nodes)
        return found
