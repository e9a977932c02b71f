"""A comparison's published form as a JSON Schema, made from its dataclasses; `python -m` of this module prints it."""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from typing import Union

from edgewright_benchmarks.gate.comparison import SCHEMA, GateResult

_SCALARS = {str: "string", bool: "boolean", int: "integer", float: "number"}


def comparison_schema() -> dict[str, object]:
    """The JSON Schema of what `edgewright compare --json` prints."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": SCHEMA,
        "description": "What 'edgewright compare --json' prints. Readers ignore keys that they do not know.",
        **_schema(GateResult),
    }


def _schema(hint: object) -> dict[str, object]:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        return {"enum": list(arguments)}
    if origin is tuple:
        return {"type": "array", "items": _schema(arguments[0])}
    if origin in (Union, types.UnionType):
        (inner,) = (one for one in arguments if one is not type(None))
        return _schema(inner)
    if dataclasses.is_dataclass(hint):
        hints = typing.get_type_hints(hint)
        fields = dataclasses.fields(hint)
        return {
            "type": "object",
            "properties": {field.name: _schema(hints[field.name]) for field in fields},
            # What is None is left out.
            "required": [field.name for field in fields if type(None) not in typing.get_args(hints[field.name])],
        }
    assert isinstance(hint, type), hint
    return {"type": _SCALARS[hint]}


if __name__ == "__main__":
    print(json.dumps(comparison_schema(), indent=2))
