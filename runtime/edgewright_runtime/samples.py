"""Samples: what a person has for one call, and how it travels to a worker or into a package.

A sample is a text, a file (its path, or its bytes), an array, or several of these by name. A pipeline says which: its
`input` is a name such as `text` or `image`, several names joined with `+` such as `question+context`, or `*` for named
arrays of any names. Names in `FILE_INPUTS` are files, those in `LIST_INPUTS` lists of texts, those in `PLACE_INPUTS`
places in a picture, which a sample may lack; `latent` is a seed, an array or named arrays, `row` a dict of the columns
of a table, `series` an array of values or a dict of columns to lists of them, `words` are
the words of a document, and `boxes` a box for each of them; others are texts.
"""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgewright_runtime.errors import SampleError

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]
    Arrays = dict[str, Array]

ARRAYS_INPUT = "*"
LATENT_INPUT = "latent"
# A row of a table: a dict of its columns, whose cells are numbers or texts.
ROW_INPUT = "row"
# The values of a series in the order of time: an array, or a dict of its columns.
SERIES_INPUT = "series"
# Inputs that are lists of texts.
LIST_INPUTS = ("passages",)
# Inputs that are places in a picture: a box [x, y, width, height], or a list of points. A sample may lack them.
PLACE_INPUTS = ("box", "points")
# Inputs that are lists of other things as well, which tables and command lines have as JSON.
JSON_INPUTS = ("boxes", "words")
# Inputs that are files; a step decodes them.
FILE_INPUTS = ("audio", "image", "video")
# Answers travel beside the outputs of the graph under this name, which is not an identifier.
ANSWER = "(answer)"
# In the file of an answer with arrays: the name of the answer itself, and what the names of its arrays begin with.
_PACKED, _PACKED_ARRAYS = "answer", "array"


def input_names(pipeline_input: str) -> tuple[str, ...]:
    """The names in a pipeline's `input`; none where it takes named arrays."""
    return () if pipeline_input == ARRAYS_INPUT else tuple(pipeline_input.split("+"))


def needed_names(pipeline_input: str) -> tuple[str, ...]:
    """The names of `input_names` that every sample has."""
    return tuple(name for name in input_names(pipeline_input) if name not in PLACE_INPUTS)


def named_values(sample: Any, pipeline_input: str) -> dict[str, object]:
    """A sample as the named values that the first step finds.

    Raises:
        SampleError: It is not what the pipeline takes.
    """
    names, needed = input_names(pipeline_input), needed_names(pipeline_input)
    if len(names) == 1 or (len(needed) == 1 and not isinstance(sample, dict)):
        return {needed[0]: sample}
    if not isinstance(sample, dict):
        takes = f"a dict with {' and '.join(names)}" if names else "named arrays"
        raise SampleError(f"The model takes {takes}; found {type(sample).__name__}.")
    if missing := [name for name in needed if name not in sample]:
        raise SampleError(f"The model takes {' and '.join(names)}; {', '.join(missing)} is missing.")
    # A name that is spelt wrong would be as good as none.
    if len(needed) < len(names) and (unknown := [name for name in sample if name not in names]):
        raise SampleError(
            f"The model has no input '{str(unknown[0])[:60]}'; it takes {' and '.join(needed)}, and may be given "
            f"{' and '.join(name for name in names if name not in needed)}."
        )
    return dict(sample)


def size_of(sample: Any) -> int:
    """A number that grows with the work that a sample makes: characters, bytes."""
    if isinstance(sample, dict):
        return sum(size_of(part) for part in sample.values())
    if isinstance(sample, (list, tuple)):
        return sum(size_of(part) for part in sample)
    if isinstance(sample, Path):
        return sample.stat().st_size
    if isinstance(sample, (str, bytes)):
        return len(sample)
    return int(getattr(sample, "nbytes", 0))


def pack(sample: Any, key: str, arrays: Arrays, *, paths: bool) -> Any:
    """A sample as JSON; what JSON has no word for is added to `arrays`, under names that begin with `key`.

    Args:
        sample: What to pack.
        key: Where in `arrays`.
        arrays: Gets arrays, and the bytes of files.
        paths: Leave a file where it is and name its path: for a reader on the same machine.
    """
    import numpy as np

    if sample is None or isinstance(sample, (str, bool, int, float)):
        return sample
    if isinstance(sample, dict):
        return {"named": {name: pack(part, f"{key}/{name}", arrays, paths=paths) for name, part in sample.items()}}
    if isinstance(sample, (list, tuple)):
        return [pack(part, f"{key}/{index}", arrays, paths=paths) for index, part in enumerate(sample)]
    if isinstance(sample, Path) and not paths and sample.is_dir():
        # A folder of the frames of a video.
        files = sorted(file for file in sample.iterdir() if file.name[0] != "." and file.is_file())
        return pack({"frames": files}, key, arrays, paths=False)
    if isinstance(sample, Path) and paths:
        return {"path": str(sample.absolute())}
    if isinstance(sample, (Path, bytes)):
        data = sample if isinstance(sample, bytes) else sample.read_bytes()
        arrays[key] = np.frombuffer(data, dtype=np.uint8)
        return {"bytes": key}
    arrays[key] = np.asarray(sample)
    return {"array": key}


def unpack(packed: Any, arrays: Arrays, *, paths: bool) -> Any:
    """The sample that `pack` packed. Files come as their bytes, or as paths where `paths` allows them.

    Raises:
        KeyError, TypeError, ValueError: This is nothing that `pack` makes, or it names a path and must not.
    """
    if isinstance(packed, list):
        return [unpack(part, arrays, paths=paths) for part in packed]
    if not isinstance(packed, dict):
        return packed
    ((kind, value),) = packed.items()
    if kind == "named":
        return {str(name): unpack(part, arrays, paths=paths) for name, part in value.items()}
    if kind == "path" and paths:
        return Path(value)
    if kind == "bytes":
        return arrays[value].tobytes()
    if kind == "array":
        return arrays[value]
    raise ValueError(f"a sample of the kind {kind!r}")


def pack_answer(answer: Any) -> Array:
    """An answer as an array of bytes: JSON, or a compressed `.npz` file where it holds arrays, such as masks."""
    import numpy as np

    try:
        text = json.dumps(answer)
    except TypeError:
        arrays: Arrays = {}
        packed = json.dumps(pack(answer, _PACKED_ARRAYS, arrays, paths=False)).encode()
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **{_PACKED: np.frombuffer(packed, dtype=np.uint8)}, **arrays)  # type: ignore[arg-type]
        return np.frombuffer(buffer.getvalue(), dtype=np.uint8)
    return np.frombuffer(text.encode(), dtype=np.uint8)


def unpack_answer(packed: Array) -> Any:
    """The answer that `pack_answer` packed.

    Raises:
        Exception: This is nothing that `pack_answer` makes.
    """
    import numpy as np

    data = bytes(packed)
    if not data.startswith(b"PK"):
        return json.loads(data)
    with np.load(io.BytesIO(data), allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    return unpack(json.loads(bytes(arrays.pop(_PACKED))), arrays, paths=False)
