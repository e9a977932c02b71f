"""What generators of pictures are given, and what they give: a seed to a latent, an array to a picture."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from edgewright_runtime.errors import SampleError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edgewright_runtime.steps.values import NamedValues
    from edgewright_runtime.wire import Arrays

    Array = np.ndarray[Any, Any]

# NumPy's oldest generator takes no other seeds.
_LARGEST_SEED = 2**32 - 1
# Latents and noise of the largest generators have some millions.
_MOST_NUMBERS = 2**27


class DrawLatent:
    """A seed, or arrays, to the inputs of a generator: latents and noise, all float32.

    A seed draws all inputs in their order from NumPy's `RandomState`, whose numbers are the same in every version of
    NumPy and on every machine; the first input of a normal distribution is what `RandomState(seed).randn` gives.
    Of arrays, an input that is not given is drawn with the seed 0.

    Args:
        inputs: `name` and `shape` of each input, in the order in which they are drawn; the shape is that for one
            picture, the first axis that of pictures.
        distribution: `normal` (mean 0, deviation 1) or `uniform` (from -1 to 1).
    """

    def __init__(
        self,
        *,
        inputs: Sequence[Mapping[str, Any]],
        distribution: Literal["normal", "uniform"] = "normal",
    ) -> None:
        if distribution not in ("normal", "uniform"):
            raise ValueError(f"distribution is {distribution!r}")
        self._shapes = {str(entry["name"]): tuple(int(size) for size in entry["shape"]) for entry in inputs}
        if not self._shapes or min(size for shape in self._shapes.values() for size in (1, *shape)) < 1:
            raise ValueError("a shape is not positive, or there is none")
        if sum(math.prod(shape) for shape in self._shapes.values()) > _MOST_NUMBERS:
            raise ValueError(f"its inputs have more than {_MOST_NUMBERS} numbers")
        self._uniform = distribution == "uniform"

    def __call__(self, values: NamedValues) -> Arrays:
        """Add the inputs.

        Raises:
            SampleError: `latent` is neither a seed nor an array, nor arrays by name, that fit.
        """
        given = values["latent"]
        if isinstance(given, str) and given.strip().isascii() and given.strip().isdigit():
            # A cell of a table.
            given = int(given)
        if isinstance(given, (int, np.integer)) and not isinstance(given, bool):
            return self._drawn(int(given), self._shapes, 1)
        if isinstance(given, np.ndarray):
            given = {next(iter(self._shapes)): given}
        if not isinstance(given, dict) or not given:
            raise SampleError(f"The model takes a seed, or a latent as an array; found {type(given).__name__}.")
        return self._completed(given)

    def _completed(self, given: Mapping[str, object]) -> dict[str, Array]:
        if unknown := [name for name in given if name not in self._shapes]:
            raise SampleError(f"The model has no input '{unknown[0]}'; it has {', '.join(self._shapes)}.")
        arrays = {name: self._fitted(name, np.asarray(value)) for name, value in given.items()}
        counts = {name: len(array) for name, array in arrays.items()}
        if len(set(counts.values())) != 1:
            raise SampleError(f"The arrays are for different numbers of pictures: {counts}.")
        drawn = self._drawn(0, self._shapes, next(iter(counts.values())))
        return {name: arrays.get(name, drawn[name]) for name in self._shapes}

    def _fitted(self, name: str, array: Array) -> Array:
        """The array in the input's shape; without an axis of pictures, or with axes of 1 left out, it fits as well."""
        shape = self._shapes[name]
        size = int(np.prod(shape[1:], dtype=np.int64))
        if array.dtype.kind not in "fiu" or not array.size or array.size % size:
            raise SampleError(
                f"'{name}' is {array.dtype} {list(array.shape)}; the model takes floats of {list(shape)}."
            )
        pictures = array.size // size
        wanted = tuple(edge for edge in shape[1:] if edge != 1)
        found = [edge for edge in (array.shape if pictures == 1 else array.shape[1:]) if edge != 1]
        if tuple(found) != wanted or (pictures > 1 and array.shape[0] != pictures):
            raise SampleError(f"'{name}' has the shape {list(array.shape)}; the model takes {list(shape)}.")
        made = array.astype(np.float32).reshape(pictures, *shape[1:])
        if not np.isfinite(made).all():
            raise SampleError(f"'{name}' has NaN or infinite values.")
        return made

    def _drawn(self, seed: int, shapes: Mapping[str, tuple[int, ...]], pictures: int) -> dict[str, Array]:
        if not 0 <= seed <= _LARGEST_SEED:
            raise SampleError(f"The seed is {seed}; it must be from 0 to {_LARGEST_SEED}.")
        random = np.random.RandomState(seed)
        made = {}
        for name, shape in shapes.items():
            whole = (pictures, *shape[1:])
            values = random.uniform(-1, 1, whole) if self._uniform else random.standard_normal(whole)
            made[name] = values.astype(np.float32)
        return made


class ToPicture:
    """The output of a generator to a picture of 8 bits a channel.

    Args:
        output: Name of the graph's output, [pictures, channels, height, width] of 1 or 3 channels; or with the channels
            last.
        low: The value that is black.
        high: The value that is white.
    """

    def __init__(
        self,
        *,
        output: str,
        low: float = -1.0,
        high: float = 1.0,
    ) -> None:
        if not low < high:
            raise ValueError(f"low is {low} and high is {high}")
        self._output = output
        self._low = float(low)
        self._scale = 255 / (float(high) - self._low)

    def __call__(self, values: NamedValues) -> Arrays:
        """Add `picture`, uint8 [height, width, 3] or [height, width]; several at once as [pictures, ...].

        What is not a number is black.

        Raises:
            SampleError: The output is not a picture.
        """
        array = values[self._output]
        if array.ndim == 4 and array.shape[1] not in (1, 3) and array.shape[3] in (1, 3):
            array = np.moveaxis(array, 3, 1)
        if array.ndim != 4 or array.shape[1] not in (1, 3):
            raise SampleError(
                f"The model's output '{self._output}' has the shape {list(array.shape)}, which is not a picture: "
                "expected [pictures, 1 or 3 channels, height, width]."
            )
        # Half a level is added and the rest cut off: rounding as torchvision's save_image does it.
        levels = (np.nan_to_num(array, posinf=np.inf, neginf=-np.inf) - self._low) * self._scale + 0.5
        pictures = np.moveaxis(np.clip(levels, 0, 255).astype(np.uint8), 1, 3)
        pictures = pictures[..., 0] if pictures.shape[3] == 1 else pictures
        return {"picture": np.ascontiguousarray(pictures[0] if len(pictures) == 1 else pictures)}
