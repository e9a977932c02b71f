"""Inputs of packages out of JSON and forms. Nothing that a client says is taken for a path of this machine."""

from __future__ import annotations

import base64
import binascii
import io
from collections.abc import Callable, Mapping

import numpy as np

from edgewright_runtime.arrays import read_arrays
from edgewright_runtime.samples import FILE_INPUTS
from edgewright_serving.packages.served import ARRAYS, Served
from edgewright_serving.requests.bodies import Form, parse_object
from edgewright_serving.requests.refusals import RefusalError
from edgewright_targets.errors import first_few, nearest

_FILE_FIELD, _OPTIONS_FIELD = "file", "options"
_BASE64, _DATA_URL = "base64", "data:"
_MOST_TEXTS = 1024
# Arrays of numbers have these types; what is not said is float32, int64 or bool by its values.
_TYPES = (
    "bool", "float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
)  # fmt: skip
# A compressed file may unpack to so many times the size of a request.
_UNPACKED = 8


def sample_of(served: Served, given: object) -> object:
    """The sample that a package takes, out of JSON.

    Args:
        served: The package.
        given: The value of its input; of several inputs an object of them by name.

    Raises:
        RefusalError: It is something else.
    """
    inputs = served.inputs
    if len(inputs) == 1:
        ((name, kind),) = inputs.items()
        return _value(name, kind, given)
    if not isinstance(given, dict):
        raise RefusalError(400, f"'input' must be an object with {' and '.join(inputs)}; found {_type(given)}.")
    _check_names(inputs, given)
    return {name: _value(name, kind, given[name]) for name, kind in inputs.items()}


def sample_of_form(served: Served, form: Form, most_bytes: int) -> tuple[object, dict[str, object]]:
    """The sample and the options of a call, out of a form.

    A field is named as its input; the only file may be called `file`. `options` is a JSON object.

    Args:
        served: The package.
        form: What was sent.
        most_bytes: Of a request.

    Raises:
        RefusalError: It is something else.
        ArraysError: A file of arrays cannot be read.
    """
    files = dict(form.files)
    wanted = [name for name, kind in served.inputs.items() if kind in (*FILE_INPUTS, ARRAYS)]
    if _FILE_FIELD in files and len(wanted) == 1:
        files[wanted[0]] = files.pop(_FILE_FIELD)
    texts = {name: values for name, values in form.fields.items() if name != _OPTIONS_FIELD}
    _check_names(served.inputs, {**texts, **files})
    found: dict[str, object] = {}
    for name, kind in served.inputs.items():
        if kind == ARRAYS and name in files:
            limit = _UNPACKED * most_bytes
            found[name] = read_arrays(io.BytesIO(files[name]), limit_bytes=limit, name="The file")
        elif name in files:
            if kind not in FILE_INPUTS:
                raise RefusalError(400, f"'{name}' is not a file but {_WORDS[kind]}.")
            found[name] = files[name]
        else:
            found[name] = _of_field(name, kind, texts[name])
    options = form.text(_OPTIONS_FIELD)
    sample = found if len(found) > 1 else next(iter(found.values()))
    return sample, parse_object(options) if options else {}


def _of_field(name: str, kind: str, texts: list[str]) -> object:
    if kind == "texts":
        return _value(name, kind, texts)
    if kind in ("number", "latent"):
        return _value(name, kind, _number(texts[-1]))
    if kind == "row":
        return _value(name, kind, parse_object(texts[-1]))
    return _value(name, kind, texts[-1])


def _number(text: str) -> object:
    try:
        return int(text) if text.strip().lstrip("-").isdecimal() else float(text)
    except ValueError:
        return text


def _check_names(inputs: Mapping[str, str], given: Mapping[str, object]) -> None:
    if missing := [name for name in inputs if name not in given]:
        raise RefusalError(400, f"The package takes {' and '.join(inputs)}; '{missing[0]}' is missing.")
    if unknown := [name for name in given if name not in inputs]:
        raise RefusalError(
            400, f"The package has no input {first_few([repr(unknown[0])])}.", hint=nearest(unknown[0], inputs)
        )


def _value(name: str, kind: str, given: object) -> object:
    made = _KINDS[kind](given)
    if made is None:
        raise RefusalError(400, f"'{name}' must be {_WORDS[kind]}; found {_type(given)}.", hint=_HINTS.get(kind, ""))
    return made


def _text(given: object) -> str | None:
    return given if isinstance(given, str) else None


def _texts(given: object) -> list[str] | None:
    right = isinstance(given, list) and len(given) <= _MOST_TEXTS and all(isinstance(one, str) for one in given)
    return list(given) if right and isinstance(given, list) else None


def _file(given: object) -> bytes | None:
    """Bytes out of `{"base64": ...}` or a data URL; a text alone could be a path, and is not taken."""
    if isinstance(given, dict) and set(given) == {_BASE64}:
        return _decoded(given[_BASE64])
    if isinstance(given, str) and given.startswith(_DATA_URL):
        head, comma, data = given.partition(",")
        return _decoded(data) if comma and head.endswith(f";{_BASE64}") else None
    return None


def _decoded(data: object) -> bytes | None:
    if not isinstance(data, str):
        return None
    try:
        return base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError) as error:
        raise RefusalError(400, f"This is not base64: {error}.") from error


def _audio(given: object) -> object:
    if isinstance(given, dict) and set(given) == {"array", "sampling_rate"} and isinstance(given["sampling_rate"], int):
        return {"array": _array("array", given["array"]), "sampling_rate": given["sampling_rate"]}
    return _file(given)


def _row(given: object) -> dict[str, object] | None:
    cells = (str, int, float, bool, type(None))
    right = isinstance(given, dict) and all(isinstance(cell, cells) for cell in given.values())
    return dict(given) if right and isinstance(given, dict) else None


def _plain_number(given: object) -> float | None:
    return given if isinstance(given, int | float) and not isinstance(given, bool) else None


def _latent(given: object) -> object:
    if isinstance(given, int) and not isinstance(given, bool):
        return given
    return _arrays(given)


def _arrays(given: object) -> dict[str, np.ndarray[tuple[int, ...], np.dtype[np.generic]]] | None:
    if not isinstance(given, dict):
        return None
    return {name: _array(name, value) for name, value in given.items()}


def _array(name: str, given: object) -> np.ndarray[tuple[int, ...], np.dtype[np.generic]]:
    """Lists of lists, or `{"type": ..., "values": ...}`."""
    kind = None
    if isinstance(given, dict) and "values" in given:
        kind, given = given.get("type"), given["values"]
        if kind is not None and kind not in _TYPES:
            raise RefusalError(400, f"'{name}' has an unknown type.", hint=f"Known: {', '.join(_TYPES)}.")
    try:
        array = np.array(given)
        if kind is None and array.dtype.kind == "f":
            kind = "float32"
        made = array if kind is None else array.astype(str(kind))
    except (ValueError, TypeError, OverflowError) as error:
        raise RefusalError(400, f"'{name}' is not an array: {error}.") from error
    if made.dtype.kind not in "biufU" or array.dtype.kind not in "biufU":
        raise RefusalError(400, f"'{name}' is not an array of numbers or texts.")
    return made


def _type(given: object) -> str:
    names = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "nothing"}
    return names.get(type(given), "a number")


_KINDS: dict[str, Callable[[object], object]] = {
    "text": _text,
    "texts": _texts,
    "audio": _audio,
    "image": _file,
    "video": _file,
    "number": _plain_number,
    "latent": _latent,
    "row": _row,
    ARRAYS: _arrays,
}
_WORDS = {
    "text": "a text",
    "texts": f"a list of at most {_MOST_TEXTS} texts",
    "audio": "an audio file",
    "image": "an image",
    "video": "a video",
    "number": "a number",
    "latent": "a seed, or an object of arrays",
    "row": "an object of the columns of a row",
    ARRAYS: "an object of named arrays",
}
_AS_FILE = 'Send the file in a form (multipart/form-data), or as {"base64": "..."}.'
_HINTS = dict.fromkeys(FILE_INPUTS, _AS_FILE)
