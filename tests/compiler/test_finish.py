"""Engines that only a device can judge: what a build says of them, and what `finish` makes, keeps and decides.

No GPU is here, so nothing runs a plan. What `finish` does around that is real: plans come from the builder of TensorRT
for RTX, which needs no GPU, and engines that are compared and timed are those of the processor.
"""

import dataclasses
import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from command import QUICK, Command, run_apart
from edgewright_benchmarks.bench import build_evidence
from edgewright_benchmarks.meter import MeterSettings
from edgewright_benchmarks.progress import Quiet
from edgewright_compiler import device_plan
from edgewright_compiler.compile import CompileError
from edgewright_compiler.device_plan import stored_or_built
from edgewright_compiler.finish import judge, running
from edgewright_runtime import EngineFallbackWarning, EngineUnavailableError, Package, load, verify
from edgewright_runtime import finished as finished_module
from edgewright_runtime.archive import cache_folder
from edgewright_runtime.finished import (
    Finished,
    engine_key,
    findings,
    plan_folder,
    preferred,
    read_finished,
    stored_plan,
    write_finished,
)
from edgewright_runtime.likeness import Likeness
from edgewright_runtime.manifest import EngineSpec
from edgewright_runtime.selftest import GoldenSample
from edgewright_runtime.trt import RTX, missing
from edgewright_targets import hardware as hardware_module
from edgewright_targets.gpu import Gpu, unavailable
from edgewright_targets.host import architecture

pytestmark = pytest.mark.skipif(missing(RTX) is not None, reason=str(missing(RTX)))

GPU = Gpu("RTX 4090", "8.9", 24 * 2**30, "580.95 cuda 13000")
BASELINE, PLAN, LATER = "gpu-cpu-fp32", "gpu-ahead", "gpu-later"
TARGET = f"""
title = "A GPU that is not here"
architecture = "{architecture()}"
rung = "compiled"
baseline = "cpu-fp32"
compute_capabilities = ["8.9"]

[recipe.fp32]
method = "float"

[recipe.fp16]
method = "cast"
float_type = "float16"

[[candidate]]
name = "cpu-fp32"
provider = "CPUExecutionProvider"
precision = "fp32"
recipe = "fp32"

[[candidate]]
name = "ahead"
provider = "TensorRT-RTX"
precision = "fp16"
recipe = "fp16"
engine = "tensorrt-rtx"

[[candidate]]
name = "later"
provider = "TensorRT"
precision = "fp16"
recipe = "fp16"
engine = "tensorrt"
"""


@pytest.fixture(scope="module", autouse=True)
def no_gpu() -> None:
    if unavailable() is None:
        pytest.skip("these tests are about a machine without a GPU")


@pytest.fixture(scope="module")
def built(sources: Path, shared_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package with an engine built ahead of time and one to be made on the device, and behind them this machine's."""
    folder = tmp_path_factory.mktemp("gpu")
    (folder / "gpu.toml").write_text(TARGET, encoding="utf-8")
    output = folder / "gpu.ortpackage"
    data = ("--calibration", sources / "inputs.npz", "-o", output)
    targets = ("--target", folder / "gpu.toml", "--target", sources / "tiny.toml")
    done = run_apart("build", sources / "perceptron.onnx", *data, *targets, *QUICK, cache=shared_cache, cwd=folder)
    assert done.code == 0, done.err
    return output


@pytest.fixture
def package(built: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Package:
    """The package, with a cache folder where nothing was finished yet."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return Package.open(built)


@pytest.fixture
def gpu_here(monkeypatch: pytest.MonkeyPatch) -> list[Gpu]:
    """What the runtime takes for the GPU of this machine; may be replaced."""
    here = [GPU]
    monkeypatch.setattr(finished_module, "gpu", lambda: here[0])
    return here


@pytest.fixture
def such_a_pc(monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine is taken for one with the GPU of the target, whose driver is not installed."""
    monkeypatch.setattr(hardware_module, "capability_here", lambda: GPU.capability)


def on_the_device(package: Package) -> EngineSpec:
    """The engine that is made on the device, for the flavour that can be built here."""
    return dataclasses.replace(package.manifest.engines[LATER], engine="tensorrt-rtx")


def found(engine: str, *, ratio: float = 0.5, accepted: bool = True) -> Finished:
    return Finished(engine, accepted, "So it is.", 0.0, 0.01, ratio, ratio, ratio, "RTX 4090", "2026-11-24T00:00:00")


def passed_over(package: Package, *, strict: bool = False) -> list[str]:
    """The engines that are said aloud to be passed over; the float engine runs."""
    with pytest.warns(EngineFallbackWarning, match="NVIDIA driver"):
        model = load(package, strict=strict)
    model.close()
    assert model.engine.name == BASELINE
    return [name for name, _ in model.engine.passed_over]


def make(package: Package, spec: EngineSpec, here: Gpu = GPU) -> bool:
    return stored_or_built(package, spec, here, Quiet(), capabilities=("8.9",))


def test_a_build_says_that_nothing_ran(package: Package) -> None:
    result = build_evidence(package)
    statuses = {engine.name: (engine.rung, engine.status) for engine in result.engines}
    assert statuses == {
        BASELINE: ("declared", "baseline"),
        PLAN: ("compiled", "unfinished"),
        LATER: ("declared", "unfinished"),
    }
    for engine in result.engines:
        assert engine.latency is None
    for name in (PLAN, LATER):
        assert result.engine(name).accuracy is None
        assert "edgewright finish" in " ".join(result.engine(name).reasons)
    assert result.chosen == BASELINE
    assert "has compared 2 engines with it on the device" in result.reason


def test_what_the_package_holds(package: Package, built: Path) -> None:
    manifest = package.manifest
    assert manifest.engines_for("gpu") == (BASELINE, PLAN, LATER)
    assert [name for name, spec in manifest.engines.items() if not spec.compared] == [PLAN, LATER]
    # The same bytes come again.
    assert manifest.unreproducible == ()
    assert manifest.engines[PLAN].parts["model"].model_file.endswith("/engine.plan")
    assert manifest.engines[PLAN].tolerance == manifest.engines[LATER].tolerance > 2**-14
    evidence = built / "edgewright" / "evidence"
    assert "Engine generation completed" in (evidence / f"{PLAN}.compile.log").read_text(encoding="utf-8")
    assert "LayerType" in (evidence / f"{PLAN}.inspector.txt").read_text(encoding="utf-8")
    variants = json.loads((built / "manifest.json").read_text(encoding="utf-8"))["components"]["model"]["variants"]
    assert set(variants[PLAN]["executor_info"]) == {"tensorrt", "edgewright"}


def test_plain_onnx_runtime_opens_it(built: Path) -> None:
    context = onnxruntime.ModelPackageContext(str(built))
    options = onnxruntime.SessionOptions()
    options.add_provider("CPUExecutionProvider", {})
    session = context.select_component("model", onnxruntime.ModelPackageOptions(options)).create_session()
    assert [entry.name for entry in session.get_inputs()] == ["pixels"]


def test_the_float_engine_runs_and_says_why(package: Package, such_a_pc: None) -> None:
    assert passed_over(package) == [PLAN, LATER]
    # Nothing that the package prefers was passed over.
    assert passed_over(package, strict=True) == [PLAN, LATER]
    for name in (PLAN, LATER):
        with pytest.raises(EngineUnavailableError, match="NVIDIA driver"):
            load(package, engine=name)


def test_a_machine_without_such_a_gpu_runs_its_own_engine(package: Package, recwarn: pytest.WarningsRecorder) -> None:
    """The target comes first in the package, and its float engine would run here as well."""
    with load(package, strict=True) as model:
        assert model.engine.target == "tiny"
        assert model.engine.passed_over == ()
    assert not recwarn.list


def test_it_verifies(built: Path, such_a_pc: None) -> None:
    with pytest.warns(EngineFallbackWarning):
        assert verify(built).engine.name == BASELINE


def test_finish_says_what_is_missing(command: Command, built: Path, built_arrays: Path) -> None:
    command.refuses("finish", built, says=("no NVIDIA driver", PLAN, LATER, "on the device"))
    command.refuses("finish", built, "--target", "gpuu", says=("no engines for 'gpuu'", "Did you mean 'gpu'?"))
    command.refuses("finish", built_arrays, says=("nothing to finish",))


def test_a_plan_is_built_once(package: Package) -> None:
    spec = on_the_device(package)
    assert stored_plan(engine_key(package, spec, "model", GPU)) is None
    assert make(package, spec) is True
    plan = stored_plan(engine_key(package, spec, "model", GPU))
    assert plan is not None
    before = plan.stat()
    assert make(package, spec) is False
    assert plan.stat() == before
    assert sorted(path.name for path in plan.parent.iterdir()) == [
        "build.log",
        "engine.json",
        "engine.plan",
        "layers.txt",
    ]
    # Nothing is left aside, and the package is as it was.
    assert [path.name for path in plan.parent.parent.iterdir()] == [plan.parent.name]
    package.check_digests()


@pytest.mark.parametrize(
    "change",
    [
        {"name": "RTX 4080"},
        {"capability": "8.6"},
        {"memory_bytes": 2**30},
        {"driver": "581.00 cuda 13000"},
    ],
)
def test_another_gpu_or_driver_is_another_key(change: dict[str, Any], package: Package) -> None:
    spec = on_the_device(package)
    other = dataclasses.replace(GPU, **change)
    assert plan_folder(engine_key(package, spec, "model", GPU)) != plan_folder(
        engine_key(package, spec, "model", other)
    )


@pytest.mark.parametrize(
    "change",
    [
        {"precision": "bf16"},
        {"provider_options": {"profile": '{"pixels":[[1,8],[1,8],[2,8]]}'}},
    ],
)
def test_other_shapes_or_precision_are_another_key(change: dict[str, Any], package: Package) -> None:
    spec = on_the_device(package)
    if "provider_options" in change:
        change = {"parts": {"model": dataclasses.replace(spec.parts["model"], **change)}}
    other = dataclasses.replace(spec, **change)
    assert plan_folder(engine_key(package, spec, "model", GPU)) != plan_folder(engine_key(package, other, "model", GPU))


def test_another_tensorrt_graph_or_weight_is_another_key(package: Package, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = on_the_device(package)
    key = engine_key(package, spec, "model", GPU)
    files = key["graph and weights"]
    assert any(name.endswith("model.onnx") for name in files)
    assert any(name.endswith("weights.bin") for name in files)
    assert all(len(digest) == 64 for digest in files.values())
    for name in files:
        sums = {**package.digests(), name: "0" * 64}
        with monkeypatch.context() as patch:
            patch.setattr(Package, "digests", lambda self, sums=sums: sums)
            assert plan_folder(engine_key(package, spec, "model", GPU)) != plan_folder(key)
    module = type("Module", (), {"__version__": "9.9"})
    monkeypatch.setattr(finished_module, "load_module", lambda flavour: module)
    assert plan_folder(engine_key(package, spec, "model", GPU)) != plan_folder(key)


def test_a_damaged_plan_is_built_again(package: Package) -> None:
    spec = on_the_device(package)
    make(package, spec)
    key = engine_key(package, spec, "model", GPU)
    plan = plan_folder(key) / "engine.plan"
    whole = plan.read_bytes()
    plan.write_bytes(whole[:-1])
    assert stored_plan(key) is None
    assert make(package, spec) is True
    assert plan.read_bytes() == whole
    # An entry that lies about its key is none.
    facts = plan_folder(key) / "engine.json"
    data = json.loads(facts.read_text(encoding="utf-8"))
    data["key"]["driver"] = "another"
    facts.write_text(json.dumps(data), encoding="utf-8")
    assert stored_plan(key) is None


def test_a_build_that_fails_leaves_nothing(package: Package, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = on_the_device(package)
    with pytest.raises(CompileError, match=r"compute capability 8\.8"):
        stored_or_built(package, spec, GPU, Quiet(), capabilities=("8.8",))

    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(device_plan, "file_digest", interrupted)
    with pytest.raises(KeyboardInterrupt):
        make(package, spec)
    assert list((cache_folder() / "engines").iterdir()) == []
    assert stored_plan(engine_key(package, spec, "model", GPU)) is None


def test_the_same_bytes_as_the_build_of_the_package(package: Package, built: Path) -> None:
    """Both were built from the same graph for the same capability, here and in another folder and process."""
    spec = on_the_device(package)
    make(package, spec)
    plan = plan_folder(engine_key(package, spec, "model", GPU)) / "engine.plan"
    assert plan.read_bytes() == (built / package.manifest.engines[PLAN].parts["model"].model_file).read_bytes()


def test_what_was_found_is_kept_for_this_machine(package: Package, gpu_here: list[Gpu]) -> None:
    spec = package.manifest.engines[PLAN]
    assert findings(package) == {}
    path = write_finished(package, spec, GPU, found(PLAN))
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]
    assert findings(package) == {PLAN: found(PLAN)}
    assert preferred(findings(package)) == (PLAN,)
    gpu_here[0] = dataclasses.replace(GPU, driver="581.00 cuda 13000")
    assert findings(package) == {}
    gpu_here[0] = GPU
    path.write_text(path.read_text(encoding="utf-8")[:-20], encoding="utf-8")
    assert read_finished(package, spec, GPU) is None


def test_the_fastest_of_those_accepted_is_first() -> None:
    both = {"a": found("a", ratio=0.6), "b": found("b", ratio=0.4), "c": found("c", ratio=0.1, accepted=False)}
    assert preferred(both) == ("b", "a")


def test_an_accepted_engine_is_tried_first(package: Package, gpu_here: list[Gpu], such_a_pc: None) -> None:
    write_finished(package, package.manifest.engines[PLAN], GPU, found(PLAN))
    # It is first, and the driver is not there after all: passed over aloud, an error where that is asked for.
    assert passed_over(package) == [PLAN, LATER]
    with pytest.raises(EngineUnavailableError, match=PLAN):
        load(package, strict=True)


def test_a_refused_engine_is_not_tried_and_not_waited_for(
    package: Package, gpu_here: list[Gpu], such_a_pc: None
) -> None:
    write_finished(package, package.manifest.engines[PLAN], GPU, found(PLAN, accepted=False))
    assert passed_over(package) == [LATER]


def test_a_package_without_such_engines_asks_for_no_gpu(built_arrays: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never() -> Gpu:
        raise AssertionError("asked for a GPU")

    monkeypatch.setattr(finished_module, "gpu", never)
    with warnings.catch_warnings(), load(built_arrays):
        warnings.simplefilter("error")


def test_judgement(package: Package) -> None:
    """The float engine of one target judged against that of the other: equal, and hardly faster."""
    engine = package.manifest.engines["tiny-cpu-fp32"]
    settings = MeterSettings(rounds=3, calls=4, loads=1)
    made, unable = judge(package, [engine], BASELINE, "a GPU", settings, Quiet())
    assert unable == {}
    assert (made[0].difference, made[0].tolerance, made[0].gpu) == (0.0, engine.tolerance, "a GPU")
    assert made[0].ratio_low is not None
    assert made[0].ratio_high is not None
    assert made[0].ratio_low <= made[0].ratio_high
    assert made[0].accepted == (made[0].ratio_high <= 1)
    assert f"times the latency of {BASELINE}" in made[0].reason
    strict = dataclasses.replace(engine, tolerance=-1.0)
    refused, _ = judge(package, [strict], BASELINE, "a GPU", settings, Quiet())
    assert not refused[0].accepted
    assert refused[0].reason.startswith("Refused: its outputs differ from float by 0 ")


def test_a_classifier_must_answer_alike() -> None:
    """However wide the tolerance of a precision is."""
    scores = np.array([[0.1, 2.0, 1.9]], dtype=np.float32)
    golden = GoldenSample("text", {}, {"logits": scores})
    assert Likeness(chooses=True).same_choice({"logits": scores + 5}, golden.outputs)
    assert not Likeness(chooses=True).same_choice({"logits": scores[:, ::-1] * [1, 1, 30]}, golden.outputs)


def test_an_engine_that_cannot_run_is_a_reason(package: Package) -> None:
    settings = MeterSettings(rounds=2, calls=4, loads=1)
    assert running(package) == BASELINE
    made, unable = judge(package, [package.manifest.engines[PLAN]], BASELINE, "a GPU", settings, Quiet())
    assert made == []
    assert "NVIDIA driver" in unable[PLAN]


def test_the_cache_shows_and_clears_them(package: Package, command: Command) -> None:
    make(package, on_the_device(package))
    write_finished(package, package.manifest.engines[PLAN], GPU, found(PLAN))
    shown = json.loads(command("cache", "--json").out)
    assert [entry["stage"] for entry in shown["entries"]] == ["engines"]
    assert command("cache", "clear").code == 0
    assert not any((cache_folder() / name).is_dir() and any((cache_folder() / name).iterdir()) for name in ("engines",))
    assert not (cache_folder() / "finished").exists()
