"""Strict reading of plain data (TOML, JSON) into frozen dataclasses, and back.

One reader serves target files, package metadata and results, so that every file is refused in the same words: the
place, what was found, what is allowed. Supported field types: `str`, `bool`, `int`, `float`, `object` and `Any`, tuples
of one type or of as many as they have values, dicts with `str` keys, `X | None`, unions of scalars, literals and nested
dataclasses.
"""

from __future__ import annotations

import dataclasses
import functools
import types
import typing
from collections.abc import Mapping
from typing import Any, Literal, TypeVar, Union

from edgewright_targets.errors import InputError, nearest

T = TypeVar("T")

# Characters that messages show of a value or a key.
_SHOWN = 60
# Key in a field's metadata; see `added_in`.
_ADDED_IN = "added in format"
# Whole numbers of TOML, ONNX and numpy have 64 bits.
_LARGEST = 2**63


def added_in(number: int) -> dict[str, int]:
    """The metadata of a field that came with this number of the package's format.

    Where it has its default it is not written: older readers do not know it, and need not.
    """
    return {_ADDED_IN: number}


# The same for records that have no number, such as evidence.
ADDED_LATER = added_in(0)


def format_needed(record: object) -> int:
    """The number of the format that knows all fields that `write_record` writes; 0 where none came later."""
    if dataclasses.is_dataclass(record) and not isinstance(record, type):
        pairs = [(field, getattr(record, field.name)) for field in dataclasses.fields(record)]
        written = [(field.metadata.get(_ADDED_IN, 0), value) for field, value in pairs if not _left_out(field, value)]
        return max((max(number, format_needed(value)) for number, value in written), default=0)
    if isinstance(record, Mapping):
        return max(map(format_needed, record.values()), default=0)
    if isinstance(record, list | tuple):
        return max(map(format_needed, record), default=0)
    return 0


class RecordError(InputError):
    """Data does not have the declared form; the message begins with the place.

    Attributes:
        keys: The way to the place, of keys and indices of lists: who has the text finds the line by it.
    """

    def __init__(self, message: str, *, hint: str = "", keys: tuple[str | int, ...] = ()) -> None:
        super().__init__(message, hint=hint)
        self.keys = keys


def read_record(kind: type[T], data: object, where: str) -> T:
    """Build the dataclass `kind` from `data`; `where` names the place for messages, such as `pi.toml: candidate 2`.

    Raises:
        RecordError: A key is unknown or missing, or a value has the wrong type.
    """
    if not isinstance(data, Mapping):
        raise RecordError(f"{where}: expected a table of {kind.__name__} fields, found {_kind_of(data)}.")
    hints = _type_hints(kind)  # type: ignore[arg-type] # mypy: a class is hashable, whatever T is
    fields = {field.name: field for field in dataclasses.fields(kind) if field.init}  # type: ignore[arg-type]
    for key in data:
        if key not in fields:
            shown = str(key)[:_SHOWN]
            raise RecordError(f"{where}: unknown key '{shown}'.", hint=nearest(shown, fields), keys=(str(key),))
    values: dict[str, object] = {}
    for name, field in fields.items():
        if name in data:
            values[name] = _read_below(hints[name], data[name], f"{where}: {name}", name)
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            if type(None) in typing.get_args(hints[name]):
                # `write_record` leaves out what is None.
                values[name] = None
                continue
            raise RecordError(f"{where}: the key '{name}' is missing.")
    return kind(**values)


@functools.cache
def _type_hints(kind: type[object]) -> Mapping[str, object]:
    # Python evaluates the annotations anew at each call, and a manifest holds many records of few kinds.
    return typing.get_type_hints(kind)


def _read_below(hint: object, value: object, where: str, key: str | int) -> object:
    try:
        return _read_value(hint, value, where)
    except RecordError as error:
        error.keys = (key, *error.keys)
        raise


def _read_value(hint: object, value: object, where: str) -> object:
    origin = typing.get_origin(hint)
    arguments = typing.get_args(hint)
    if hint in (Any, object):
        return value
    if origin in (Union, types.UnionType):
        return _read_union(arguments, value, where)
    if origin is Literal:
        if value not in arguments:
            allowed = ", ".join(repr(a) for a in arguments)
            raise RecordError(f"{where}: {_shown(value)} is not allowed. Allowed: {allowed}.")
        return value
    if origin is tuple:
        return _read_tuple(arguments, value, where)
    if origin is dict:
        if not isinstance(value, Mapping):
            raise RecordError(f"{where}: expected a table, found {_kind_of(value)}.")
        items = ((str(key), item) for key, item in value.items())
        return {key: _read_below(arguments[1], item, f"{where}.{key[:_SHOWN]}", key) for key, item in items}
    if dataclasses.is_dataclass(hint):
        return read_record(typing.cast("type[object]", hint), value, where)
    return _read_scalar(hint, value, where)


def _read_tuple(arguments: tuple[object, ...], value: object, where: str) -> tuple[object, ...]:
    if not isinstance(value, list | tuple):
        raise RecordError(f"{where}: expected a list, found {_kind_of(value)}.")
    kinds = arguments[:1] * len(value) if arguments[-1] is Ellipsis else arguments
    if len(value) != len(kinds):
        raise RecordError(f"{where}: expected {len(kinds)} values, found {len(value)}.")
    pairs = enumerate(zip(kinds, value, strict=True))
    return tuple(_read_below(kind, item, f"{where}[{index}]", index) for index, (kind, item) in pairs)


def _read_union(arguments: tuple[object, ...], value: object, where: str) -> object:
    if value is None and type(None) in arguments:
        return None
    kinds = [a for a in arguments if a is not type(None)]
    if len(kinds) == 1:
        return _read_value(kinds[0], value, where)
    for kind in kinds:
        if _is_a(kind, value):
            return _read_scalar(kind, value, where)
    expected = " or ".join(kind.__name__ for kind in kinds if isinstance(kind, type))
    raise RecordError(f"{where}: expected {expected}, found {_kind_of(value)}.")


def _is_a(kind: object, value: object) -> bool:
    assert isinstance(kind, type), "unions are of scalars"
    if isinstance(value, bool):
        return kind is bool
    return isinstance(value, kind) or (kind is float and isinstance(value, int))


def _read_scalar(kind: object, value: object, where: str) -> object:
    assert isinstance(kind, type), f"fields of the type {kind} are not supported"
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            raise RecordError(f"{where}: the number is too large.") from None
    # bool is an int in Python; a target file that says `cores = true` is wrong all the same.
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise RecordError(f"{where}: expected {kind.__name__}, found {_kind_of(value)}.")
    # JSON has numbers of any length; what is divided or handed to a library later has to fit there.
    if kind is int and isinstance(value, int) and not -_LARGEST <= value < _LARGEST:
        raise RecordError(f"{where}: the number is too large.")
    return value


def _kind_of(value: object) -> str:
    if value is None:
        return "nothing"
    return f"{type(value).__name__} {_shown(value)}"


def _shown(value: object) -> str:
    """A value for messages: not longer than a person reads."""
    # Python refuses to write out a number of more than 4,300 digits.
    if isinstance(value, int) and abs(value) > 10**_SHOWN:
        return "of many digits"
    text = repr(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."


def write_record(record: object) -> Any:
    """The plain data of a dataclass, ready for `json.dumps`: tuples become lists, fields that are None are left out.

    So is a field that was `added_in` a later format and has its default.
    """
    if dataclasses.is_dataclass(record) and not isinstance(record, type):
        pairs = ((field, getattr(record, field.name)) for field in dataclasses.fields(record))
        return {field.name: write_record(value) for field, value in pairs if not _left_out(field, value)}
    if isinstance(record, Mapping):
        return {key: write_record(value) for key, value in record.items()}
    if isinstance(record, list | tuple):
        return [write_record(item) for item in record]
    return record


def _left_out(field: dataclasses.Field[Any], value: object) -> bool:
    return value is None or (_ADDED_IN in field.metadata and value == field.default)
