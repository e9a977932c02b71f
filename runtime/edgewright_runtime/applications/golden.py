"""Golden samples of a whole application: inputs and answers in its package, and how answers are compared with them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edgewright_runtime.errors import PackageError
from edgewright_runtime.gaps import largest_gap, output_size
from edgewright_runtime.samples import pack, unpack

if TYPE_CHECKING:
    from edgewright_runtime.samples import Arrays

# In the package of an application.
GOLDEN_FILE = "golden.npz"
# A handful of inputs and answers; a file that unpacks to more is not ours to load.
_LIMIT_BYTES = 2**30
_MOST_SAMPLES = 1024
_ENTRIES = "samples"


@dataclass(frozen=True)
class WholeSample:
    """One stored sample of an application.

    Attributes:
        inputs: What a call gives, by name; files as their bytes.
        answers: What the float engines of its models answered at build time, by name; None where it is missing.
    """

    inputs: Mapping[str, object]
    answers: Mapping[str, object]


@dataclass(frozen=True)
class Difference:
    """How far an answer is from the stored one.

    Attributes:
        largest: Of all numbers, the largest difference as a share of the stored number (or of 1).
        place: Where something differs that is no matter of degree, such as a text, and how; empty where nothing does.
    """

    largest: float = 0.0
    place: str = ""


def write_whole_golden(path: Path, samples: Sequence[WholeSample]) -> None:
    """Write samples in the form that `read_whole_golden` reads; the same samples give the same bytes."""
    import numpy as np

    arrays: Arrays = {}
    entries = [
        {
            "inputs": pack(dict(one.inputs), f"{index}/input", arrays, paths=False),
            "answers": pack(dict(one.answers), f"{index}/answer", arrays, paths=False),
        }
        for index, one in enumerate(samples)
    ]
    arrays[_ENTRIES] = np.frombuffer(json.dumps(entries).encode(), dtype=np.uint8)
    np.savez(path, **arrays)  # type: ignore[arg-type]


def read_whole_golden(path: Path) -> tuple[WholeSample, ...]:
    """The stored samples in the file `path`.

    Raises:
        PackageError: The file is not what `write_whole_golden` writes.
    """
    from edgewright_runtime.arrays import ArraysError, read_arrays

    try:
        arrays = read_arrays(path, limit_bytes=_LIMIT_BYTES)
        entries = list(json.loads(arrays.pop(_ENTRIES).tobytes()))
        if len(entries) > _MOST_SAMPLES:
            raise PackageError(f"'{path}' has {len(entries)} golden samples; {_MOST_SAMPLES} are allowed.")
        # No paths: a package must not make its reader open files of its choice.
        return tuple(
            WholeSample(
                dict(unpack(entry["inputs"], arrays, paths=False)), dict(unpack(entry["answers"], arrays, paths=False))
            )
            for entry in entries
        )
    except ArraysError as error:
        raise PackageError(f"The golden samples cannot be read: {error.message}") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise PackageError(f"'{path}': the golden samples cannot be read: {error}.") from error


def stored_form(value: object) -> object:
    """A value as `pack` and `unpack` give it back: what an answer is before it is compared with a stored one."""
    arrays: Arrays = {}
    packed = pack(value, "value", arrays, paths=False)
    return unpack(json.loads(json.dumps(packed)), arrays, paths=False)


def difference(found: object, stored: object, place: str) -> Difference:
    """Compare an answer with a stored one, both in their `stored_form`.

    Texts, whole numbers, and the lengths of lists have to be equal; other numbers may differ by some share.

    Args:
        found: The answer.
        stored: What it is compared with.
        place: What messages call it.
    """
    import numpy as np

    if isinstance(stored, dict) and isinstance(found, dict) and stored.keys() == found.keys():
        return _worst([difference(found[key], stored[key], f"{place}.{key}") for key in stored])
    if isinstance(stored, list) and isinstance(found, list) and len(stored) == len(found):
        return _worst([difference(found[index], one, f"{place}[{index}]") for index, one in enumerate(stored)])
    if isinstance(stored, np.ndarray) and isinstance(found, np.ndarray) and found.shape == stored.shape:
        gap = largest_gap(found, stored) / output_size(stored)
        return Difference(gap) if gap < float("inf") else Difference(0.0, f"{place} has other values")
    if isinstance(stored, float) and isinstance(found, float):
        gap = largest_gap(np.array(found), np.array(stored)) / output_size(np.array(stored))
        return Difference(gap) if gap < float("inf") else Difference(0.0, f"{place} is {found} and should be {stored}")
    if type(stored) is type(found) and not isinstance(stored, (dict, list, np.ndarray)) and stored == found:
        return Difference()
    return Difference(0.0, f"{place} is {_shown(found)} and should be {_shown(stored)}")


def _worst(found: Sequence[Difference]) -> Difference:
    places = [one.place for one in found if one.place]
    return Difference(max((one.largest for one in found), default=0.0), places[0] if places else "")


def _shown(value: object) -> str:
    if isinstance(value, (list, dict)):
        return f"a {type(value).__name__} of {len(value)} values"
    text = "missing" if value is None else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
