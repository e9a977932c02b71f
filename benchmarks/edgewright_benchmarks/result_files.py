"""A `Result` as a file of JSON: written with a digest of its content, and read back strictly.

>>> from edgewright_benchmarks.result_files import read_result
>>> result = read_result("bench.json")                                      # doctest: +SKIP
>>> result.engine(result.chosen).latency.p50                                # doctest: +SKIP
0.00087
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from edgewright_benchmarks.result import SCHEMA, Result
from edgewright_runtime.responses import ResponseError
from edgewright_targets import InputError
from edgewright_targets.record import RecordError, read_record, write_record

# Sixteen targets with all their engines have less than one MiB.
_LIMIT_BYTES = 32 * 2**20
# Characters that a message shows of names.
_SHOWN = 200


def write_result(result: Result, path: Path) -> None:
    """Write `result` as JSON with a digest of its content; every raw value is kept."""
    write_with_digest(result, path)


def write_with_digest(record: object, path: Path) -> None:
    """Write any record of a measurement, a dataclass, as JSON with a digest of its content."""
    data = write_record(record)
    path.write_text(json.dumps({**data, "digest": _digest(data)}, indent=1) + "\n", encoding="utf-8")


def write_evidence(result: object, path: Path) -> None:
    """Write `result`, a dataclass, as a package has it: without a digest, as its `SHA256SUMS` has one of every file."""
    path.write_text(json.dumps(write_record(result), indent=1) + "\n", encoding="utf-8")


def _digest(data: object) -> str:
    """Of what a file says, and not of how it is laid out: a formatter may have been at it."""
    text = json.dumps(data, sort_keys=True, separators=(",", ":"))
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def result_from_json(data: Any, where: str) -> Result:
    """A result from parsed JSON; `where` names the place for messages.

    Raises:
        InputError: Not a result, or one of a newer schema.
    """
    schema = data.get("schema") if isinstance(data, dict) else None
    if schema != SCHEMA:
        newer = isinstance(schema, str) and schema.startswith(f"{SCHEMA.partition('/')[0]}/")
        raise RecordError(
            f"{where}: this version cannot read the result (schema {str(schema)[:_SHOWN]!r}, expected {SCHEMA!r}).",
            hint="A newer version of Edgewright wrote it: update Edgewright, or measure again with this version."
            if newer
            else "Write a result with 'edgewright bench PACKAGE --data DATA -o result.json'.",
        )
    try:
        return read_record(Result, data, where)
    except ResponseError as error:
        # Raw readings are kept as workers sent them, and have the same limits.
        raise RecordError(f"{where}: {error}.") from error


def read_result(path: str | Path) -> Result:
    """Read a result file; see `result_from_json` for errors. Its digest has to fit, where it has one."""
    text = ""
    try:
        size = Path(path).stat().st_size
        if size > _LIMIT_BYTES:
            raise InputError(f"'{path}' has {size:,} bytes; the limit for a result is {_LIMIT_BYTES:,}.")
        text = Path(path).read_text(encoding="utf-8")
        data = json.loads(text)
    except json.JSONDecodeError as error:
        # Where a reader of JSON ends that wants more, the rest of the file is missing.
        cut_off = "It is empty or cut off. " if error.pos >= len(text.rstrip()) else ""
        raise InputError(f"'{path}' cannot be read as a result: {cut_off}{error}.") from error
    # RecursionError: brackets nested without end.
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"'{path}' cannot be read as a result: {error}.") from error
    digest = data.pop("digest", None) if isinstance(data, dict) else None
    result = result_from_json(data, str(path))
    if digest is not None and digest != _digest(data):
        raise InputError(
            f"'{path}' was changed after it was written: its digest does not fit its content.",
            hint="Measure again with 'edgewright bench PACKAGE --data DATA -o FILE'.",
        )
    return result
