"""Is the export the same model as its source? Real inputs through both, before anything else happens."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgewright_compiler.sources import Source
from edgewright_runtime.errors import EngineUnavailableError, InferenceError, SampleError
from edgewright_targets import CheckFailedError, InputError

if TYPE_CHECKING:
    from edgewright_runtime import Model
    from edgewright_runtime.wire import Arrays

# Float32 in another order of operations differs by 1e-6 to 1e-4 of the outputs' size; a wrong graph by far more.
_EXPORT_TOLERANCE = 1e-3


def compare_with_source(source: Source, package: Path, samples: Sequence[Any], name: str) -> float:
    """Largest difference between the float engine and the source itself, as a share of the outputs' size.

    Args:
        source: The source.
        package: A package with its float engine.
        samples: What both answer.
        name: What messages call the samples.

    Raises:
        CheckFailedError: It is larger than rounding explains.
        InputError: The data does not fit the model.
    """
    import numpy as np

    from edgewright_runtime import Package, load

    worst = 0.0
    opened = Package.open(package)
    # The engine first: it says in a sentence where data does not fit the model, a source says it in its own way.
    try:
        # By name: it is the float engine of a target that this machine need not be.
        model = load(opened, engine=opened.manifest.order[0], strict=True)
    except EngineUnavailableError as error:
        raise InputError(f"The graph of '{source.name}' cannot run as exported: {error.reason}") from error
    with model:
        answers = [_answer(model, sample, f"'{name}', sample {index}") for index, sample in enumerate(samples)]
    for index, (outputs, reference) in enumerate(zip(answers, source.reference(samples), strict=True)):
        if len(outputs) != len(reference):
            raise _mismatch(source, f"the graph has {len(outputs)} outputs, the source gives {len(reference)}")
        for output, value, expected in zip(outputs, outputs.values(), reference.values(), strict=True):
            if value.shape != expected.shape:
                raise _mismatch(source, f"input {index}: '{output}' is {value.shape}, the source's {expected.shape}")
            if not value.size:
                continue
            scale = max(1.0, float(np.abs(expected).max()))
            gap = float(np.abs(value.astype(np.float64) - expected.astype(np.float64)).max()) / scale
            # Written so that NaN, which compares as False, is a mismatch too.
            if not gap <= _EXPORT_TOLERANCE:
                raise _mismatch(source, f"input {index}: '{output}' differs by {gap:.2g} of its size")
            worst = max(worst, gap)
    return worst


def _answer(model: Model, sample: Any, place: str) -> Arrays:
    try:
        outputs: Arrays = model.measured(sample)["outputs"]
    except SampleError as error:
        raise InputError(f"{place} does not fit the model. {error.message}", hint=error.hint) from error
    except InferenceError as error:
        raise InputError(
            f"{place}: the graph cannot run on it. {error.message}",
            hint="Such as tokens beyond its last one: are the files beside the model those it was trained with?",
        ) from error
    return outputs


def _mismatch(source: Source, what: str) -> CheckFailedError:
    return CheckFailedError(
        f"The export of '{source.name}' does not answer as its source does ({what}; {_EXPORT_TOLERANCE} is allowed).",
        hint="Nothing was built. The source may hold random operations (dropout in training mode), or the exporter "
        "translates an operator wrongly.",
    )


def refuse_nan(feeds: Sequence[Any]) -> None:
    """Raise where calibration inputs hold NaN or infinity: ranges made from them mean nothing."""
    import numpy as np

    for index, feed in enumerate(feeds):
        for name, value in feed.items():
            if value.dtype.kind == "f" and not np.isfinite(value).all():
                raise InputError(f"Calibration sample {index}: '{name}' has NaN or infinite values.")
