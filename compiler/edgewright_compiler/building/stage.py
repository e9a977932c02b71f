"""Stages of a build: pieces of work whose results the cache keeps under a digest of everything that decides them.

    export -> check (-> feeds) (-> shapes -> fix) (-> rewrite) -> quantize (-> share)
        (-> reference -> compile) -> measure

A stage is named, and its key is a frozen dataclass. A stage runs again where its key, its revision or the version of
Edgewright is another, and only then.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from edgewright_benchmarks.data import Dataset, Draw
from edgewright_benchmarks.progress import Progress
from edgewright_compiler.cache import StageCache, digest_of
from edgewright_compiler.compile import CompileError
from edgewright_compiler.graphs.fixed_shapes import FixingError
from edgewright_compiler.graphs.quantizers import QuantizationError
from edgewright_compiler.graphs.rewrite import RewriteError
from edgewright_targets import __version__
from edgewright_targets.record import read_record, write_record

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

# Stage to its revision. Raise the number where the stage's code changes what the stage writes: entries of older code
# are then not taken for it. A package that an older revision made is not up to date either; see `Job.key`.
REVISIONS = {
    "export": 1,
    "check": 2,
    "optimizer": 2,
    "feeds": 1,
    "shapes": 2,
    "fix": 2,
    "rewrite": 1,
    "quantize": 3,
    "share": 1,
    "reference": 3,
    "compile": 1,
    # Of graphs in which recurrent layers, durations, decoding and grids stay in float.
    "errors": 2,
    "costs": 5,
    # 2: readings as the strict reader takes them; a round is seconds and busy together.
    # 3: an engine that differs in its speed alone has the predictions of its twin.
    # 4: with guides.
    # 5: signs of full width are words of a tagger, and a token of several characters names all of them.
    "measure": 5,
}
_FAILURE = "failure.txt"
_RECORD = "record.json"
_Result = TypeVar("_Result")
# What a stage may find that a graph does not allow. Any other error is not a finding, and nothing of it is kept.
FINDINGS = (QuantizationError, CompileError, FixingError, RewriteError)


class CandidateError(Exception):
    """A candidate cannot be made from this model; the text says why, for people."""


@dataclass(frozen=True)
class DataKey:
    """Samples, as keys of stages name them.

    Attributes:
        digest: Of everything that was read. A part of a file has the digest of the whole file.
        samples: How many samples are used.
        draws: How these were chosen. Two parts of one size need not be of the same samples.
    """

    digest: str
    samples: int
    draws: tuple[Draw, ...] = ()

    @classmethod
    def of(cls, data: Dataset) -> DataKey:
        """The key of all samples of `data`."""
        return cls(data.digest, len(data.samples), data.draws)


@dataclass(frozen=True)
class Stage:
    """One piece of work that is kept.

    Attributes:
        name: One of `REVISIONS`, and a folder of the cache.
        key: A frozen dataclass with all that decides what the stage writes.
        title: What was done, for people, such as "Quantized to int8".
    """

    name: str
    key: DataclassInstance
    title: str

    @property
    def revision(self) -> int:
        """The revision of the stage's code, which its key holds."""
        return REVISIONS[self.name]

    def parts(self) -> dict[str, object]:
        """All that decides the stage, as plain data: the cache names the folder by its digest."""
        return {"revision": self.revision, "edgewright": __version__, "key": write_record(self.key)}

    def digest(self) -> str:
        """Names the result in keys of the stages that use it."""
        return digest_of({"stage": self.name, **self.parts()})


class Stages:
    """Runs stages: takes their results from the cache or makes them, and tells which of the two and how long it took.

    Args:
        cache: Where results are kept.
        progress: Told of each stage.

    Attributes:
        made: How many stages were made anew so far; those from the cache are not counted.
    """

    def __init__(self, cache: StageCache, progress: Progress) -> None:
        self.progress = progress
        self.made = 0
        self._cache = cache

    def run(self, stage: Stage, make: Callable[[Path], None]) -> Path:
        """The folder of a stage.

        Args:
            stage: Which.
            make: Fills the empty folder that it is given; whatever it raises is raised here, and nothing is kept.
        """
        start = time.perf_counter()
        folder, cached = self._cache.get(stage.name, stage.parts(), make, damaged=self._note_damage)
        self.made += not cached
        spent = "from the cache" if cached else f"{time.perf_counter() - start:.1f} s"
        self.progress.note(f"{stage.title}: {spent}")
        return folder

    def kept(self, stage: Stage, make: Callable[[Path], None]) -> Path:
        """The same for a stage whose failure is a finding: the reason is kept like a result, and raised each time.

        Raises:
            CandidateError: A graph does not allow what the stage does with it.
        """

        def try_to_make(place: Path) -> None:
            try:
                make(place)
            except FINDINGS as error:
                (place / _FAILURE).write_text(str(error), encoding="utf-8")

        folder = self.run(stage, try_to_make)
        failure = folder / _FAILURE
        if failure.exists():
            raise CandidateError(failure.read_text(encoding="utf-8"))
        return folder

    def record(self, stage: Stage, kind: type[_Result], make: Callable[[], _Result]) -> _Result:
        """The result of a stage that is one record, a dataclass of type `kind`."""

        def write(place: Path) -> None:
            (place / _RECORD).write_text(json.dumps(write_record(make())), encoding="utf-8")

        path = self.run(stage, write) / _RECORD
        return read_record(kind, json.loads(path.read_text(encoding="utf-8")), str(path))

    def scratch(self) -> AbstractContextManager[Path]:
        """A folder for temporary files on the disk of the cache; removed afterwards."""
        return self._cache.scratch()

    def note(self, name: str) -> object:
        """The plain data kept as `name` by `keep_note`; None where there is none."""
        return self._cache.note(name)

    def keep_note(self, name: str, data: object) -> None:
        """Keep plain data as `name`, beside the stages."""
        self._cache.keep_note(name, data)

    def _note_damage(self, folder: Path) -> None:
        self.progress.note(f"The stage '{folder}' in the cache is damaged. It is made again.")
