"""What each component's graph is given for the calibration samples: a stage, made once for all stages that use it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from edgewright_benchmarks.versions import installed_versions
from edgewright_compiler.building.draft_package import float_engine, write_draft
from edgewright_compiler.building.export_check import refuse_nan
from edgewright_compiler.building.job import RUN_TOOLS, Job
from edgewright_compiler.building.stage import DataKey, Stage, Stages
from edgewright_compiler.building.stored_arrays import read_arrays, write_arrays
from edgewright_compiler.graphs.exported import ExportedFolder
from edgewright_compiler.graphs.quantize import CALIBRATION_SAMPLES
from edgewright_runtime import load
from edgewright_runtime.probe import Probe

if TYPE_CHECKING:
    from edgewright_runtime.wire import Arrays


class Feeds(Protocol):
    """What graphs are given for the calibration samples."""

    def digest(self, exported: ExportedFolder) -> str:
        """Names all that `read` gives, in keys of the stages that use it."""

    def read(self, exported: ExportedFolder, component: str) -> list[Arrays]:
        """The feeds of one component, in the order of the samples.

        Raises:
            InputError: A feed has NaN or infinite values.
        """


@dataclass(frozen=True, kw_only=True)
class _FeedsKey:
    exported: str
    data: DataKey
    # Components of several are given what others compute.
    as_written: bool
    pad_to_multiple_of: int
    tools: dict[str, str]


class CalibrationFeeds:
    """The feeds as a build makes them: by the same steps that the device runs, in a package of the float engine.

    Args:
        stages: Keep them.
        job: Has the samples.
        as_written: Whether the float engine runs without ONNX Runtime's optimizations.
    """

    def __init__(self, stages: Stages, job: Job, *, as_written: bool) -> None:
        self._stages = stages
        self._job = job
        self._as_written = as_written
        self._made: dict[str, Path] = {}

    def digest(self, exported: ExportedFolder) -> str:
        """Names all that `read` gives, in keys of the stages that use it."""
        return self._stage(exported).digest()

    def read(self, exported: ExportedFolder, component: str) -> list[Arrays]:
        """The feeds of one component, in the order of the samples."""
        if exported.digest not in self._made:
            # Looked up once: the cache reads all files of a stage to compare their digests.
            self._made[exported.digest] = self._stages.run(self._stage(exported), lambda at: self._make(exported, at))
        return read_arrays(_file(self._made[exported.digest], component)).get(component, [])

    def _stage(self, exported: ExportedFolder) -> Stage:
        key = _FeedsKey(
            exported=exported.digest,
            data=DataKey.of(self._job.inputs),
            as_written=self._as_written,
            pad_to_multiple_of=self._job.baseline.pad_to_multiple_of,
            tools=installed_versions(RUN_TOOLS),
        )
        count = min(CALIBRATION_SAMPLES, len(self._job.inputs.samples))
        return Stage("feeds", key, f"Prepared {count} samples for calibration")

    def _make(self, exported: ExportedFolder, place: Path) -> None:
        found: dict[str, list[Arrays]] = {name: [] for name in exported.components}
        with self._stages.scratch() as scratch:
            baseline = float_engine(self._job, exported, as_written=self._as_written)
            write_draft(scratch / "package", self._job, exported, [baseline])
            with load(scratch / "package", engine=baseline.draft.name) as model:
                probe = Probe(model)
                for sample in self._job.inputs.spread(CALIBRATION_SAMPLES):
                    for name, feeds in probe.recorded_feeds(sample).items():
                        found[name] += feeds
        for name, feeds in found.items():
            refuse_nan(feeds)
            write_arrays(_file(place, name), {name: feeds})


def _file(place: Path, component: str) -> Path:
    return place / f"{component}.npz"
