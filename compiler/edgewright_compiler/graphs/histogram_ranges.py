"""Ranges of activations by percentile or entropy, from histograms that are filled sample by sample.

ONNX Runtime's own calibrators keep all activations of all samples until the last: of 37 pictures in EfficientNet-lite0
more than 2 GB. They also want inputs of one shape. Here the graph runs twice over the samples: once for the extremes,
once for the counts between them. What follows from the counts, ONNX Runtime decides.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from edgewright_targets import Recipe

if TYPE_CHECKING:
    from edgewright_runtime.wire import Arrays

# Bins over both signs: for a percentile those of ONNX Runtime. For entropy it has 128, as many as there are afterwards,
# so that there is nothing to choose. More of them cost time by their square.
_BINS = {"percentile": 2048, "entropy": 512}
# As TensorRT has it (Migacz, 8-bit Inference with TensorRT, 2017), and ONNX Runtime.
_QUANTIZED_BINS = 128
Array = np.ndarray[Any, Any]


def write_ranges(graph: Path, recipe: Recipe, feeds: Sequence[Arrays], scratch: Path) -> Path:
    """Write the ranges of a graph's activations as ONNX Runtime's `calibration_cache_path` has them; gives the file.

    Args:
        graph: The float graph.
        recipe: Its `calibration` is `percentile` or `entropy`.
        feeds: What the graph is given; shapes may differ.
        scratch: A folder for this.
    """
    from onnxruntime.quantization.calibrate import (
        CalibrationMethod,
        HistogramCollector,
        TensorsData,
        create_calibrator,
        save_tensors_data,
    )

    methods = {"percentile": CalibrationMethod.Percentile, "entropy": CalibrationMethod.Entropy}
    method = methods[recipe.calibration]
    calibrator: Any = create_calibrator(
        graph,
        list(recipe.operators) or None,
        augmented_model_path=str(scratch / "augmented.onnx"),
        calibrate_method=method,
        use_external_data_format=True,
    )
    bins = _BINS[recipe.calibration]
    collector = HistogramCollector(
        method=recipe.calibration,
        symmetric=False,
        num_bins=bins,
        num_quantized_bins=_QUANTIZED_BINS,
        percentile=recipe.percentile,
        scenario="same",
    )
    found = _histograms(calibrator, feeds, bins)
    collector.histogram_dict = {name: one.as_collected() for name, one in found.items()}
    ranges = scratch / "ranges.json"
    save_tensors_data(TensorsData(method, collector.compute_collection_result()), ranges)
    return ranges


class _Histogram:
    """Counts of the values of one tensor; its extremes are found first.

    Attributes:
        least: The least value.
        most: The largest.
    """

    def __init__(self, values: Array) -> None:
        self.least = values.min()
        self.most = values.max()
        self._counts: Array = np.zeros(0, np.int64)

    def widen(self, values: Array) -> None:
        """Take these values in."""
        self.least = min(self.least, values.min())
        self.most = max(self.most, values.max())

    @property
    def reach(self) -> float:
        """The largest absolute value; a tensor of zeros has a histogram all the same."""
        return max(abs(float(self.least)), abs(float(self.most))) or 1.0

    def count(self, values: Array, bins: int) -> None:
        """Count these values in bins over both signs; `numpy.histogram` takes several times as long."""
        places = ((values.astype(np.float64) / self.reach + 1) * (bins / 2)).astype(np.int64)
        found = np.bincount(np.minimum(places, bins - 1), minlength=bins)
        self._counts = self._counts + found if self._counts.size else found

    def as_collected(self) -> tuple[Array, Array, np.floating[Any], np.floating[Any], np.floating[Any]]:
        """As ONNX Runtime's collector has it: counts, edges, the extremes, the largest absolute value."""
        kind = self.least.dtype
        edges = np.linspace(-self.reach, self.reach, self._counts.size + 1).astype(kind)
        return self._counts, edges, self.least, self.most, kind.type(self.reach)


def _histograms(calibrator: Any, feeds: Sequence[Arrays], bins: int) -> dict[str, _Histogram]:
    """Tensor to its histogram."""
    found: dict[str, _Histogram] = {}
    for name, values in _values(calibrator, feeds):
        if name in found:
            found[name].widen(values)
        else:
            found[name] = _Histogram(values)
    for name, values in _values(calibrator, feeds):
        found[name].count(values, bins)
    return found


def _values(calibrator: Any, feeds: Sequence[Arrays]) -> Iterator[tuple[str, Array]]:
    """The finite numbers of each tensor that is calibrated, of one feed after the other."""
    session = calibrator.infer_session
    names = [output.name for output in session.get_outputs()]
    for feed in feeds:
        for name, array in zip(names, session.run(None, feed), strict=True):
            if name in calibrator.tensors_to_calibrate:
                values = array[np.isfinite(array)]
                if values.size:
                    yield name, values
