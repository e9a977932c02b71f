"""Several targets in one package. The second is a board that is not here; a worker on this machine stands in for its
emulator, so this shows how rungs and evidence are kept apart, and nothing of another processor.
"""

import json
from dataclasses import replace
from pathlib import Path

import pytest

import tiny_targets
from doubles import QUICK_METER, Recording, stand_in_emulator
from edgewright_benchmarks.bench import bench, build_evidence
from edgewright_benchmarks.measuring.meter_settings import MeterSettings
from edgewright_cli import main
from edgewright_compiler import BuildOptions, Built, build
from edgewright_compiler.reach.verify_target import verify_target
from edgewright_runtime import EngineFallbackWarning, Package, load
from edgewright_runtime.manifest import ASSET_FOLDER
from edgewright_runtime.package_files import SUMS, file_digest
from edgewright_targets import host_facts

FACTS = {"version": "1"}


@pytest.fixture(scope="module")
def board(sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A target of this architecture that this machine is not."""
    settings: dict[str, tiny_targets.Setting] = {
        "rung": "emulated",
        "machine_model": "No such board",
        "emulated_cpu": "max",
        "cores": 4,
    }
    return tiny_targets.write_target(tmp_path_factory.mktemp("board") / "board.toml", **settings)


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in_emulator(monkeypatch, facts=FACTS)


def build_for(sources: Path, output: Path, *targets: Path, notes: Recording | None = None) -> Built:
    options = BuildOptions(
        output=output,
        targets=tuple(str(target) for target in targets),
        calibration=sources / "inputs.npz",
        max_drop=0.5,
        emulated_samples=12,
        meter=QUICK_METER,
    )
    return build(str(sources / "perceptron.onnx"), options, progress=notes)


@pytest.mark.usefixtures("stand_in")
def test_each_target_has_evidence_on_its_own_rung(sources: Path, board: Path, tmp_path: Path) -> None:
    built = build_for(sources, tmp_path / "both.ortpackage", sources / "tiny.toml", board)
    package = Package.open(built.package)
    assert package.targets == ("tiny", "board")
    measured, emulated = (build_evidence(package, target) for target in package.targets)
    assert {engine.rung for engine in measured.engines} == {"measured"}
    assert all(engine.latency and engine.latency.busy and engine.latency.baseline_busy for engine in measured.engines)
    assert {engine.rung for engine in emulated.engines} == {"emulated"}
    # An emulator's time is never shown as a latency.
    assert not any(engine.latency or engine.load_seconds for engine in emulated.engines)
    assert (measured.data.samples, emulated.data.samples) == (24, 12)
    # Without a speed, what keeps its accuracy ships in the order of the target.
    assert emulated.chosen == "board-cpu-int8"
    assert "its latency was not measured (only emulated)" in emulated.reason
    assert any("latency was not measured" in warning for warning in emulated.warnings)
    # The stand-in is this machine, so answers are the very same: what is shown is that every one was compared.
    assert not any(engine.native for engine in measured.engines)
    # But for integer products on x86-64 without VNNI: the comparison has them exact, and the stand-in saturates.
    saturates = host_facts().architecture == "x86_64" and not {"avx_vnni", "avx512_vnni"} & set(host_facts().features)
    for engine in emulated.engines:
        assert engine.native is not None
        assert (engine.native.samples, len(engine.native.differences)) == (12, 12)
        if engine.precision == "fp32" or not saturates:
            assert (engine.native.differing, engine.native.changed) == (0, 0)
            assert engine.native.differences == (0.0,) * 12


@pytest.mark.usefixtures("stand_in")
def test_engines_of_two_targets_share_their_weights(sources: Path, board: Path, tmp_path: Path) -> None:
    built = build_for(sources, tmp_path / "both.ortpackage", sources / "tiny.toml", board)
    manifest = Package.open(built.package).manifest
    floats = [manifest.engines[name] for name in manifest.baselines.values()]
    assert len(floats) == 2
    options = [spec.parts["model"].session_options for spec in floats]
    assert options[0].items() >= {(key, value) for key, value in options[1].items() if value.startswith("sha256:")}
    precisions = {manifest.engines[name].precision for name in manifest.order}
    assert len(list((built.package / ASSET_FOLDER).iterdir())) <= len(precisions)


@pytest.mark.usefixtures("stand_in")
def test_a_target_that_is_added_redoes_nothing_for_the_others(sources: Path, board: Path, tmp_path: Path) -> None:
    first = build_for(sources, tmp_path / "one.ortpackage", sources / "tiny.toml")
    notes = Recording()
    second = build_for(sources, tmp_path / "two.ortpackage", sources / "tiny.toml", board, notes=notes)
    # The settings of the build name the targets.
    assert replace(second.results[0], build_settings=first.result.build_settings) == first.result
    began = notes.notes.index(next(line for line in notes.notes if line.startswith("Measured")))
    stages = [line for line in notes.notes[: began + 1] if line.startswith(("Exported", "Checked", "Quant", "Meas"))]
    assert stages
    assert all(line.endswith("from the cache") for line in stages), stages


@pytest.mark.usefixtures("stand_in")
def test_the_first_target_that_runs_here_runs_and_is_benched(sources: Path, board: Path, tmp_path: Path) -> None:
    built = build_for(sources, tmp_path / "both.ortpackage", sources / "tiny.toml", board)
    with load(built.package) as model:
        assert model.engine.target == "tiny"
    result = bench(built.package, sources / "inputs.npz", settings=QUICK_METER)
    assert {engine.target for engine in result.engines} == {"tiny"}
    manifest = json.loads((built.package / "manifest.json").read_text(encoding="utf-8"))
    assert list(manifest["additional_metadata"]["edgewright"]["baselines"]) == ["tiny", "board"]


@pytest.mark.usefixtures("stand_in")
def test_another_emulator_answers_anew(
    sources: Path, board: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def again() -> tuple[bool, bool]:
        notes = Recording()
        unchanged = build_for(sources, tmp_path / "board.ortpackage", board, notes=notes).unchanged
        return unchanged, "Emulated: from the cache" in notes.notes

    build_for(sources, tmp_path / "board.ortpackage", board)
    assert again() == (True, False)
    monkeypatch.setitem(FACTS, "version", "2")
    assert again() == (False, False)
    monkeypatch.setitem(FACTS, "version", "1")
    assert again() == (False, True)


@pytest.mark.usefixtures("stand_in")
def test_verify_runs_the_engines_of_a_target_where_they_run(sources: Path, board: Path, tmp_path: Path) -> None:
    built = build_for(sources, tmp_path / "both.ortpackage", sources / "tiny.toml", board)
    package = Package.open(built.package)
    there = verify_target(built.package, str(board))
    here = verify_target(built.package, str(sources / "tiny.toml"))
    assert {check.rung for check in there.engines} == {"emulated"}
    assert {check.rung for check in here.engines} == {"measured"}
    assert [check.name for check in there.engines] == list(package.manifest.engines_for("board"))
    assert there.ok
    assert all(check.difference is not None and check.difference <= check.tolerance for check in there.engines)
    assert (there.samples, there.files) == (8, here.files)
    baseline = package.manifest.baselines["board"]
    assert [check.name for check in verify_target(built.package, str(board), engine=baseline).engines] == [baseline]


@pytest.mark.usefixtures("stand_in")
def test_verify_says_which_engine_of_a_target_answers_otherwise(
    sources: Path, board: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    built = build_for(sources, tmp_path / "p.ortpackage", board)
    manifest = built.package / "manifest.json"
    data = json.loads(manifest.read_text(encoding="utf-8"))
    variants = data["components"]["model"]["variants"]
    other = next(name for name in variants if name != built.result.baseline)
    variants[other]["executor_info"]["edgewright"]["tolerance"] = 0.0
    manifest.write_text(json.dumps(data), encoding="utf-8")
    sums = built.package / SUMS
    lines = [line for line in sums.read_text(encoding="utf-8").splitlines() if not line.endswith(" manifest.json")]
    lines.append(f"{file_digest(manifest)}  manifest.json")
    sums.write_text("\n".join(sorted(lines, key=lambda line: line[66:])) + "\n", encoding="utf-8")
    assert main(["verify", str(built.package), "--target", str(board), "--json"]) == 1
    out, err = capsys.readouterr()
    told = json.loads(out)
    assert (told["ok"], told["machine"]["emulated"]) == (False, False)
    assert [engine["name"] for engine in told["engines"] if not engine["ok"]] == [other]
    assert f"{other}: Its outputs differ by more than is allowed" in " ".join(err.split())


@pytest.mark.usefixtures("stand_in")
def test_verify_names_what_it_can_check(
    sources: Path, board: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    package = str(build_for(sources, tmp_path / "both.ortpackage", sources / "tiny.toml", board).package)

    def refused(*words: str) -> str:
        assert main(["verify", package, *words]) == 2
        return " ".join(capsys.readouterr().err.split())

    assert "has no engine for the target 'raspberry-pi-5'. It is for: tiny, board." in refused(
        "--target", "raspberry-pi-5"
    )
    assert "Pass the target file that it was built with: --target path/to/board.toml" in refused("--target", "board")
    assert "has no engine 'tiny-cpu-fp32'" in refused("--target", str(board), "--engine", "tiny-cpu-fp32")
    assert "--strict applies to the engine that runs here" in refused("--target", str(board), "--strict")


def test_without_an_emulator_the_board_is_refused(sources: Path, board: Path, tmp_path: Path) -> None:
    from edgewright_targets import InputError

    with pytest.raises(InputError, match="cannot be reached from this machine"):
        build_for(sources, tmp_path / "no.ortpackage", board)
    assert not list(tmp_path.iterdir())


def test_a_target_that_nothing_emulates_gets_its_float_engine_as_declared(sources: Path, tmp_path: Path) -> None:
    """Its file says that it is declared: the other candidates are not run, and say so; none of them ships."""
    path = tiny_targets.write_target(tmp_path / "amx.toml", rung="declared", machine_model="No such board")
    built = build_for(sources, tmp_path / "p", path)
    by_name = {engine.name: engine for engine in built.result.engines}
    assert {engine.rung for engine in by_name.values()} == {"declared"}
    assert built.result.chosen == "amx-cpu-fp32"
    assert by_name["amx-cpu-fp32"].latency is None
    others = [engine for name, engine in by_name.items() if name != "amx-cpu-fp32"]
    assert others
    assert all(engine.accuracy is None and "It was not run" in " ".join(engine.reasons) for engine in others)
    assert Package.open(built.package).manifest.order == ("amx-cpu-fp32",)


def test_the_engine_made_for_this_machine_runs_whatever_the_order(
    sources: Path, board: Path, tmp_path: Path, stand_in: None, recwarn: pytest.WarningsRecorder
) -> None:
    """An engine for other hardware of the same architecture could run as well; it was never measured here."""
    tiny = tiny_targets.write_target(tmp_path / "tiny.toml")
    package = Package.open(build_for(sources, tmp_path / "p", board, tiny).package)
    assert package.manifest.engines[package.manifest.order[0]].target == "board"
    with load(package) as model:
        assert model.engine.target == "tiny"
        assert model.engine.passed_over == ()
    assert not recwarn.list


def test_a_machine_that_is_none_of_the_targets_is_told(
    sources: Path, board: Path, tmp_path: Path, stand_in: None
) -> None:
    package = Package.open(build_for(sources, tmp_path / "p", board).package)
    message = r"It was made for board, and this machine is not one of the package's targets \(board\)\."
    with pytest.warns(EngineFallbackWarning, match=message), load(package) as model:
        assert model.engine.reason.startswith("It was made for board")


def test_bench_says_that_the_machine_is_not_the_target(
    sources: Path, board: Path, tmp_path: Path, stand_in: None
) -> None:
    """Its figures are measured, and on another machine than the one that the engines were made for."""
    package = build_for(sources, tmp_path / "p", board).package
    result = bench(package, sources / "inputs.npz", settings=MeterSettings(rounds=3))
    assert result.warnings[0].startswith("The engines were made for board, but this machine is ")
