"""The device runtime as a 64-bit Arm process: its answers are those of its graphs, and it says what it is."""

import dataclasses
import json
import os
import shutil
import stat
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from command import Command
from edgewright_benchmarks.devices.engine_worker import Place, WorkerError
from edgewright_benchmarks.devices.workers import WorkerProcess
from edgewright_benchmarks.measuring.emulated_answers import answer_engines
from edgewright_benchmarks.measuring.parallel import answers_in_parallel
from edgewright_benchmarks.progress import Quiet
from edgewright_cli import main
from edgewright_compiler.building.job import BuildOptions
from edgewright_compiler.building.read_jobs import read_jobs
from edgewright_compiler.building.unmeasured_package import draft_package
from edgewright_compiler.cache import StageCache
from edgewright_compiler.emulators import aarch64, debian, qemu, wheels
from edgewright_runtime import Package
from edgewright_runtime.cache_folder import cache_folder
from edgewright_targets import EdgewrightError, InputError, host_facts
from exact import exact_output
from tiny_models import write_arrays, write_onnx

ENGINES = ("aarch64-cpu-fp32", "aarch64-cpu-int8", "aarch64-cpu-int8-dynamic")
# Arm's manuals: dot products came with Armv8.2-A, so the A72 has none; matrix products of bytes with Armv8.6-A.
CPUS = {
    "cortex-a72": {"asimd"},
    "cortex-a76": {"asimd", "asimddp", "asimdhp"},
    "max": {"asimd", "asimddp", "asimdhp", "i8mm", "bf16"},
}
_SAMPLES = 12
# The user's own, read before the tests of this folder are given another: what is fetched stays for the next run.
_CACHE = cache_folder()


@pytest.fixture(scope="session")
def emulator() -> aarch64.Emulator:
    """Prepared in the user's own cache, where it stays: fetching it takes a minute or two."""
    reason = aarch64.missing(StageCache(_CACHE))
    if reason is not None:
        pytest.skip(reason)
    try:
        return aarch64.prepare(Quiet(), StageCache(_CACHE))
    except EdgewrightError as error:
        # No mirror or index within reach, or one without what it takes; the sentence says which.
        pytest.skip(f"The emulator cannot be prepared: {error.message}")


@pytest.fixture(scope="module")
def packages(emulator: aarch64.Emulator, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The same graphs twice: for the emulator, and under this machine's name."""
    del emulator
    folder = tmp_path_factory.mktemp("aarch64")
    model, data = write_onnx(folder / "model.onnx"), write_arrays(folder / "data.npz")
    (job,) = read_jobs(str(model), BuildOptions(output=folder / "p", targets=("aarch64",), calibration=data))
    cache = StageCache(folder / "cache")
    assert set(draft_package(job, folder / "arm", cache, Quiet())) == set(ENGINES)
    own = dataclasses.replace(job.target, architecture=host_facts().architecture)
    draft_package(dataclasses.replace(job, target=own), folder / "here", cache, Quiet())
    return folder / "arm", folder / "here"


def samples() -> list[dict[str, np.ndarray]]:
    random = np.random.default_rng(5)
    return [{"pixels": random.normal(size=(1, 8)).astype(np.float32)} for _ in range(_SAMPLES)]


def answers(worker: WorkerProcess, package: Path, engine: str) -> np.ndarray:
    worker.load(package, engine, 1)
    return np.stack([answer.outputs["scores"] for answer in worker.answer(range(_SAMPLES))])


def exact(package: Path, engine: str) -> np.ndarray:
    return np.stack([exact_output(package / "model" / engine / "model.onnx", sample) for sample in samples()])


@pytest.mark.slow
@pytest.mark.parametrize("cpu", CPUS)
def test_a_worker_there_says_what_it_is_and_answers_as_it_should(
    cpu: str,
    emulator: aarch64.Emulator,
    packages: tuple[Path, Path],
    record_property: Callable[[str, object], None],
) -> None:
    arm, here = packages
    with WorkerProcess(command=emulator.command(cpu)) as there, WorkerProcess() as ours:
        machine = there.machine
        assert machine.architecture == "aarch64"
        assert machine.emulated is True
        assert machine.cpu == f"{cpu} emulated by QEMU {emulator.qemu.version}"
        features = set(machine.features)
        assert features == CPUS[cpu] if cpu != "max" else features > CPUS[cpu]
        assert "emulated" not in str(ours.machine.cpu)
        there.keep(samples())
        ours.keep(samples())
        for name in ENGINES:
            # This machine's int8 kernels may saturate, those of 64-bit Arm never do.
            expected = answers(ours, here, name) if name.endswith("fp32") else exact(arm, name)
            found = answers(there, arm, name)
            differences = np.abs(found - expected).max(axis=(1, 2)) / np.abs(expected).max()
            record_property(f"{name} on {cpu}, difference of each sample", differences.tolist())
            # Integer kernels add up exactly; only where a scale lands on an edge a value moves a step.
            assert differences.max() <= (1e-5 if name.endswith("fp32") else 2e-2), (name, differences)


@pytest.mark.slow
def test_pictures_recordings_and_videos_can_be_read_there(emulator: aarch64.Emulator) -> None:
    code = (
        "import sys; sys.path[:0] = sys.argv[1:]; import av, PIL.Image, soundfile, soxr; print(soundfile.__version__)"
    )
    python = aarch64._python(emulator.qemu, emulator.system, emulator.python, aarch64.DEFAULT_CPU)
    paths = (emulator._site, str(emulator.libraries))
    done = subprocess.run([*python, "-c", code, *paths], capture_output=True, text=True)
    assert done.stdout.strip() == emulator.versions["soundfile"], done.stderr


@pytest.mark.slow
def test_all_cores_answer_in_the_emulator(emulator: aarch64.Emulator, packages: tuple[Path, Path]) -> None:
    there, here = {ENGINES[0]: Place(emulator.command("cortex-a76"))}, {ENGINES[0]: Place()}
    found = answer_engines(packages[0], there, samples(), "", Quiet())[ENGINES[0]]
    expected = answer_engines(packages[1], here, samples(), "", Quiet())[ENGINES[0]]
    assert found.failure is None
    for answer, ours in zip(found.predictions, expected.predictions, strict=True):
        np.testing.assert_allclose(answer.outputs["scores"], ours.outputs["scores"], rtol=1e-5, atol=1e-6)


@pytest.mark.slow
def test_an_engine_for_this_machine_is_refused_there(emulator: aarch64.Emulator, packages: tuple[Path, Path]) -> None:
    with pytest.raises(WorkerError, match=r"was made for x86_64; this machine is aarch64"):
        answers_in_parallel(Place(emulator.command()), packages[1], ENGINES[0], samples(), 2, Quiet().bar("", 1))


@pytest.mark.slow
def test_an_unknown_processor_is_told_with_those_there_are(emulator: aarch64.Emulator) -> None:
    with pytest.raises(InputError, match="does not emulate 'cortex-a75'") as caught:
        emulator.command("cortex-a75")
    assert "cortex-a76" in caught.value.hint


@pytest.mark.slow
def test_preparing_again_does_nothing(
    emulator: aarch64.Emulator, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(_CACHE.parent))
    before = emulator.system.stat().st_ino
    assert main(["targets", "prepare", "aarch64", "--json"]) == 0
    out, err = capsys.readouterr()
    told = json.loads(out)
    assert (told["folder"], told["bytes"]) == (str(emulator.system), emulator.size())
    assert err == ""
    assert emulator.system.stat().st_ino == before


@pytest.mark.slow
def test_nothing_of_this_python_reaches_the_emulated_one(
    emulator: aarch64.Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Another Python may have left some in a cache that is kept from run to run.
    before = set(emulator.system.rglob("*.pyc"))
    (tmp_path / "numpy.py").write_text("raise SystemExit('the wrong numpy')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("LD_PRELOAD", "")
    with WorkerProcess(command=emulator.command("cortex-a76")) as worker:
        worker.keep(samples())
        assert worker.machine.architecture == "aarch64"
    # Not where the sources are: the system and the libraries stay as they were fetched.
    (kept,) = emulator.bytecode.rglob("edgewright_runtime/worker.*.pyc")
    assert kept.stat().st_size
    assert set(emulator.system.rglob("*.pyc")) == before


def test_samples_are_answered_once_and_in_order(tmp_path: Path) -> None:
    model, data = write_onnx(tmp_path / "model.onnx"), write_arrays(tmp_path / "data.npz")
    (job,) = read_jobs(str(model), BuildOptions(output=tmp_path / "p", targets=("host",), calibration=data))
    names = draft_package(job, tmp_path / "draft", StageCache(tmp_path / "cache"), Quiet())
    (name,) = (name for name in names if name.endswith("cpu-fp32"))
    one, _, _ = answers_in_parallel(Place(), tmp_path / "draft", name, samples(), 1, Quiet().bar("", 1))
    many, info, _ = answers_in_parallel(Place(), tmp_path / "draft", name, samples(), 3, Quiet().bar("", 1))
    assert info.name == name
    for alone, together in zip(one, many, strict=True):
        np.testing.assert_array_equal(alone.outputs["scores"], together.outputs["scores"])
    with pytest.raises(WorkerError, match="no engine 'nothing'"):
        answers_in_parallel(Place(), tmp_path / "draft", "nothing", samples(), 2, Quiet().bar("", 1))


def _fake_qemu(folder: Path, version: str) -> None:
    path = folder / "qemu-aarch64"
    path.write_text(f"#!/bin/sh\necho 'qemu-aarch64 version {version} (Debian)'\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def test_an_old_qemu_is_told_with_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(shutil, "which", lambda name: str(tmp_path / name) if (tmp_path / name).exists() else None)
    _fake_qemu(tmp_path, "7.2.22")
    cache = StageCache(tmp_path / "cache")
    assert "7.2.22, but 8 or newer is needed. Install QEMU 8" in str(qemu.missing(cache))
    _fake_qemu(tmp_path, "10.0.2")
    assert qemu.missing(cache) is None


def test_without_debian_it_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert "apt-get or apt-cache or dpkg is not on the PATH" in str(aarch64.missing(StageCache(tmp_path)))
    with pytest.raises(InputError, match="aarch64 cannot be emulated here"):
        aarch64.prepare(Quiet(), StageCache(tmp_path))
    assert not list(tmp_path.iterdir())


def test_a_target_out_of_reach_is_refused_with_what_is_missing(
    command: Command, sources: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(shutil, "which", lambda name: None)
    build = ("build", sources / "perceptron.onnx", "--calibration", sources / "inputs.npz", "-o", tmp_path / "p")
    says = [
        "Target 'raspberry-pi-5' (aarch64) cannot be reached from this machine",
        "The emulator needs Debian or a derived system: apt-get or apt-cache or dpkg is not on the PATH.",
        "'--target host' is this machine",
    ]
    command.refuses(*build, "--target", "raspberry-pi-5", says=says)
    assert not (tmp_path / "p").exists()


@pytest.mark.slow
def test_what_is_prepared_needs_nothing_that_fetches(
    emulator: aarch64.Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(debian, "missing", lambda: "there is no apt-get")
    monkeypatch.setattr(wheels, "missing", lambda: "there is no pip")
    assert aarch64.missing(StageCache(_CACHE)) is None
    assert aarch64.prepare(Quiet(), StageCache(_CACHE)) == emulator


@pytest.mark.slow
def test_from_a_checkpoint_to_a_verified_package_for_a_board(
    emulator: aarch64.Emulator,
    command: Command,
    sources: Path,
    checkpoint: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # The prepared emulator is the user's; the stages of this build are no business of his.
    monkeypatch.setattr(aarch64, "StageCache", lambda: StageCache(_CACHE))
    package = tmp_path / "intents.ortpackage"
    data = ("--calibration", sources / "train.csv", "--evaluation", sources / "validation.csv", "--max-drop", "50%")
    # A few of the board's candidates: each engine that is answered or verified in the emulator takes seconds.
    names = ("cpu-fp32", "cpu-int8-dynamic", "cpu-int8", "webgpu-fp32", "cpu-int8-no-spinning")
    board = tmp_path / "board.toml"
    tables = "".join(f'\n[[candidate]]\nname = "{name}"\n' for name in names)
    board.write_text(f'kind = "target"\ntitle = "A board"\nextends = "raspberry-pi-5"\n{tables}', encoding="utf-8")
    # Its weights are random.
    targets = ("--target", board, "--emulated-samples", "10", "--accept-baseline")
    built = command("build", checkpoint, *data, *targets, "-o", package)
    assert built.code == 0, built.err
    assert "latency was not measured" in " ".join(built.err.split())
    assert " 10 samples differ from x86_64 (" in " ".join(built.out.split())
    (evidence,) = json.loads(command("inspect", package, "--json").out)["evidence"].values()
    assert evidence["machine"]["cpu"].startswith("cortex-a76 emulated by QEMU")
    gpu = [engine for engine in evidence["engines"] if engine["provider"] == "WebGpuExecutionProvider"]
    # The emulated board has no GPU, and nothing is claimed of one.
    assert {engine["rung"] for engine in gpu} == {"declared"}
    assert not any(engine.get("accuracy") for engine in gpu)
    # Settings of speed are for the device to decide.
    waiting = [engine for engine in evidence["engines"] if engine["status"] == "unfinished"]
    assert [(engine["rung"], engine.get("accuracy")) for engine in waiting] == [("declared", None)]
    ran = [engine for engine in evidence["engines"] if engine not in (*gpu, *waiting)]
    assert len(ran) == 3
    for engine in ran:
        assert engine["rung"] == "emulated"
        assert not engine.get("latency")
        assert not engine.get("load_seconds")
        assert len(engine["native"]["differences"]) == engine["native"]["samples"] == 10
        # Other kernels round otherwise; the float engine's answers hardly move.
        assert engine["native"]["largest"] <= (1e-4 if engine["precision"] == "fp32" else 0.1)
    checked = command("verify", package, "--target", board, "--json")
    assert checked.code == 0, checked.err
    told = json.loads(checked.out)
    assert (told["ok"], told["machine"]["emulated"], told["samples"]) == (True, True, 8)
    assert {engine["name"] for engine in told["engines"]} == set(Package.open(package).manifest.engines)
    assert {engine["rung"] for engine in told["engines"]} == {"emulated"}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "debian.sources",
            """# why
Types: deb deb-src
URIs: http://mirror.invalid/debian
Suites: trixie trixie-updates
Components: main
Signed-By: /k.gpg

Types: deb
URIs: http://other.invalid
Suites: nodistro
""",
        ),
        (
            "debian.list",
            """# deb http://off.invalid trixie main
deb [arch=amd64 signed-by=/k.gpg] http://mirror.invalid/debian trixie main contrib
""",
        ),
    ],
)
def test_backports_are_the_systems_own_source_with_another_suite(
    name: str, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list.d" / name).write_text(text)
    monkeypatch.setattr(debian, "_ETC", tmp_path)
    monkeypatch.setattr(debian, "codename", lambda: "trixie")
    lines = str(debian.backports()).splitlines()
    assert lines[:2] == ["Types: deb", "Suites: trixie-backports"]
    assert {"URIs: http://mirror.invalid/debian", "Signed-By: /k.gpg"} <= set(lines)
    assert sum(line.startswith("Suites:") for line in lines) == 1
    monkeypatch.setattr(debian, "codename", lambda: "bookworm")
    assert debian.backports() is None


@pytest.mark.parametrize("name", ["../outside.py", "/etc/outside.py", "a/../../outside.py"])
def test_a_wheel_that_leads_out_of_its_folder_is_refused(name: str, tmp_path: Path) -> None:
    wheel = tmp_path / "bad.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("good.py", "")
        archive.writestr(name, "")
    with pytest.raises(EdgewrightError, match="is outside its folder"):
        wheels.unpack(wheel, tmp_path / "into")
    assert not (tmp_path / "into").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("prepare",), "which emulator"),
        (("prepare", "x86-64"), "There is no emulator for target 'x86-64'"),
        (("prepare", "aarch46"), "Did you mean 'aarch64'"),
    ],
)
def test_wrong_words(words: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["targets", *words]) == 2
    assert message in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize(
    "words", [("-q", "prepare", "nothing"), ("prepare", "-q", "nothing"), ("prepare", "nothing", "-q")]
)
def test_options_may_stand_anywhere(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["targets", *words]) == 2
    assert "Unknown target 'nothing'" in " ".join(capsys.readouterr().err.split())
