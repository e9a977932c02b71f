"""Engines that only a device can judge: what a build says of them, and what `finish` makes, keeps and decides.

No GPU is here, so nothing runs a plan. What `finish` does around that is real: plans come from the builder of TensorRT
for RTX, which needs no GPU, and engines that are compared and timed are those of the processor.
"""

import dataclasses
import json
import warnings
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from command import Command
from doubles import QUICK_METER
from edgewright_benchmarks.bench import build_evidence
from edgewright_benchmarks.measuring.meter_settings import MeterSettings
from edgewright_benchmarks.progress import Progress, Quiet
from edgewright_compiler.compile import CompileError
from edgewright_compiler.finish import on_device
from edgewright_compiler.finish.judgement import judge
from edgewright_compiler.finish.on_device import finish, running
from edgewright_runtime import EngineFallbackWarning, EngineUnavailableError, Package, load, verify
from edgewright_runtime import finished as finished_module
from edgewright_runtime.finished import (
    findings,
    preferred,
    read_finished,
    write_finished,
)
from edgewright_runtime.likeness import Likeness
from edgewright_runtime.manifest import EngineSpec
from edgewright_runtime.selftest import GoldenSample
from edgewright_targets import hardware as hardware_module
from edgewright_targets.gpu import Gpu
from unfinished import BASELINE, GPU, LATER, PLAN, found, needs_no_gpu

pytestmark = needs_no_gpu


@pytest.fixture
def package(unfinished: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Package:
    """The package, with a cache folder where nothing was finished yet."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return Package.open(unfinished)


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


def passed_over(package: Package, *, strict: bool = False) -> list[str]:
    """The engines that are said aloud to be passed over; the float engine runs."""
    with pytest.warns(EngineFallbackWarning, match="NVIDIA driver"):
        model = load(package, strict=strict)
    model.close()
    assert model.engine.name == BASELINE
    return [name for name, _ in model.engine.passed_over]


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


def test_what_the_package_holds(package: Package, unfinished: Path) -> None:
    manifest = package.manifest
    assert manifest.engines_for("gpu") == (BASELINE, PLAN, LATER)
    assert [name for name, spec in manifest.engines.items() if not spec.compared] == [PLAN, LATER]
    # The same bytes come again.
    assert manifest.unreproducible == ()
    assert manifest.engines[PLAN].parts["model"].model_file.endswith("/engine.plan")
    assert manifest.engines[PLAN].tolerance == manifest.engines[LATER].tolerance > 2**-14
    evidence = unfinished / "edgewright" / "evidence"
    assert "Engine generation completed" in (evidence / f"{PLAN}.compile.log").read_text(encoding="utf-8")
    assert "LayerType" in (evidence / f"{PLAN}.inspector.txt").read_text(encoding="utf-8")
    variants = json.loads((unfinished / "manifest.json").read_text(encoding="utf-8"))["components"]["model"]["variants"]
    assert set(variants[PLAN]["executor_info"]) == {"tensorrt", "edgewright"}


def test_plain_onnx_runtime_opens_it(unfinished: Path) -> None:
    context = onnxruntime.ModelPackageContext(str(unfinished))
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


def test_it_verifies(unfinished: Path, such_a_pc: None) -> None:
    with pytest.warns(EngineFallbackWarning):
        assert verify(unfinished).engine.name == BASELINE


def test_finish_says_what_is_missing(command: Command, unfinished: Path, built_arrays: Path) -> None:
    command.refuses("finish", unfinished, says=("no NVIDIA driver", PLAN, LATER, "on the device"))
    command.refuses("finish", unfinished, "--target", "gpuu", says=("no engines for 'gpuu'", "Did you mean 'gpu'?"))
    command.refuses("finish", built_arrays, says=("nothing to finish",))


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
    settings = QUICK_METER
    assert running(package) == BASELINE
    made, unable = judge(package, [package.manifest.engines[PLAN]], BASELINE, "a GPU", settings, Quiet())
    assert made == []
    assert "NVIDIA driver" in unable[PLAN]


def test_only_a_kind_made_on_the_device_is_built_there(package: Package, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plan that was built ahead of time goes to the judge as it lies in the package."""
    monkeypatch.setattr(on_device, "gpu", lambda: GPU)
    monkeypatch.setattr(on_device, "missing", lambda flavour: None)
    asked = []

    def built(package: Package, spec: EngineSpec, here: Gpu, progress: Progress) -> bool:
        asked.append(spec.name)
        raise CompileError("There is no GPU.")

    monkeypatch.setattr(on_device, "stored_or_built", built)
    monkeypatch.setattr(on_device, "read_finished", lambda *_: found(PLAN))
    done = finish(package.root)
    assert asked == [LATER]
    assert done.failures == {LATER: "There is no GPU."}
    assert [one.engine for one in done.engines] == [PLAN]
