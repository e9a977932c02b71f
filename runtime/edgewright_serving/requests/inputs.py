"""Inputs of packages out of JSON and forms. Nothing that a client says is taken for a path of this machine."""

from __future__ import annotations

import io
from collections.abc import Mapping

from edgewright_runtime.arrays import read_arrays
from edgewright_runtime.samples import FILE_INPUTS, JSON_INPUTS, PLACE_INPUTS, ROW_INPUT, SERIES_INPUT
from edgewright_serving.packages.served import ARRAYS, Served
from edgewright_serving.requests.bodies import Form, parse_object, parse_value
from edgewright_serving.requests.refusals import RefusalError
from edgewright_serving.requests.values import WORDS, type_of, value_of
from edgewright_targets.errors import first_few, nearest

_FILE_FIELD, _OPTIONS_FIELD = "file", "options"
# Kinds of which a field of a form has JSON.
_JSON_FIELDS = (ROW_INPUT, SERIES_INPUT, *PLACE_INPUTS, *JSON_INPUTS)
# A compressed file may unpack to so many times the size of a request.
_UNPACKED = 8


def sample_of(served: Served, given: object) -> object:
    """The sample that a package takes, out of JSON.

    Args:
        served: The package.
        given: The value of its input; of several inputs an object of them by name. Where all but one may be left out,
            the value of that one alone will do.

    Raises:
        RefusalError: It is something else.
    """
    inputs, needed = served.inputs, served.needed
    if len(needed) == 1 and (len(inputs) == 1 or not (isinstance(given, dict) and set(given) & set(inputs))):
        return value_of(needed[0], inputs[needed[0]], given)
    if not isinstance(given, dict):
        raise RefusalError(400, f"'input' must be an object with {' and '.join(inputs)}; found {type_of(given)}.")
    _check_names(served, given)
    return {name: value_of(name, kind, given[name]) for name, kind in inputs.items() if name in given}


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
    _check_names(served, {**texts, **files})
    found: dict[str, object] = {}
    for name, kind in served.inputs.items():
        if kind == ARRAYS and name in files:
            limit = _UNPACKED * most_bytes
            found[name] = read_arrays(io.BytesIO(files[name]), limit_bytes=limit, name="The file")
        elif name in files:
            if kind not in FILE_INPUTS:
                raise RefusalError(400, f"'{name}' is not a file but {WORDS[kind]}.")
            found[name] = files[name]
        elif name in texts:
            found[name] = _of_field(name, kind, texts[name])
    options = form.text(_OPTIONS_FIELD)
    sample = found if len(served.inputs) > 1 else next(iter(found.values()))
    return sample, parse_object(options) if options else {}


def _of_field(name: str, kind: str, texts: list[str]) -> object:
    if kind == "texts":
        return value_of(name, kind, texts)
    if kind in ("number", "latent"):
        return value_of(name, kind, _number(texts[-1]))
    if kind in _JSON_FIELDS:
        return value_of(name, kind, parse_value(texts[-1]))
    return value_of(name, kind, texts[-1])


def _number(text: str) -> object:
    try:
        return int(text) if text.strip().lstrip("-").isdecimal() else float(text)
    except ValueError:
        return text


def _check_names(served: Served, given: Mapping[str, object]) -> None:
    inputs, needed = served.inputs, served.needed
    if missing := [name for name in needed if name not in given]:
        raise RefusalError(400, f"The package takes {' and '.join(inputs)}; '{missing[0]}' is missing.")
    if unknown := [name for name in given if name not in inputs]:
        raise RefusalError(
            400, f"The package has no input {first_few([repr(unknown[0])])}.", hint=nearest(unknown[0], inputs)
        )
