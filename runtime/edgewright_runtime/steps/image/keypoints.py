"""Heatmaps to keypoints: the highest place of each map, between its pixels, in the picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from edgewright_runtime.errors import SampleError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgewright_runtime.answer_types import FoundPose, Keypoint
    from edgewright_runtime.package import Package
    from edgewright_runtime.steps.image.region import Region
    from edgewright_runtime.steps.values import NamedValues

    Floats = NDArray[np.float32]

# Of the Gaussian, in pixels of a map, and what maps are cut to before their logarithm is taken: transformers' numbers.
_DEVIATION = 0.8
_LEAST, _MOST = 0.001, 50
_LARGEST_KERNEL = 63


class ReadKeypoints:
    """One heatmap for each keypoint to their places in the picture: what `post_process_pose_estimation` does.

    The highest value of a map says where its keypoint is, and how sure that is. The place between pixels follows from
    the logarithm of the smoothed map around it (DARK, F. Zhang et al., 2020), in the arithmetic of transformers.

    Args:
        package: Holds the labels, which are the names of the keypoints.
        heatmaps: Name of the graph's output, [1, keypoints, rows, columns].
        kernel: Edge of the Gaussian that smooths a map, odd.
    """

    def __init__(self, package: Package, *, heatmaps: str, kernel: int = 11) -> None:
        if kernel % 2 != 1 or not 1 <= kernel <= _LARGEST_KERNEL:
            raise ValueError(f"kernel is {kernel}; it is odd, and {_LARGEST_KERNEL} at most")
        self._labels = package.manifest.labels
        self._heatmaps = heatmaps
        self._kernel = kernel

    def __call__(self, values: NamedValues) -> dict[str, list[FoundPose]]:
        """Add `poses`, a list of one: its `box`, its `score` (the mean of its keypoints') and its `keypoints`.

        Raises:
            SampleError: The output is not one map for each label.
        """
        maps: Floats = values[self._heatmaps]
        expected = f"[1, {len(self._labels)}, rows, columns]: a heatmap for each of {len(self._labels)} labels"
        if maps.ndim != 4 or maps.shape[:2] != (1, len(self._labels)) or min(maps.shape[2:]) < 2:
            raise SampleError(
                f"The model's output '{self._heatmaps}' has the shape {list(maps.shape)}; expected {expected}."
            )
        places, scores = highest(maps[0].astype(np.float32, copy=False), self._kernel)
        region: Region = values["region"]
        step = region.size / np.array([maps.shape[3] - 1.0, maps.shape[2] - 1.0], np.float32)
        found = places * step + region.centre - region.size * np.float32(0.5)
        keypoints: list[Keypoint] = [
            {"label": label, "x": x, "y": y, "score": score}
            for label, (x, y), score in zip(self._labels, found.tolist(), scores.tolist(), strict=True)
        ]
        left, top, width, height = region.box
        box = {"xmin": left, "ymin": top, "xmax": left + width, "ymax": top + height}
        return {"poses": [{"score": float(scores.mean()), "box": box, "keypoints": keypoints}]}


def highest(maps: Floats, kernel: int) -> tuple[Floats, Floats]:
    """Where maps are highest, x and y between their pixels, and how high; shapes (maps, 2) and (maps,).

    A map without a value above 0 is highest at (-1, -1).

    Args:
        maps: Shape (maps, rows, columns).
        kernel: See `ReadKeypoints`.
    """
    count, _, width = maps.shape
    flat = maps.reshape(count, -1)
    scores = flat.max(axis=1)
    y, x = np.divmod(flat.argmax(axis=1), width)
    places = np.stack([x, y], axis=1).astype(np.float32)
    places -= _steps(np.log(np.clip(_smoothed(maps, kernel // 2), _LEAST, _MOST)), x, y)
    return np.where((scores > 0)[:, None], places, np.float32(-1)), scores


def _steps(logs: Floats, x: Any, y: Any) -> NDArray[np.float64]:
    """From a pixel to the top of the parabola through it and its neighbours: Newton's step, (maps, 2)."""
    padded = np.pad(logs, ((0, 0), (1, 1), (1, 1)), mode="edge")
    maps = np.arange(len(logs))

    def at(right: int, down: int) -> Floats:
        found: Floats = padded[maps, y + 1 + down, x + 1 + right]
        return found

    middle, right, left, below, above = at(0, 0), at(1, 0), at(-1, 0), at(0, 1), at(0, -1)
    slope = np.stack([0.5 * (right - left), 0.5 * (below - above)], axis=-1)
    across, down = right - 2 * middle + left, below - 2 * middle + above
    slanted = 0.5 * (at(1, 1) - right - below + middle + middle - left - above + at(-1, -1))
    bends = np.stack([across, slanted, slanted, down], axis=-1).reshape(-1, 2, 2)
    bends = bends + np.finfo(np.float32).eps * np.eye(2)
    try:
        inverse = np.linalg.inv(bends)
    except np.linalg.LinAlgError:  # of one map whose neighbourhood bends in one direction only
        inverse = np.linalg.pinv(bends)
    found: NDArray[np.float64] = np.einsum("kmn,kn->km", inverse, slope)
    return found


def _smoothed(maps: Floats, radius: int) -> Floats:
    """Maps under a Gaussian, rows and columns mirrored at the edges: as scipy's `gaussian_filter`, to the last bit."""
    places = np.arange(-radius, radius + 1)
    weights = np.exp(-0.5 / (_DEVIATION * _DEVIATION) * places**2)
    weights /= weights.sum()
    found = maps
    for axis in (1, 2):
        padded = np.pad(found, [(radius, radius) if axis == at else (0, 0) for at in range(3)], mode="symmetric")
        padded = padded.astype(np.float64)
        size = found.shape[axis]

        def moved(by: int, padded: Any = padded, axis: int = axis, size: int = size) -> Any:
            return padded.take(range(radius + by, radius + by + size), axis=axis)

        total = moved(0) * weights[radius]
        for by in range(radius, 0, -1):
            total += (moved(-by) + moved(by)) * weights[radius - by]
        found = total.astype(np.float32)
    return found
