"""Arrays of many samples in one `.npz` file.

An array that has one shape and type in all samples is stored as one, under `owner//name`; others have an entry for each
sample, under `owner/index/name`. Names of arrays come last, for they may hold anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from edgewright_runtime.wire import Arrays


def write_arrays(path: Path, owners: Mapping[str, Sequence[Arrays]]) -> None:
    """Write the arrays of each owner, such as an engine or a component; all its samples have the same names."""
    made: Arrays = {}
    for owner, samples in owners.items():
        for name in samples[0] if samples else ():
            values = [sample[name] for sample in samples]
            if len({(value.shape, value.dtype) for value in values}) == 1:
                made[f"{owner}//{name}"] = np.stack(values)
            else:
                made |= {f"{owner}/{index}/{name}": value for index, value in enumerate(values)}
    np.savez(path, **made)  # type: ignore[arg-type]


def read_arrays(path: Path) -> dict[str, list[Arrays]]:
    """Owner to the arrays of its samples, in their order; an owner without samples is left out."""
    found: dict[str, dict[int, Arrays]] = {}
    with np.load(path, allow_pickle=False) as file:
        for key in file.files:
            owner, _, rest = key.partition("/")
            index, _, name = rest.partition("/")
            samples = found.setdefault(owner, {})
            stored = file[key]
            if index:
                samples.setdefault(int(index), {})[name] = stored
            else:
                for position in range(len(stored)):
                    # Not the item itself, which of numbers is not an array.
                    samples.setdefault(position, {})[name] = stored[position, ...]
    return {owner: [samples[index] for index in sorted(samples)] for owner, samples in found.items()}
