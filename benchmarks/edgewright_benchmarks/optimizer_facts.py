"""What ONNX Runtime's optimizations change of a graph that came as a file."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class OptimizerFacts:
    """What ONNX Runtime's optimizations change of a graph that came as a file.

    Attributes:
        difference: Largest difference of any output as a share of its size; None where shapes or odd values differ.
        allowed: What rounding explains in numbers of its type.
        samples: How many were compared.
        nodes: The first nodes of the optimized graph that answer otherwise, in words; where it is more than allowed.
        kept: The optimizations stay on.
        drop: Loss of the first metric that they cause, as a share; None where it was not measured.
        judged_on: Labelled samples that it was measured on.
        refused: Why the optimized graph does not run at all; empty where it does.
    """

    difference: float | None
    allowed: float
    samples: int
    nodes: tuple[str, ...] = ()
    kept: bool = True
    drop: float | None = None
    judged_on: int = 0
    refused: str = ""

    @property
    def exceeds(self) -> bool:
        """Whether they change more than rounding explains."""
        return self.difference is None or self.difference > self.allowed

    def words(self) -> str:
        """All of it in whole sentences."""
        if self.refused:
            return (
                f"The graph does not run with ONNX Runtime's optimizations: {self.refused} They are off for the "
                "baseline."
            )
        size = "in shape or by odd values" if self.difference is None else f"by {self.difference:.2g} of their size"
        first = f", first at {' and '.join(self.nodes)}" if self.nodes else ""
        sentence = (
            f"ONNX Runtime's optimizations change the outputs of the graph, {size} at most, on {self.samples} "
            f"inputs ({self.allowed:g} counts as rounding){first}."
        )
        if not self.exceeds:
            return sentence
        if self.drop is not None:
            sentence += (
                f" By that it loses {100 * self.drop:.2f} percentage points on {self.judged_on:,} labelled samples."
            )
        elif not self.kept:
            sentence += " Without ground truth, nothing tells which outputs are correct."
        rest = "They stay on." if self.kept else "They are off for the baseline."
        return f"{sentence} {rest}"
