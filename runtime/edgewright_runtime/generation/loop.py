"""A graph in a loop: new tokens in, scores out; the state stays with the provider from one step to the next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from edgewright_runtime import loop_state

if TYPE_CHECKING:
    from edgewright_runtime.engine import Engine

    Array = np.ndarray[Any, Any]

_TYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(int64)": np.int64}


@dataclass(frozen=True, kw_only=True)
class LoopSpec:
    """The declared loop of a graph; names are of its inputs and outputs, an empty name is a part that it lacks.

    Attributes:
        tokens: Input of new tokens, int64 [rows, new].
        logits: Output of scores, [rows, kept, vocabulary]; [rows, new, vocabulary] without `kept`.
        state: Output to the input that takes it in the next step: caches, [rows, ..., growing axis, ...]. Axes of no
            fixed size begin with 0.
        mask: Input of which tokens count, int64 [rows, past + new].
        positions: Input of the tokens' positions, int64 [rows, new].
        kept: Input of the positions among the new ones whose scores are wanted, int64 [kept].
        fixed: Inputs that stay the same in all steps, from values of these names.
    """

    tokens: str
    logits: str
    state: dict[str, str] = field(default_factory=dict)
    mask: str = ""
    positions: str = ""
    kept: str = ""
    fixed: tuple[str, ...] = ()


class Loop:
    """Runs the graph of an active engine step by step. `start`, then `step` as often as wanted.

    Raises:
        PackageError: The graph does not have the inputs and outputs of the loop.
    """

    def __init__(self, engine: Engine, component: str, spec: LoopSpec) -> None:
        graph = engine.graph(component)
        self._graph = graph
        self._session = graph.session
        self._spec = spec
        inputs = {entry.name: entry for entry in self._session.get_inputs()}
        named = [spec.tokens, spec.mask, spec.positions, spec.kept, *spec.state.values(), *spec.fixed]
        title = f"The graph '{component}' of engine '{engine.spec.name}'"
        graph.check_loop(filter(None, named), (spec.logits, *spec.state), title)
        # Some graphs with caches take no more than one token at a time.
        shape = inputs[spec.tokens].shape
        self._single = len(shape) > 1 and shape[1] == 1
        self._state = {name: inputs[name] for name in spec.state.values()}
        # Caches stay where the provider wants them; scores are read here.
        self._places = graph.output_places(spec.state)
        self._carried: list[Any] = []
        self._binding: Any = None
        self._fed = tuple(spec.state.values())
        # Inputs that stay the same, and sequences that run.
        self._fixed: dict[str, Array] = {}
        self._rows = 0
        # Tokens so far, and a mask with room for more; the position that comes next in each row.
        self._past = 0
        self._mask: Array = np.ones((0, 0), dtype=np.int64)
        self._next: Array = np.zeros((0, 1), dtype=np.int64)

    def start(self, rows: int, fixed: Mapping[str, Array] | None = None) -> None:
        """Begin `rows` sequences with an empty state.

        Args:
            rows: How many.
            fixed: Inputs that stay the same, a row for each sequence.
        """
        from onnxruntime import OrtValue

        self._binding = self._session.io_binding()
        for name, entry in self._state.items():
            # Rows first; an axis of no fixed size is the one that grows.
            sizes = [size if isinstance(size, int) else 0 for size in entry.shape[1:]]
            shape = [rows, *sizes]
            empty = OrtValue.ortvalue_from_numpy(np.zeros(shape, dtype=_TYPES[entry.type]))
            self._binding.bind_ortvalue_input(name, empty)
        self._fixed = {name: np.ascontiguousarray((fixed or {})[name]) for name in self._spec.fixed}
        for name, value in self._fixed.items():
            self._binding.bind_cpu_input(name, value)
        self._past, self._rows = 0, rows
        self._mask = np.ones((rows, 0), dtype=np.int64)
        self._next = np.zeros((rows, 1), dtype=np.int64)

    def step(self, tokens: Array, mask: Array | None = None, *, kept: Array | None = None) -> Array:
        """Scores after new tokens; the state has them from then on.

        Args:
            tokens: int64 [rows, new], contiguous.
            mask: 0 where a token is padding, int64 [rows, new]; None where none is.
            kept: Positions among the new ones whose scores are wanted, int64 [kept]; None is the last.

        Returns:
            float32 [rows, kept, vocabulary], the caller's own.
        """
        wanted = np.array([tokens.shape[1] - 1]) if kept is None else kept
        if not self._single or tokens.shape[1] == 1:
            return self._step(tokens, mask, wanted)
        columns = [slice(place, place + 1) for place in range(tokens.shape[1])]
        one = np.array([0])
        made = [
            self._step(np.ascontiguousarray(tokens[:, place]), None if mask is None else mask[:, place], one)
            for place in columns
        ]
        return np.concatenate(made, axis=1)[:, wanted]

    def _step(self, tokens: Array, mask: Array | None, wanted: Array) -> Array:
        spec, binding = self._spec, self._binding
        positions = self._advance(tokens, mask)
        binding.bind_cpu_input(spec.tokens, tokens)
        if spec.mask:
            binding.bind_cpu_input(spec.mask, np.ascontiguousarray(self._mask[:, : self._past]))
        if spec.positions:
            binding.bind_cpu_input(spec.positions, positions)
        if spec.kept:
            binding.bind_cpu_input(spec.kept, wanted)
        binding.bind_output(spec.logits)
        for name, (device, number) in self._places.items():
            # Anew for each step: a bound output would be written over the cache that this step reads.
            binding.bind_output(name, device, number)
        self._graph.run(binding)
        logits, *self._carried = binding.get_outputs()
        for name, value in zip(self._fed, self._carried, strict=True):
            binding.bind_ortvalue_input(name, value)
        scores = logits.numpy()
        return np.asarray(scores if spec.kept else scores[:, wanted], dtype=np.float32)

    def _advance(self, tokens: Array, mask: Array | None) -> Array:
        """Count new tokens in; gives their positions, int64 [rows, new]."""
        rows, new = tokens.shape
        end = self._past + new
        if end > self._mask.shape[1]:
            # Doubled, so that a long answer is not copied at each of its tokens.
            grown = np.ones((rows, max(end, 2 * self._mask.shape[1], 64)), dtype=np.int64)
            grown[:, : self._past] = self._mask[:, : self._past]
            self._mask = grown
        if mask is not None:
            self._mask[:, self._past : end] = mask
        self._past = end
        if mask is None:
            positions: Array = self._next if new == 1 else self._next + np.arange(new)
            self._next = self._next + new
            return positions
        positions = self._next + np.cumsum(mask, axis=1) - 1
        self._next = positions[:, -1:] + 1
        # Padding has no position; transformers gives it the first.
        return np.maximum(positions, 0)

    def reorder(self, rows: Array) -> None:
        """Go on with these rows of the state, in this order; a row may come several times.

        Caches of a device other than the processor go through its memory here.
        """
        from onnxruntime import OrtValue

        if len(rows) == self._rows and (rows == np.arange(len(rows))).all():
            return
        if len(rows) != self._rows:
            # Beams of one sequence have the same fixed inputs: only their number matters.
            self._fixed = {name: value[rows] for name, value in self._fixed.items()}
            for name, value in self._fixed.items():
                self._binding.bind_cpu_input(name, value)
            self._rows = len(rows)
        self._mask, self._next = self._mask[rows], self._next[rows]
        self._carried = [OrtValue.ortvalue_from_numpy(value.numpy()[rows]) for value in self._carried]
        for name, value in zip(self._fed, self._carried, strict=True):
            self._binding.bind_ortvalue_input(name, value)

    def feeds(self, tokens: Array) -> dict[str, Array]:
        """What the graph would be given for `tokens` in the next step, as arrays: for calibration."""
        spec = self._spec
        rows, new = tokens.shape
        made = {
            spec.tokens: tokens,
            spec.mask: np.concatenate([self._mask[:, : self._past], np.ones((rows, new), dtype=np.int64)], axis=1),
            spec.positions: self._next + np.arange(new),
            spec.kept: np.arange(new),
        }
        state = loop_state.as_arrays(self._fed, self._carried)
        return {name: value for name, value in (made | state | self._fixed).items() if name}
