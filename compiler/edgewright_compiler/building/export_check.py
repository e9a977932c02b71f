"""Is the export the same model as its source? Real inputs through both, before anything else happens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from edgewright_compiler.building.probes import probes
from edgewright_compiler.sources import Source
from edgewright_runtime import Package, load
from edgewright_runtime.engine import Engine
from edgewright_runtime.errors import EngineUnavailableError, InferenceError, SampleError
from edgewright_runtime.gaps import largest_gap, odd_place, output_size
from edgewright_runtime.manifest import COMPONENT
from edgewright_runtime.probe import Probe
from edgewright_runtime.provider_words import provider_words
from edgewright_targets import CheckFailedError, InputError

if TYPE_CHECKING:
    from edgewright_runtime.wire import Arrays

# Float32 in another order of operations differs by 1e-6 to 1e-4 of the outputs' size; a wrong graph by far more.
_EXPORT_TOLERANCE = 1e-3


@dataclass(frozen=True)
class Compared:
    """What a comparison of an export with its source found.

    Attributes:
        difference: Largest difference, as a share of the outputs' size.
        notes: What the graph cannot do that its source can, as sentences.
    """

    difference: float
    notes: tuple[str, ...]


def compare_with_source(
    source: Source, package: Path, samples: Sequence[Any], name: str, limits: Mapping[str, int]
) -> Compared:
    """Compare the float engine with the source itself: on samples, on the first one again, and on other sizes of it.

    Args:
        source: The source.
        package: A package with its float engine.
        samples: What both answer.
        name: What messages call the samples.
        limits: Inputs of the graph that are tokens of texts, and the most that the model takes.

    Raises:
        CheckFailedError: The difference is larger than rounding explains.
        InputError: The data does not fit the model.
    """
    opened = Package.open(package)
    # The engine first: it says in a sentence where data does not fit the model, a source says it in its own way.
    try:
        # By name: it is the float engine of a target that this machine need not be.
        model = load(opened, engine=opened.manifest.order[0], strict=True)
    except EngineUnavailableError as error:
        raise InputError(
            f"The graph of '{source.name}' cannot run as exported: {error.reason}", hint=_UNABLE
        ) from error
    with model:
        probe = Probe(model)
        numbered = enumerate(samples, start=1)
        answers = [_answer(probe, sample, f"'{name}', sample {number}") for number, sample in numbered]
        feeds = probe.feeds(samples[0])
    # The first one again: a module that every call changes gives another answer then, and a graph has no such state.
    *references, again = source.reference([*samples, samples[0]])
    if problem := _apart(again, references[0])[1]:
        raise _unsteady(source, samples[0], problem)
    worst = 0.0
    for index, (outputs, reference) in enumerate(zip(answers, references, strict=True)):
        gap, problem = _apart(outputs, reference)
        if problem:
            why = source.told_apart(samples[index], outputs)
            raise _mismatch(source, f"sample {index + 1}: {problem}", why or _DIFFERENT)
        worst = max(worst, gap)
    return Compared(worst, _other_sizes(source, opened, feeds, limits))


def _apart(outputs: Arrays, reference: Arrays) -> tuple[float, str]:
    """Largest difference as a share of the outputs' size, and in words what is more than rounding explains."""
    if len(outputs) != len(reference):
        return 0.0, f"the graph has {len(outputs)} outputs, but the source has {len(reference)}"
    worst = 0.0
    for output, value, expected in zip(outputs, outputs.values(), reference.values(), strict=True):
        if value.shape != expected.shape:
            return worst, f"'{output}' is {value.shape}, the source's {expected.shape}"
        if place := odd_place(value, expected):
            return worst, f"'{output}' at {place}"
        gap = largest_gap(value, expected) / output_size(expected)
        if gap > _EXPORT_TOLERANCE:
            return worst, f"'{output}' differs by {gap:.2g} of its size"
        worst = max(worst, gap)
    return worst, ""


def _other_sizes(source: Source, package: Package, feeds: Arrays, limits: Mapping[str, int]) -> tuple[str, ...]:
    """Compare on feeds of other sizes than those of the data; gives what the graph cannot do that its source can."""
    import onnxruntime

    quiet = onnxruntime.RunOptions()
    quiet.log_severity_level = 4
    inference = source.inference()
    if inference is None:
        return ()
    notes = []
    with Engine(package, package.manifest.engines[package.manifest.order[0]]) as engine:
        graph = engine.graph(COMPONENT)
        shapes = {entry.name: list(entry.shape) for entry in graph.session.get_inputs()}
        for name, axes in inference.free.items():
            # The exporter was to keep these free, and may have found in the module that they are not.
            shapes[name] = [None if axis in axes else size for axis, size in enumerate(shapes.get(name, ()))]
        for probe in probes(feeds, shapes, limits):
            try:
                reference = inference.run(probe.feeds)
            except Exception:  # noqa: BLE001, S112 - whatever a module raises, it does not take these sizes itself
                continue
            try:
                values = graph.session.run(graph.output_names, probe.feeds, quiet)
            except Exception as error:  # noqa: BLE001 - whatever a provider throws; a failure is loud, and so no lie
                reason = provider_words(error)
                notes.append(f"With {probe.words} the graph does not run, although '{source.name}' does: {reason}")
                continue
            outputs = dict(zip(graph.output_names, values, strict=True))
            if problem := _apart(outputs, reference)[1]:
                raise _mismatch(source, f"with {probe.words}: {problem}", _FROZEN)
    return tuple(notes)


def _answer(probe: Probe, sample: Any, place: str) -> Arrays:
    try:
        outputs: Arrays = probe.values_for_comparison(sample)["outputs"]
    except SampleError as error:
        raise InputError(f"{place} does not fit the model. {error.message}", hint=error.hint) from error
    except InferenceError as error:
        raise InputError(
            f"{place}: the graph cannot run on this sample. {error.message}",
            hint="A likely cause is a token id beyond the vocabulary. Check that the tokenizer belongs to this model.",
        ) from error
    return outputs


_UNABLE = (
    "The float engine runs on ONNX Runtime's CPU provider, which has no kernels for some types and for operators of "
    "old opsets. Export the model again in float32, for opset 13 or newer."
)
_DIFFERENT = (
    "The source may have random operations (dropout in training mode), or the exporter may translate an "
    "operator wrongly."
)
_FROZEN = (
    "The export has a size of its example input as a constant. Take sizes from the tensors in forward (x.shape[0]), "
    "not from attributes or numbers of Python."
)


def _mismatch(source: Source, what: str, hint: str = _DIFFERENT) -> CheckFailedError:
    return CheckFailedError(
        f"The outputs of the export of '{source.name}' differ from those of its source ({what}; {_EXPORT_TOLERANCE} "
        "is allowed).",
        hint=f"Nothing was built. {hint}",
    )


def _unsteady(source: Source, sample: Any, what: str) -> CheckFailedError:
    """That the source answers the same sample in two ways."""
    changed = source.changed_by(sample)
    if changed:
        why = f"every call changes {', '.join(changed)}, but a graph keeps no state"
        hint = "Make the state an input and an output of forward, or leave it unchanged in eval mode."
    else:
        why = "it has random operations, or a state in Python"
        hint = (
            "Remove random operations (dropout in training mode: training=self.training), and keep no state "
            "between calls."
        )
    return CheckFailedError(
        f"'{source.name}' gives other outputs when it is called again with the same sample ({what}): {why}.",
        hint=f"Nothing was built. {hint}",
    )


def refuse_nan(feeds: Sequence[Any]) -> None:
    """Raise where calibration inputs hold NaN or infinity: ranges made from them mean nothing."""
    for number, feed in enumerate(feeds, start=1):
        for name, value in feed.items():
            if value.dtype.kind == "f" and not np.isfinite(value).all():
                raise InputError(f"Calibration sample {number}: '{name}' has NaN or infinite values.")
