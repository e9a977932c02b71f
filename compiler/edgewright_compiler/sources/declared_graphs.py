"""A declaration against its graphs: the loop of each component, and how many values the frames of streams have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import TYPE_CHECKING

from edgewright_compiler.graphs.exported import ports_of
from edgewright_compiler.sources.declared_file import AUDIO, Declaration, InputFile
from edgewright_runtime.steps.audio.keywords import KeywordSettings
from edgewright_runtime.steps.audio.stream_windows import WindowSpec
from edgewright_runtime.steps.audio.streams import StreamLoopSpec
from edgewright_targets.errors import nearest

if TYPE_CHECKING:
    import onnx_ir

    from edgewright_compiler.sources.onnx_file import OnnxSource


class DeclaredGraphs:
    """The components of a declaration.

    Args:
        declared: The declaration.
        graphs: Component to its file, in the order in which they run.

    Attributes:
        loops: Component to its loop, in that order.

    Raises:
        InputError: A graph is not as it is declared.
    """

    def __init__(self, declared: Declaration, graphs: Mapping[str, OnnxSource]) -> None:
        self._declared = declared
        self._graphs = graphs
        # Values of a frame, where the graphs say how many.
        self._features: dict[str, int | None] = {AUDIO: 1}
        self.loops = {name: self._loop(name) for name in graphs}

    def keywords(self, labels: Sequence[str]) -> KeywordSettings:
        """How keywords of these names are told from the scores.

        Raises:
            InputError: Labels and scores are not of one number.
        """
        file = self._declared.file
        counts = []
        for stream in file.scores:
            if stream not in self._features or stream == AUDIO:
                known = [name for name in self._features if name != AUDIO]
                raise self._declared.problem(f"there is no stream '{stream}'.", "scores", hint=nearest(stream, known))
            counts.append(self._features[stream])
        rest = len(labels) - sum(count or 0 for count in counts)
        if counts.count(None) == 1 and rest > 0:
            counts[counts.index(None)] = rest
        if None in counts or sum(count or 0 for count in counts) != len(labels):
            listing = ", ".join(f"'{name}' has {count or '?'}" for name, count in zip(file.scores, counts, strict=True))
            raise self._declared.problem(
                f"there are {len(labels)} labels, but the scores are: {listing}.",
                "labels",
                hint="Name one label for each score.",
            )
        whole = tuple(count for count in counts if count is not None)
        return KeywordSettings(
            sampling_rate=file.sampling_rate,
            scores=file.scores,
            counts=whole,
            threshold=file.threshold,
            cooldown=file.cooldown,
            settle=file.settle,
        )

    def _loop(self, name: str) -> StreamLoopSpec:
        part, graph = self._declared.file.component[name], self._graphs[name].graph()
        ports = ports_of(graph)
        declared = (*part.inputs, *part.state.values(), *part.constants)
        for given in declared:
            self._refuse_unknown(name, "input", given, ports.inputs)
        for made in (*part.outputs, *part.state):
            self._refuse_unknown(name, "output", made, ports.outputs)
        missing = [given for given in ports.inputs if given not in declared]
        if missing or len(set(declared)) != len(declared):
            problem = f"does not mention {', '.join(missing)}" if missing else "declares one of them twice"
            raise self._declared.problem(
                f"component '{name}' has the inputs {', '.join(ports.inputs)}; this file {problem}.",
                *("component", name),
                hint="Each input is a window of a stream (inputs), a state, or a constant.",
            )
        outputs = part.outputs or {made: 0 for made in ports.outputs if made not in part.state}
        if not part.outputs and len(outputs) != 1:
            raise self._declared.problem(
                f"component '{name}' gives {', '.join(ports.outputs)}.",
                *("component", name),
                hint="Name the streams among them: outputs = { NAME = axis of its frames }.",
            )
        shapes = {str(value.name): _sizes(value.shape) for value in (*graph.graph.inputs, *graph.graph.outputs)}
        names = {made: name if len(outputs) == 1 else f"{name}.{made}" for made in outputs}
        windows = {given: self._window(name, given, spec, shapes[given]) for given, spec in part.inputs.items()}
        for made, axis in outputs.items():
            self._features[names[made]] = self._values_of_a_frame(name, made, axis, shapes[made])
        return StreamLoopSpec(
            inputs=windows,
            outputs=outputs,
            names=names,
            state=part.state,
            shapes={given: tuple(size or 1 for size in shapes[given] or ()) for given in part.state.values()},
            constants=part.constants,
        )

    def _refuse_unknown(self, name: str, what: str, word: str, known: Sequence[str]) -> None:
        if word not in known:
            raise self._declared.problem(
                f"component '{name}': '{self._graphs[name].path.name}' has no {what} '{word}'.",
                *("component", name),
                hint=nearest(word, known),
            )

    def _window(self, name: str, given: str, spec: InputFile, sizes: tuple[int, ...] | None) -> WindowSpec:
        keys = ("component", name, "inputs", given)
        if spec.stream not in self._features:
            raise self._declared.problem(
                f"there is no stream '{spec.stream}'.", *keys, "stream", hint=nearest(spec.stream, self._features)
            )
        if sizes is None or spec.axis >= len(sizes):
            form = "a shape that the graph does not say" if sizes is None else f"{len(sizes)} axes"
            raise self._declared.problem(f"the input '{given}' has {form}; axis is {spec.axis}.", *keys, "axis")
        fixed = sizes[spec.axis]
        lengths = {spec.first or spec.window, spec.window}
        if fixed and lengths != {fixed}:
            raise self._declared.problem(
                f"the input '{given}' takes {fixed} frames along axis {spec.axis}, and its windows have "
                f"{' and '.join(map(str, sorted(lengths)))}.",
                *keys,
                "window",
            )
        # Samples are one in a batch; another size that the graph leaves open follows from the stream.
        others = [size or (1 if axis == 0 else -1) for axis, size in enumerate(sizes) if axis != spec.axis]
        features = self._features[spec.stream]
        known = prod(size for size in others if size > 0)
        open_ones = others.count(-1)
        fits = features is None or (features % known == 0 if open_ones else features == known)
        if open_ones > 1 or not fits:
            raise self._declared.problem(
                f"the input '{given}' takes {' x '.join(str(size) if size > 0 else '?' for size in others) or 1} "
                f"values a frame, and a frame of '{spec.stream}' has {features or 'some'}.",
                *keys,
                "stream",
            )
        values = {key: getattr(spec, key) for key in InputFile.__dataclass_fields__}
        return WindowSpec(shape=(*others[: spec.axis], 0, *others[spec.axis :]), **values)

    def _values_of_a_frame(self, name: str, made: str, axis: int, sizes: tuple[int, ...] | None) -> int | None:
        if sizes is None:
            return None
        if not 0 <= axis < len(sizes):
            raise self._declared.problem(
                f"the output '{made}' has {len(sizes)} axes, counted from 0; its frames cannot lie along axis {axis}.",
                *("component", name, "outputs", made),
            )
        others = [size or (1 if at == 0 else 0) for at, size in enumerate(sizes) if at != axis]
        return prod(others) or None


def _sizes(shape: onnx_ir.Shape | None) -> tuple[int, ...] | None:
    """The sizes of a shape, 0 where one is open; None where the graph says nothing."""
    return None if shape is None else tuple(size if isinstance(size, int) else 0 for size in shape)
