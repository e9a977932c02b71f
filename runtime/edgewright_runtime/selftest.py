"""Does a package still do what it did when it was built? Structure, digests, then golden samples through the engine."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgewright_runtime.errors import DamagedPackageError, PackageError
from edgewright_runtime.gaps import beside_limit, largest_gap
from edgewright_runtime.likeness import likeness_of
from edgewright_runtime.model import EngineInfo
from edgewright_runtime.package import GOLDEN, Package, package_folder
from edgewright_runtime.package_files import SUMS, check_digests
from edgewright_runtime.probe import Probe
from edgewright_runtime.samples import pack, unpack
from edgewright_targets.errors import CheckFailedError, first_few

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from edgewright_runtime.likeness import Likeness
    from edgewright_runtime.manifest import EngineSpec, PipelineSpec

    Array = np.ndarray[Any, Any]

# Golden samples are a handful of inputs and outputs; a file that unpacks to more is not ours to load.
_GOLDEN_LIMIT_BYTES = 2**30
_MOST_SAMPLES = 1024
# Of a feed of numbers that are not counts, as a share of its largest value (or of 1).
_FEED_TOLERANCE = 1e-4
# Decoders of video and their colours are rounded otherwise on each kind of processor, by a few of 255 levels.
_VIDEO_TOLERANCE = 0.05


@dataclass(frozen=True)
class GoldenSample:
    """One stored sample.

    Attributes:
        sample: What a person has: a text, the bytes of a file, named arrays, or several of these by name.
        feeds: What the graph is given.
        outputs: What the float engine gave at build time.
    """

    sample: Any
    feeds: dict[str, Array]
    outputs: dict[str, Array]


@dataclass(frozen=True)
class SelfTestReport:
    """What `verify` found; it raises instead where a check says no.

    Attributes:
        files: Files whose digest was right.
        samples: Golden samples that were run.
        engine: The engine that answered.
        difference: Largest difference of any output from the stored float outputs, or of boxes (see `Likeness`).
        tolerance: What was allowed.
    """

    files: int
    samples: int
    engine: EngineInfo
    difference: float
    tolerance: float


def verify(path: str | Path, *, engine: str | None = None, strict: bool = False) -> SelfTestReport:
    """Check structure and digests of a package, then run its golden samples through the engine that runs here.

        >>> from edgewright_runtime import verify
        >>> report = verify("intents.ortpackage")
        >>> report.samples
        8
        >>> report.difference <= report.tolerance
        True

    Raises:
        PackageError: No readable package at `path`.
        DamagedPackageError: Changed or cut off after the build.
        CheckFailedError: An output differs from the float output by more than the engine's tolerance.
    """
    from edgewright_runtime.loading import load

    package, files = check_whole(path)
    samples = stored_samples(package)
    check_complete(samples, str(path))
    with load(package, engine=engine, strict=strict) as model:
        info = model.engine
        spec = package.manifest.engines[info.name]
        pipeline, probe = package.manifest.pipeline, Probe(model)
        worst, alike, allowed = 0.0, likeness_of(pipeline), feed_tolerance(pipeline)
        check_tolerance(spec, samples, alike)
        for index, golden in enumerate(samples):
            check_feeds(probe.golden_feeds(golden.sample), golden, spec.pad_to_multiple_of, index, allowed)
            outputs = probe.values_for_comparison(golden.sample)["outputs"]
            worst = max(worst, alike.difference(outputs, golden.outputs))
            check_places(info.name, alike, outputs, golden, index)
    # A comparison with NaN is False, so the check is written the way round that lets none through.
    if not worst <= spec.tolerance:
        found, limit = beside_limit(worst, spec.tolerance)
        raise CheckFailedError(
            f"Engine '{info.name}' differs from the float outputs by {found} on the golden samples; {limit} is "
            "allowed.",
            hint="This machine or its provider computes differently from the one that the engine was measured on. "
            "Build on this machine.",
        )
    return SelfTestReport(files, len(samples), info, worst, spec.tolerance)


def check_places(engine: str, alike: Likeness, outputs: Mapping[str, Array], golden: GoldenSample, index: int) -> None:
    """Refuse an infinity, NaN or text that only one side has, with its place.

    Raises:
        CheckFailedError: There is one.
    """
    if place := alike.odd_place(dict(outputs), golden.outputs):
        raise CheckFailedError(
            f"Engine '{engine}' differs from the float outputs of golden sample {index}: {place}.",
            hint="This machine or its provider computes differently from the one that the engine was measured on. "
            "Build on this machine.",
        )


def check_whole(path: str | Path) -> tuple[Package, int]:
    """Check structure and digests of a package; gives it, and the number of files whose digest was right.

    Raises:
        PackageError: No readable package at `path`.
        DamagedPackageError: Changed or cut off after the build.
    """
    import onnxruntime

    root = package_folder(path, check=True)
    # Digests first: a manifest that was changed is a damaged package, and not something else than a package.
    files = check_digests(root, str(path)) if (root / SUMS).exists() else 0
    package = Package.open(root)
    files = files or check_digests(root, str(path))
    try:
        onnxruntime.ModelPackageContext(str(package.root))
    except Exception as error:
        raise DamagedPackageError(f"'{path}': ONNX Runtime cannot read it as a model package: {error}.") from error
    return package, files


def check_complete(samples: tuple[GoldenSample, ...], name: str) -> None:
    """Refuse golden samples with which nothing would be compared; `name` is what messages call the package.

    Raises:
        DamagedPackageError: There is no sample, or one has no outputs.
    """
    if not samples:
        raise DamagedPackageError(
            f"'{name}' has no golden samples, so there is nothing to compare.",
            hint="The build left them out. 'edgewright verify --structure-only' checks only the files; 'edgewright "
            "bench' compares the engines on your own data.",
        )
    hint = "Build the package again: 'edgewright build' stores samples and the outputs of the float engine."
    for index, golden in enumerate(samples):
        if not golden.outputs:
            raise DamagedPackageError(f"'{name}': the golden sample {index} has no outputs to compare with.", hint=hint)


def check_tolerance(spec: EngineSpec, samples: tuple[GoldenSample, ...], alike: Likeness) -> None:
    """Refuse a tolerance that no build writes, because everything would be within it.

    A build writes twice the difference that it saw, rounded up to a power of two. Two outputs of size m differ by 2 m
    at most, so what it writes is at most 8 m. Of boxes the difference is a share, and 2 the most that is written.

    Raises:
        DamagedPackageError: It is larger.
    """
    import numpy as np

    sizes = [np.abs(array[np.isfinite(array)]).max(initial=0) for golden in samples for array in _numbers(golden)]
    largest = 2.0 if alike.boxes is not None else max(2 * alike.floor, 8.0 * float(max(sizes, default=0)))
    if not spec.tolerance <= largest:
        raise DamagedPackageError(
            f"Engine '{spec.name}' has the tolerance {spec.tolerance:.3g}; builds write at most {largest:.3g} for "
            "these golden outputs.",
            hint="Get the package again from where it was built, or build it again.",
        )


def _numbers(golden: GoldenSample) -> list[Array]:
    return [array for array in golden.outputs.values() if array.dtype.kind in "fiu"]


def feed_tolerance(pipeline: PipelineSpec) -> float:
    """What feeds may differ by, as a share of the largest value (or of 1)."""
    return _VIDEO_TOLERANCE if pipeline.input == "video" else _FEED_TOLERANCE


def check_feeds(
    feeds: dict[str, Array], golden: GoldenSample, multiple: int, index: int, allowed: float = _FEED_TOLERANCE
) -> None:
    """Compare what the steps before the graph made with what is stored.

    Args:
        feeds: What was made.
        golden: The stored sample.
        multiple: What the engine pads to.
        index: Of the sample, for the message.
        allowed: See `feed_tolerance`.

    Raises:
        CheckFailedError: They are others.
    """
    for name, stored in golden.feeds.items():
        if name not in feeds:
            raise CheckFailedError(
                f"Golden sample {index}: the steps before the graph no longer give '{name[:100]}'.",
                hint=f"They give: {first_few(feeds)}.",
            )
        if not _same_feed(feeds[name], stored, multiple, allowed):
            raise CheckFailedError(
                f"Golden sample {index}: the steps before the graph give other values for '{name}' than at the build.",
                hint="A library that the steps use may have another version here; see 'edgewright inspect'.",
            )


def _same_feed(made: Array, stored: Array, multiple: int, allowed: float) -> bool:
    """Golden feeds are stored without padding; an engine that pads must have the same values before its padding."""
    if multiple == 1 or not made.ndim or made.shape == stored.shape:
        return _equal(made, stored, allowed)
    padding = made.shape[-1] - stored.shape[-1]
    if padding < 0:
        # One of a single length cuts longer texts, and puts the mark of the end behind what is left.
        return _equal(made[..., :-1], stored[..., : made.shape[-1] - 1], allowed)
    return any(_equal(part, stored, allowed) for part in (made[..., : stored.shape[-1]], made[..., padding:]))


def _equal(made: Array, stored: Array, allowed: float) -> bool:
    import numpy as np

    if made.dtype != stored.dtype or made.shape != stored.shape or made.dtype.kind != "f" or not stored.size:
        return np.array_equal(made, stored)
    # Processors add up in their own order: a spectrum of the same samples differs in its last digits.
    finite = np.abs(stored[np.isfinite(stored)])
    return largest_gap(made, stored) <= allowed * max(1.0, float(finite.max(initial=0.0)))


def stored_samples(package: Package) -> tuple[GoldenSample, ...]:
    """The golden samples of a package; none where it was built without.

    Raises:
        PackageError: They are not what the format says.
    """
    path = package.file(GOLDEN)
    return golden_samples(path) if path.exists() else ()


def golden_samples(path: Path) -> tuple[GoldenSample, ...]:
    """The stored samples in the file `path`.

    Raises:
        PackageError: The file is not what the format says.
    """
    from edgewright_runtime.arrays import ArraysError, read_arrays

    try:
        arrays = read_arrays(path, limit_bytes=_GOLDEN_LIMIT_BYTES)
        packed = list(json.loads(arrays.pop("samples").tobytes()))
    except ArraysError as error:
        raise PackageError(f"The golden samples cannot be read: {error.message}") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise PackageError(f"'{path}': the golden samples cannot be read: {error}.") from error
    if len(packed) > _MOST_SAMPLES:
        raise PackageError(f"'{path}' has {len(packed)} golden samples; {_MOST_SAMPLES} are allowed.")
    return tuple(_golden_sample(index, entry, arrays, path) for index, entry in enumerate(packed))


def _golden_sample(index: int, packed: Any, arrays: dict[str, Array], path: Path) -> GoldenSample:
    feeds = _part(arrays, f"{index}/feed/")
    try:
        # No paths: a package must not make its reader open files of its choice.
        sample = feeds if packed is None else unpack(packed, arrays, paths=False)
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise PackageError(f"'{path}': the golden sample {index} cannot be read: {error}.") from error
    return GoldenSample(sample, feeds, _part(arrays, f"{index}/output/"))


def _part(arrays: dict[str, Array], prefix: str) -> dict[str, Array]:
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}


def write_golden(path: Path, samples: list[GoldenSample]) -> None:
    """Write samples in the form that `golden_samples` reads; the same samples give the same bytes."""
    import numpy as np

    arrays: dict[str, Array] = {}
    packed = [
        None if _is_its_feeds(entry) else pack(entry.sample, f"{index}/sample", arrays, paths=False)
        for index, entry in enumerate(samples)
    ]
    arrays["samples"] = np.frombuffer(json.dumps(packed).encode(), dtype=np.uint8)
    for index, sample in enumerate(samples):
        arrays |= {f"{index}/feed/{name}": value for name, value in sample.feeds.items()}
        arrays |= {f"{index}/output/{name}": value for name, value in sample.outputs.items()}
    np.savez(path, **arrays)  # type: ignore[arg-type]


def _is_its_feeds(entry: GoldenSample) -> bool:
    return isinstance(entry.sample, dict) and set(entry.feeds) <= set(entry.sample)
