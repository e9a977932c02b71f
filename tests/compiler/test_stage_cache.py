"""Stages in the cache: a damaged one is made anew, and a key holds all that decides what is in the stage."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest

import tiny_models
from doubles import Recording
from edgewright_benchmarks.data import Dataset
from edgewright_benchmarks.progress import Quiet
from edgewright_compiler.building.calibration_feeds import CalibrationFeeds
from edgewright_compiler.building.candidate_graphs import Graphs
from edgewright_compiler.building.job import BuildOptions, Job
from edgewright_compiler.building.precision_tolerance import precision_tolerance
from edgewright_compiler.building.read_jobs import read_jobs
from edgewright_compiler.building.stage import REVISIONS, CandidateError, Stage, Stages
from edgewright_compiler.cache import StageCache
from edgewright_compiler.graphs.exported import ExportedFolder
from edgewright_compiler.graphs.quantizers import QuantizationError

CONTENT = b"weights of a stage"


def _make(folder: Path) -> None:
    (folder / "weights").mkdir()
    (folder / "weights" / "0.bin").write_bytes(CONTENT)
    (folder / "exported.json").write_text("{}")


def _flipped(folder: Path) -> None:
    (folder / "weights" / "0.bin").write_bytes(bytes([CONTENT[0] ^ 1]) + CONTENT[1:])


DAMAGE: dict[str, Callable[[Path], object]] = {
    "gone": lambda folder: (folder / "exported.json").unlink(),
    "empty": lambda folder: (folder / "exported.json").write_bytes(b""),
    "cut": lambda folder: (folder / "weights" / "0.bin").write_bytes(CONTENT[:5]),
    "flipped": _flipped,
    "more": lambda folder: (folder / "other.json").touch(),
    "digest gone": lambda folder: folder.with_name(f"{folder.name}.sha256").unlink(),
    "digest no text": lambda folder: folder.with_name(f"{folder.name}.sha256").write_bytes(b"\xff"),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_a_damaged_stage_is_made_anew(tmp_path: Path, damage: Callable[[Path], object]) -> None:
    cache, seen = StageCache(tmp_path), list[Path]()
    folder, cached = cache.get("export", {"a": 1}, _make, damaged=seen.append)
    assert not cached
    assert cache.get("export", {"a": 1}, _make, damaged=seen.append) == (folder, True)
    damage(folder)
    assert cache.get("export", {"a": 1}, _make, damaged=seen.append) == (folder, False)
    assert seen == [folder]
    assert (folder / "weights" / "0.bin").read_bytes() == CONTENT
    assert sorted(path.name for path in folder.iterdir()) == ["exported.json", "weights"]
    assert cache.get("export", {"a": 1}, _make, damaged=seen.append) == (folder, True)


def test_clear_leaves_no_digests(tmp_path: Path) -> None:
    cache = StageCache(tmp_path)
    folder, _ = cache.get("export", {}, _make)
    cache.clear()
    assert list(folder.parent.iterdir()) == []


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """Of a perceptron, whose data has 24 samples."""
    data = tiny_models.write_arrays(tmp_path / "inputs.npz")
    (job,) = read_jobs(
        str(tiny_models.write_onnx(tmp_path / "p.onnx")), BuildOptions(output=tmp_path / "p", calibration=data)
    )
    return job


@pytest.fixture
def exported(job: Job, tmp_path: Path) -> ExportedFolder:
    folder = tmp_path / "exported"
    folder.mkdir()
    job.source.export(folder)
    return ExportedFolder.read(folder)


def _made(job: Job, data: Dataset, exported: ExportedFolder, cache: StageCache) -> list[str]:
    """Which stages were made, and not taken from the cache, for the shapes and the tolerance on this data."""
    notes = Recording()
    stages = Stages(cache, notes)
    job = dataclasses.replace(job, calibration=data)
    graphs = Graphs(stages, job, CalibrationFeeds(stages, job, as_written=False), exported)
    assert graphs.shapes()["model"].samples == len(data.samples)
    precision_tolerance(graphs, {"model": exported.path / "model"})
    return [line.split()[0] for line in notes.notes if not line.endswith("from the cache")]


def test_keys_hold_the_samples(job: Job, exported: ExportedFolder, tmp_path: Path) -> None:
    """A part of a file has the digest of the file, so other samples must not take what the first ones gave."""
    cache, data = StageCache(tmp_path / "cache"), job.inputs
    parts = (data, data.part(3), data.part(12).part(3), data.part(3, first=2), data.part(3, seed=1))
    for part in parts:
        # Feeds are made once for both.
        assert sorted(_made(job, part, exported, cache)) == ["Compared", "Prepared", "Read"]
    for part in parts:
        assert _made(job, part, exported, cache) == []


@dataclasses.dataclass(frozen=True)
class OneKey:
    value: int


def test_a_revision_is_of_one_stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stages = Stages(StageCache(tmp_path), Quiet())
    made: list[str] = []

    def run(name: str, value: int) -> None:
        stages.run(Stage(name, OneKey(value), name), lambda folder: made.append(name))

    for name in ("fix", "share", "fix"):
        run(name, 1)
    run("fix", 2)
    assert made == ["fix", "share", "fix"]
    monkeypatch.setitem(REVISIONS, "fix", REVISIONS["fix"] + 1)
    for name in ("fix", "share"):
        run(name, 1)
    assert made == ["fix", "share", "fix", "fix"]


def test_a_raised_revision_makes_a_package_anew(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    before = job.key()
    monkeypatch.setitem(REVISIONS, "check", REVISIONS["check"] + 1)
    assert job.key() != before


def test_a_finding_is_kept_and_an_error_is_not(tmp_path: Path) -> None:
    stages = Stages(StageCache(tmp_path), Quiet())
    calls: list[int] = []

    def fail(error: Exception) -> Callable[[Path], None]:
        def make(folder: Path) -> None:
            (folder / "half.bin").touch()
            calls.append(1)
            raise error

        return make

    for _ in range(2):
        with pytest.raises(CandidateError, match="no such operator"):
            stages.kept(Stage("quantize", OneKey(1), "q"), fail(QuantizationError("no such operator")))
    assert len(calls) == 1
    for _ in range(2):
        with pytest.raises(OSError, match="disk"):
            stages.kept(Stage("quantize", OneKey(2), "q"), fail(OSError("disk")))
    assert len(calls) == 3


def test_a_record_is_kept(tmp_path: Path) -> None:
    stages = Stages(StageCache(tmp_path), Quiet())
    made: list[int] = []

    def make() -> OneKey:
        made.append(1)
        return OneKey(7)

    for _ in range(2):
        assert stages.record(Stage("check", OneKey(1), "c"), OneKey, make) == OneKey(7)
    assert len(made) == 1
