"""What a worker writes to standard error, as sentences: without times, colours and places that differ between runs."""

from __future__ import annotations

import contextlib
import re
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import IO, Any, Final

from edgewright_benchmarks.devices.engine_worker import WorkerError
from edgewright_benchmarks.matrix.environments import EnvironmentDevice
from edgewright_benchmarks.matrix.libraries import words_of
from edgewright_benchmarks.matrix.result import LoggedSentence, VersionRow
from edgewright_benchmarks.measuring.readings import PackagedEngine
from edgewright_benchmarks.progress import Progress

# Bytes that are read, and sentences that are kept: a library may repeat itself with every call.
_BYTES: Final = 1 << 20
_KEPT: Final = 20
_LONGEST: Final = 400
# Answered where warnings are read: ONNX Runtime says most of them when it opens a graph, and the others of any sample.
_SAMPLES: Final = 8
# Of any kind: colours, but also what moves the cursor.
_CONTROL = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
# `2026-01-31 12:00:00.123456 [W:onnxruntime:, graph.cc:1234 CleanUnused] ` of ONNX Runtime.
_PLACE = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[.\d]* \[\w:(?P<who>[^:\]]*):[^\]]*\]\s*")
_TIME = re.compile(r"^\[?\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.,\d]*(?:Z|[+-]\d\d:?\d\d)?\]?:?\s*")
# Addresses of 64 bits have more digits than codes of errors, which tell something.
_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{9,}\b")
_THREAD = re.compile(r"\b(?P<what>(?:thread|tid|pid|process)(?: id)?)(?P<sign>[:=#]? ?)\d{2,}\b", re.IGNORECASE)
# `/a/folder/site-packages/numpy/core.py:12: UserWarning: ` of Python; each environment is another folder, and so is the
# device side of Edgewright in each run. A path begins behind a space, a quote, a bracket or `=`, and what is before it
# stays. A line may be a megabyte: each character is looked at a few times only.
_FOLDER = re.compile(r"""(?<![^\s'"`(\[<=])[^\s'"`(\[<=]*/(?:site-packages/|(?=edgewright_\w+/))""")
_LINE = re.compile(r"^(?P<file>\S.*\.py):\d+: (?=\w*(?:Warning|Error)\b)")


@dataclass(frozen=True)
class Sentences:
    """What an environment wrote to standard error, each sentence with how often.

    Attributes:
        logged: By a worker whose ONNX Runtime writes its warnings too.
        measured: By the workers that were measured.
    """

    logged: Counter[str]
    measured: Counter[str]

    @property
    def counts(self) -> dict[str, int]:
        """Both; of a sentence in both the count of one worker is taken, not that of all."""
        return {**self.measured, **self.logged}


def sentences(errors: IO[bytes]) -> Counter[str]:
    """Each sentence with how often it was written, in the order in which they came."""
    errors.seek(0)
    found: Counter[str] = Counter()
    quotes = False
    for line in errors.read(_BYTES).decode(errors="replace").splitlines():
        # Python shows the line of a source to which its warning belongs.
        if quotes and line.startswith("  "):
            quotes = False
            continue
        sentence, quotes = _sentence(line)
        if sentence:
            found[sentence] += 1
    return found


def _sentence(line: str) -> tuple[str, bool]:
    """The words of a line, and whether a line of a source may follow."""
    plain = "".join(one for one in _CONTROL.sub("", line) if one.isprintable()).strip()
    plain = _PLACE.sub(lambda match: f"{match['who']}: ", plain)
    plain = _FOLDER.sub("", _TIME.sub("", plain))
    plain, of_python = _LINE.subn(r"\g<file>: ", plain)
    plain = _THREAD.sub(r"\g<what>\g<sign>N", _ADDRESS.sub("0x...", plain))
    return (plain if len(plain) <= _LONGEST else f"{plain[: _LONGEST - 3]}..."), bool(of_python)


def read_sentences(
    devices: Mapping[str, EnvironmentDevice],
    place: PackagedEngine,
    samples: Sequence[Any],
    threads: int | None,
    progress: Progress,
) -> dict[str, Sentences]:
    """What each environment writes to standard error: with ONNX Runtime's warnings, and where it was measured.

    What is measured writes no warnings of ONNX Runtime, as it does nowhere else: some of them come with each call.

    Args:
        devices: The environments, by name.
        place: The engine.
        samples: Some of them are answered.
        threads: Threads of the engine, or None for the package's own number.
        progress: Told how far it is.
    """
    found: dict[str, Sentences] = {}
    bar = progress.bar("reading warnings", len(devices))
    for name, device in devices.items():
        with tempfile.TemporaryFile() as errors:
            # It ran where it was measured. Should it end here, what it wrote before is kept.
            with contextlib.suppress(WorkerError), device.logging_worker(errors) as worker:
                worker.keep(samples[:_SAMPLES])
                worker.load(place.package, place.engine, threads)
                worker.answer(range(len(samples[:_SAMPLES])))
            found[name] = Sentences(logged=sentences(errors), measured=sentences(device.errors))
        bar.update()
    bar.close()
    return found


def with_logged(
    rows: Sequence[VersionRow], reference: Mapping[str, str], found: Mapping[str, Sentences]
) -> list[VersionRow]:
    """The rows with what their environments wrote, what is new against the reference first.

    Args:
        rows: All of them.
        reference: Versions of the row that the others are compared with.
        found: For each row that ran, by its versions in words.
    """
    known = _counts(found, reference)
    made: list[VersionRow] = []
    for row in rows:
        counts = _counts(found, row.versions)
        every = [LoggedSentence(text, times, text not in known) for text, times in counts.items()]
        every.sort(key=lambda one: not one.new)
        left = f"It wrote {len(every) - _KEPT:,} other lines to standard error, which are left out."
        more = (left,) if len(every) > _KEPT else ()
        made.append(replace(row, logged=tuple(every[:_KEPT]), warnings=(*row.warnings, *more)))
    return made


def _counts(found: Mapping[str, Sentences], versions: Mapping[str, str]) -> dict[str, int]:
    name = words_of(versions)
    return found[name].counts if name in found else {}
