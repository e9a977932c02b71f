"""Several targets in one package. The second is a board that is not here; a worker on this machine stands in for its
emulator, so this shows how rungs and evidence are kept apart, and nothing of another processor.
"""

import json
import sys
import types
from pathlib import Path

import pytest

import tiny_models
from edgewright_benchmarks.bench import bench, build_evidence
from edgewright_benchmarks.meter import MeterSettings
from edgewright_benchmarks.progress import Quiet
from edgewright_benchmarks.workers import WORKER_COMMAND
from edgewright_compiler import BuildOptions, Built, build, emulators
from edgewright_runtime import Package, load
from edgewright_runtime.manifest import ASSET_FOLDER
from edgewright_targets.host import architecture

STAND_IN = "stand_in_for_an_emulator"


class Notes(Quiet):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def note(self, text: str) -> None:
        self.lines.append(text)


@pytest.fixture(scope="module")
def board(sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A target of this architecture that this machine is not."""
    path = tmp_path_factory.mktemp("board") / "board.toml"
    text = tiny_models.write_target(path).read_text(encoding="utf-8")
    named = 'rung = "emulated"\nmachine_model = "No such board"\nemulated_cpu = "max"\ncores = 4'
    path.write_text(text.replace('rung = "measured"', named), encoding="utf-8")
    return path


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.ModuleType(STAND_IN)
    module.__dict__.update(missing=lambda: None, command=lambda cpu, progress: WORKER_COMMAND)
    monkeypatch.setitem(sys.modules, STAND_IN, module)
    monkeypatch.setitem(emulators.EMULATORS, architecture(), STAND_IN)


def build_for(sources: Path, output: Path, *targets: Path, notes: Notes | None = None) -> Built:
    options = BuildOptions(
        output=output,
        targets=tuple(str(target) for target in targets),
        calibration=sources / "inputs.npz",
        max_drop=0.5,
        emulated_samples=12,
        meter=MeterSettings(rounds=2, calls=4, loads=1),
    )
    return build(str(sources / "perceptron.onnx"), options, progress=notes)


@pytest.mark.usefixtures("stand_in")
def test_each_target_has_evidence_on_its_own_rung(sources: Path, board: Path, tmp_path: Path) -> None:
    built = build_for(sources, tmp_path / "both.ortpackage", sources / "tiny.toml", board)
    package = Package.open(built.package)
    assert package.targets == ("tiny", "board")
    measured, emulated = (build_evidence(package, target) for target in package.targets)
    assert {engine.rung for engine in measured.engines} == {"measured"}
    assert all(engine.latency for engine in measured.engines)
    assert {engine.rung for engine in emulated.engines} == {"emulated"}
    # An emulator's time is never shown as a latency.
    assert not any(engine.latency or engine.load_seconds for engine in emulated.engines)
    assert (measured.data.samples, emulated.data.samples) == (24, 12)
    assert "its speed was not measured" in emulated.reason or emulated.chosen == emulated.baseline
    assert any("no speed was measured" in warning for warning in emulated.warnings)


@pytest.mark.usefixtures("stand_in")
def test_engines_of_two_targets_share_their_weights(sources: Path, board: Path, tmp_path: Path) -> None:
    built = build_for(sources, tmp_path / "both.ortpackage", sources / "tiny.toml", board)
    manifest = Package.open(built.package).manifest
    floats = [manifest.engines[name] for name in manifest.baselines.values()]
    assert len(floats) == 2
    assert floats[0].session_options.items() >= {
        (key, value) for key, value in floats[1].session_options.items() if value.startswith("sha256:")
    }
    precisions = {manifest.engines[name].precision for name in manifest.order}
    assert len(list((built.package / ASSET_FOLDER).iterdir())) <= len(precisions)


@pytest.mark.usefixtures("stand_in")
def test_a_target_that_is_added_redoes_nothing_for_the_others(sources: Path, board: Path, tmp_path: Path) -> None:
    first = build_for(sources, tmp_path / "one.ortpackage", sources / "tiny.toml")
    notes = Notes()
    second = build_for(sources, tmp_path / "two.ortpackage", sources / "tiny.toml", board, notes=notes)
    assert second.results[0] == first.result
    began = notes.lines.index(next(line for line in notes.lines if line.startswith("Measured")))
    stages = [line for line in notes.lines[: began + 1] if line.startswith(("Exported", "Checked", "Quant", "Meas"))]
    assert stages
    assert all(line.endswith("from the cache") for line in stages), stages


@pytest.mark.usefixtures("stand_in")
def test_the_first_target_that_runs_here_runs_and_is_benched(sources: Path, board: Path, tmp_path: Path) -> None:
    built = build_for(sources, tmp_path / "both.ortpackage", sources / "tiny.toml", board)
    with load(built.package) as model:
        assert model.engine.target == "tiny"
    result = bench(built.package, sources / "inputs.npz", settings=MeterSettings(rounds=2, calls=4, loads=1))
    assert {engine.target for engine in result.engines} == {"tiny"}
    manifest = json.loads((built.package / "manifest.json").read_text(encoding="utf-8"))
    assert list(manifest["additional_metadata"]["edgewright"]["baselines"]) == ["tiny", "board"]


def test_without_an_emulator_the_board_is_refused(sources: Path, board: Path, tmp_path: Path) -> None:
    from edgewright_targets import InputError

    with pytest.raises(InputError, match="cannot be reached from this machine"):
        build_for(sources, tmp_path / "no.ortpackage", board)
    assert not list(tmp_path.iterdir())
