"""Settings of speed that `finish` times on the device, where the build could time nothing.

The board is this machine: while a package is built for it, a worker here stands in for its emulator. Engines run, here
and over ssh; what a call takes was recorded, so that no decision depends on how busy this machine is.
"""

import dataclasses
import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnx_ir as ir
import pytest

from command import Command
from doubles import recorded_times, stand_in_emulator
from edgewright_benchmarks.bench import build_evidence
from edgewright_benchmarks.devices.address import RemoteDevice
from edgewright_benchmarks.devices.ssh import SshDevice
from edgewright_benchmarks.measuring.meter_settings import MeterSettings
from edgewright_benchmarks.progress import Quiet
from edgewright_compiler import BuildOptions, build
from edgewright_compiler.building.settings_of_speed import settings_of, without_settings
from edgewright_compiler.finish import finish, settings
from edgewright_compiler.finish.judgement import judge
from edgewright_compiler.finish.settings import finish_on
from edgewright_compiler.reach.verify_target import verify_target
from edgewright_runtime import Package, load
from edgewright_runtime.finished import Finished, findings
from edgewright_targets import Candidate, InputError, Target
from ssh_server import SshServer
from tiny_targets import candidate_text, recipe_text, target_text

METER = MeterSettings(rounds=5, calls=8, loads=1)
UNPACKED = {"session.disable_prepacking": "1"}
PACKED, BASELINE = "board-cpu-fp32-packed", "board-cpu-fp32"
_WIDTH, _ROWS, _SAMPLES = 512, 8, 8
# Seconds of a call: weights that are not packed ahead take longer.
TIMES = {BASELINE: (1e-3,), PACKED: (0.5e-3,), "board-cpu-fp32-unplanned": (1.2e-3,)}


@pytest.fixture(scope="module")
def products(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A graph of two products and eight inputs of it, with random numbers of seed 7."""
    folder, random = tmp_path_factory.mktemp("products"), np.random.default_rng(7)
    rows, square = f"float[batch,{_ROWS},{_WIDTH}]", f"float[{_WIDTH},{_WIDTH}]"
    ends = f"({rows} x, {square} v, {square} w) => ({rows} z)"
    model = ir.from_onnx_text(
        f'<ir_version: 10, opset_import: ["" : 20]> g {ends} {{ y = MatMul(x, v) z = MatMul(y, w) }}'
    )
    for weights in [model.graph.inputs.pop(), model.graph.inputs.pop()]:
        values = random.standard_normal((_WIDTH, _WIDTH)).astype(np.float32) / np.float32(_WIDTH**0.5)
        weights.const_value = ir.tensor(values, name=weights.name)
        model.graph.register_initializer(weights)
    ir.save(model, folder / "p.onnx")
    np.savez(folder / "x.npz", x=random.standard_normal((_SAMPLES, _ROWS, _WIDTH)).astype(np.float32))
    text = target_text(
        recipe_text("fp32", method="float"),
        candidate_text("cpu-fp32", "fp32", session_options=UNPACKED),
        candidate_text("cpu-fp32-packed", "fp32"),
        candidate_text("cpu-fp32-unplanned", "fp32", session_options=UNPACKED | {"session.enable_mem_pattern": "0"}),
        rung="emulated",
    )
    (folder / "board.toml").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def board(products: Path) -> Path:
    """The package for the board: do not write into it."""
    options = BuildOptions(
        output=products / "board.ortpackage",
        targets=(str(products / "board.toml"),),
        calibration=products / "x.npz",
        max_drop=0.5,
        meter=METER,
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Target, "matches_machine", lambda _: False)
        stand_in_emulator(patch)
        return build(str(products / "p.onnx"), options).package


@pytest.fixture
def package(board: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Package:
    """The package on a machine where nothing was finished yet."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return Package.open(board)


def running(package: Package) -> tuple[str, str]:
    """The engine that runs here, and why; nothing is said aloud."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with load(package, strict=True) as model:
            return model.engine.name, model.engine.reason


def test_a_build_leaves_settings_to_the_device(package: Package) -> None:
    specs = package.manifest.engines
    assert list(package.manifest.order) == [BASELINE, PACKED, "board-cpu-fp32-unplanned"]
    assert [name for name, spec in specs.items() if not spec.compared] == [PACKED, "board-cpu-fp32-unplanned"]
    assert UNPACKED.items() <= specs[BASELINE].parts["model"].session_options.items()
    assert not UNPACKED.keys() & specs[PACKED].parts["model"].session_options.keys()
    evidence = build_evidence(package)
    assert evidence.engine(PACKED).status == "unfinished"
    assert evidence.engine(PACKED).reasons[0].startswith(f"It is {BASELINE} with other settings of speed.")
    assert "'edgewright finish' times it against 2 other settings" in evidence.reason
    # The weights are there once, and nothing is preferred or said before it was timed.
    assert len(list(package.root.glob("shared_assets/*"))) <= 1
    assert running(package) == (BASELINE, "It is the first in the package's order.")


def test_what_is_no_candidate_is_verified_for_the_board(package: Package, tmp_path: Path) -> None:
    """Settings that wait for the device have names that the target's file need not know."""
    file = tmp_path / "board.toml"
    tables = recipe_text("fp32", method="float"), candidate_text("cpu-fp32", "fp32", session_options=UNPACKED)
    file.write_text(target_text(*tables, rung="emulated"), encoding="utf-8")
    report = verify_target(package.root, str(file))
    assert report.ok
    assert {one.name for one in report.engines if one.ran} == set(package.manifest.engines)


def test_finish_keeps_the_fastest(package: Package, monkeypatch: pytest.MonkeyPatch) -> None:
    recorded_times(monkeypatch, TIMES | {"board-cpu-fp32-unplanned": (0.8e-3,)})
    done = finish(package.root, settings=METER)
    found = {one.engine: one for one in done.engines}
    assert (done.first, done.failures, done.unchanged) == (PACKED, {}, False)
    assert found[PACKED].accepted
    # Packed weights are added up in another order.
    assert (found[PACKED].difference or 0.0) <= found[PACKED].tolerance
    assert 0 < (found[PACKED].ratio or 0.0) < 0.8
    assert found[PACKED].reason.endswith("It was timed anew, as the fastest of 2.")
    assert running(package) == (PACKED, "'edgewright finish' accepted it on this machine.")
    again = finish(package.root, settings=METER)
    assert (again.first, again.unchanged, set(again.engines)) == (PACKED, True, set(done.engines))
    # Another confidence is another question.
    assert not finish(package.root, settings=METER, confidence=0.9).unchanged


def test_what_is_not_faster_does_not_go_first(package: Package, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = {BASELINE: (1e-3,), PACKED: (1.1e-3, 0.9e-3, 1.2e-3), "board-cpu-fp32-unplanned": (2e-3,)}
    recorded_times(monkeypatch, slow)
    done = finish(package.root, settings=METER)
    assert done.first == BASELINE
    assert not any(one.accepted for one in done.engines)
    assert all(one.reason.startswith("Refused: not shown to be as fast.") for one in done.engines)
    assert running(package)[0] == BASELINE


def test_a_lucky_winner_is_found_out(package: Package, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a double for the first reading, in which another setting looks faster than it is."""
    lucky, asked = "board-cpu-fp32-unplanned", list[list[str]]()

    def judging(*arguments: object, **options: object) -> tuple[list[Finished], dict[str, str]]:
        asked.append([spec.name for spec in arguments[1]])  # type: ignore[attr-defined]
        made, unable = judge(*arguments, **options)  # type: ignore[arg-type]
        if len(asked) == 1:
            made = [dataclasses.replace(one, accepted=True, ratio=0.01) if one.engine == lucky else one for one in made]
        return made, unable

    monkeypatch.setattr(settings, "judge", judging)
    recorded_times(monkeypatch, {BASELINE: (1e-3,), PACKED: (0.5e-3,), lucky: (1.5e-3,)})
    done = finish(package.root, settings=METER)
    assert asked == [[PACKED, lucky], [lucky], [PACKED]]
    assert done.first == PACKED
    assert {one.engine: one.accepted for one in done.engines} == {PACKED: True, lucky: False}


def test_the_device_over_ssh(
    command: Command, server: SshServer, package: Package, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Timed there, and kept there: whoever opens the package on the device gets what was found."""
    recorded_times(monkeypatch, TIMES)
    words = ("--device", server.url(), "--rounds", "5", "--calls", "8")
    outcome = command("finish", package.root, *words)
    assert outcome.code == 0, outcome.err
    assert f"{PACKED} runs there." in " ".join(outcome.out.split())
    assert findings(package) == {}
    # Copies are gone; what was found stays, and is no copy of anything.
    assert [path for path in server.left if path.endswith(".json")] == [
        path for path in server.left if "finished/" in path
    ]
    assert not [path for path in server.left if "remote/" in path]
    monkeypatch.setenv("XDG_CACHE_HOME", str(server.cache))
    assert running(package)[0] == PACKED
    assert json.loads(command("inspect", package.root, "--json").out)
    assert findings(package)[PACKED].accepted


def test_nothing_waits_there(command: Command, server: SshServer, built_arrays: Path) -> None:
    command.refuses("finish", built_arrays, "--device", server.url(), says=("nothing to finish", "for tiny waits"))
    assert server.left == []


def test_an_emulated_device_is_not_timed_with_a_double_for_the_emulator(
    command: Command, server: SshServer, package: Package, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = SshDevice.send

    def sending(device: SshDevice, *what: Any) -> None:
        send(device, *what)
        device.machine = dataclasses.replace(device.machine, emulated=True)

    monkeypatch.setattr(SshDevice, "send", sending)
    words = ("finish", package.root, "--device", server.url())
    command.refuses(
        *words, says=("is an emulator", "whose times say nothing", "'edgewright bench' show what engines answer")
    )
    assert server.left == []


def test_engines_made_on_the_device_are_not_made_over_ssh(server: SshServer, package: Package) -> None:
    engines = package.manifest.engines
    plan = dataclasses.replace(engines[PACKED], engine="tensorrt")
    manifest = dataclasses.replace(package.manifest, engines=engines | {PACKED: plan})
    with pytest.raises(InputError, match="Engines for board are made on the device, which cannot be done over ssh"):
        finish_on(RemoteDevice(server.url()), dataclasses.replace(package, manifest=manifest), METER, Quiet(), None)
    assert server.left == []


def test_another_machine(package: Package, monkeypatch: pytest.MonkeyPatch) -> None:
    """Times taken elsewhere are not the target's; who names the target says that this machine is it."""
    monkeypatch.setattr(type(package.manifest.hardware["board"]), "matches_machine", lambda _: False)
    with pytest.raises(InputError, match="made for board, and this machine is not that"):
        finish(package.root, settings=METER)
    recorded_times(monkeypatch, TIMES)
    assert finish(package.root, target="board", settings=METER).first == PACKED


def test_each_setting_once() -> None:
    chosen = Candidate(name="int8", provider="CPU", precision="int8", session_options={"session.qdqisint8allowed": "1"})
    listed = [
        Candidate(name="float", provider="CPU", precision="fp32"),
        Candidate(name="alone", provider="CPU", precision="fp32", threads=1),
        Candidate(name="also-alone", provider="CPU", precision="fp32", threads=1),
        Candidate(
            name="other-numbers",
            provider="CPU",
            precision="bf16",
            session_options={"session.set_denormal_as_zero": "1"},
        ),
        Candidate(name="elsewhere", provider="GPU", precision="fp32", threads=3),
        dataclasses.replace(
            chosen,
            name="int8-waiting",
            session_options=chosen.session_options | {"session.intra_op.allow_spinning": "0"},
        ),
        chosen,
    ]
    found = settings_of(chosen, listed)
    assert [one.name for one in found] == ["int8-as-alone", "int8-waiting"]
    assert all(chosen.session_options.items() <= one.session_options.items() for one in found)
    assert [one.name for one in without_settings(listed, "float")] == [
        "float",
        "other-numbers",
        "elsewhere",
        "int8-waiting",
    ]
