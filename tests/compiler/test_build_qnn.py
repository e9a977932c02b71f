"""A build for this machine and a Snapdragon chip: engines for its NPU, each on its own rung, in every output."""

import json
from pathlib import Path

import numpy as np
import onnx_ir as ir
import pytest

from command import Command
from doubles import QUICK_METER
from edgewright_benchmarks.bench import bench, build_evidence
from edgewright_benchmarks.report import render_html, render_markdown
from edgewright_compiler import BuildOptions, Built, build
from edgewright_compiler.reach.execution_modes import planned
from edgewright_compiler.reach.verify_target import verify_target
from edgewright_runtime import EngineUnavailableError, Package, load
from edgewright_runtime.providers import qnn
from edgewright_targets import InputError, load_target
from snapdragon import needs_qnn
from tiny_targets import Setting, candidate_text

TARGET = "snapdragon-8-gen-3"
ON_NPU: dict[str, Setting] = {"engine": "epcontext", "provider_options": {"htp_arch": "75", "soc_model": "57"}}


def write_target(path: Path, **partial: bool) -> Path:
    """A chip with an int8 engine for each of `partial`: whether it may leave nodes to the CPU."""
    text = f'title = "A chip"\nextends = "{TARGET}"\n'
    text += candidate_text("cpu-fp32", "fp32")
    for name, allowed in partial.items():
        settings = ON_NPU | {"allow_partial": allowed}
        text += candidate_text(name, "npu-int8", "int8", "QNNExecutionProvider", **settings)
    path.write_text(text, encoding="utf-8")
    return path


def write_hardmax(path: Path) -> Path:
    """From `pixels` [n, 8] to `scores` [n, 4], by way of an operator that the NPU does not have."""
    random = np.random.default_rng(0)
    weights = [
        ir.Value(name=f"w{index}", const_value=ir.tensor(random.normal(size=size).astype(np.float32), name=f"w{index}"))
        for index, size in enumerate([(8, 16), (16, 4)])
    ]
    pixels = ir.Value(name="pixels", shape=ir.Shape(["n", 8]), type=ir.TensorType(ir.DataType.FLOAT))
    first = ir.node("MatMul", [pixels, weights[0]])
    hardmax = ir.node("Hardmax", [first.outputs[0]])
    last = ir.node("MatMul", [hardmax.outputs[0], weights[1]])
    scores = last.outputs[0]
    scores.name, scores.shape, scores.type = "scores", ir.Shape(["n", 4]), ir.TensorType(ir.DataType.FLOAT)
    graph = ir.Graph(
        [pixels],
        [scores],
        nodes=[first, hardmax, last],
        initializers=weights,
        opset_imports={"": 20},
        name="hardmax",
    )
    ir.save(ir.Model(graph, ir_version=10), path)
    return path


def build_for(source: Path, sources: Path, output: Path, *targets: str | Path, max_drop: float = 0.5) -> Built:
    options = BuildOptions(
        output=output,
        targets=tuple(str(target) for target in targets),
        calibration=sources / "inputs.npz",
        max_drop=max_drop,
        emulated_samples=12,
        meter=QUICK_METER,
    )
    return build(str(source), options)


@pytest.fixture(scope="module")
def built(sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Built:
    output = tmp_path_factory.mktemp("built") / "p.ortpackage"
    return build_for(sources / "perceptron.onnx", sources, output, sources / "tiny.toml", TARGET)


class TestEmulated:
    """What needs the plugin."""

    pytestmark = needs_qnn

    def test_each_engine_has_its_own_rung(self, built: Built) -> None:
        here, chip = built.results
        assert {engine.rung for engine in here.engines} == {"measured"}
        assert {engine.precision: engine.rung for engine in chip.engines} == {
            "fp32": "declared",
            "int8": "emulated",
            "w8a16": "emulated",
        }
        assert not any(engine.latency or engine.load_seconds or engine.peak_memory_bytes for engine in chip.engines)
        assert chip.data.samples == 12
        baseline = chip.engine(chip.baseline)
        assert baseline.accuracy is None
        assert f"It was not run on {TARGET}" in baseline.reasons[0]
        assert "agreement was 100.00% on 12 samples" in baseline.reasons[1]

    def test_the_share_of_the_npu_and_the_shapes_are_said(self, built: Built) -> None:
        engine = built.results[1].engine(f"{TARGET}-npu-int8")
        assert set(engine.nodes) == {"QNNExecutionProvider"}
        reasons = " ".join(engine.reasons)
        assert f"runs all {sum(engine.nodes.values())} nodes" in reasons
        assert "pixels has the fixed shape [1, 8]" in reasons

    def test_this_machine_runs_its_own_engine(self, built: Built, sources: Path, tmp_path: Path) -> None:
        with load(built.package) as model:
            assert model.engine.target == "tiny"
        chosen = built.results[1].chosen
        with pytest.raises(EngineUnavailableError, match="made for aarch64; this machine is"):
            load(built.package, engine=chosen)
        source = sources / "perceptron.onnx"
        turned = build_for(source, sources, tmp_path / "turned.ortpackage", TARGET, sources / "tiny.toml")
        # Whatever comes first in the package: an engine for other hardware is not one that is passed over.
        with load(turned.package, strict=True) as model:
            assert model.engine.target == "tiny"
            assert model.engine.passed_over == ()

    def test_the_package_keeps_what_the_compiler_said(self, built: Built) -> None:
        package = Package.open(built.package)
        chosen = built.results[1].chosen
        assert package.manifest.engines[chosen].engine == "epcontext"
        assert package.manifest.unreproducible == ()
        package.check_digests()
        names = {path.name for path in (built.package / "edgewright" / "evidence").iterdir()}
        assert names >= {"tiny.json", f"{TARGET}.json", f"{chosen}.compile.log"}
        assert build_evidence(package, TARGET) == built.results[1]

    def test_golden_samples_are_answered_in_the_emulator(self, built: Built) -> None:
        report = verify_target(built.package, TARGET)
        assert report.ok
        assert {check.name: (check.ran, check.rung) for check in report.engines} == {
            built.results[1].chosen: (True, "emulated"),
            built.results[1].baseline: (False, "declared"),
        }

    def test_every_output_says_the_rung_and_none_a_time(
        self, built: Built, sources: Path, command: Command, tmp_path: Path
    ) -> None:
        shown = command("inspect", built.package)
        table = [line.split() for line in shown.out.splitlines() if line.split()[1:3] == ["npu-int8", "emulated"]]
        assert table
        # Behind the status comes how well it answers: where nobody took a time, none has a column.
        assert table[0][4].endswith("%")
        data = json.loads(command("inspect", built.package, "--json").out)
        rungs = {entry["name"]: entry["rung"] for entry in data["evidence"][TARGET]["engines"]}
        assert rungs[built.results[1].chosen] == "emulated"
        page = render_html(built.results[1])
        text = render_markdown(built.results[1])
        for report in (page, text):
            assert "emulated" in report
            assert "QNNExecutionProvider runs all" in report
            assert "latency was not measured" in report
        assert " ms" not in text
        benched = bench(built.package, sources / "inputs.npz", settings=QUICK_METER)
        assert {engine.target for engine in benched.engines} == {"tiny"}

    def test_a_part_of_the_graph_is_left_to_the_cpu_only_where_that_is_allowed(
        self, sources: Path, tmp_path: Path
    ) -> None:
        source = write_hardmax(tmp_path / "hardmax.onnx")
        target = write_target(tmp_path / "chip.toml", whole=False, part=True)
        (result,) = build_for(source, sources, tmp_path / "p.ortpackage", target).results
        whole, part = result.engine("chip-whole"), result.engine("chip-part")
        assert (whole.status, whole.rung) == ("failed", "declared")
        assert "The CPU runs: " in whole.reasons[0]
        assert "Hardmax" in whole.reasons[0]
        assert part.rung == "emulated"
        assert set(part.nodes) == {"QNNExecutionProvider", "CPUExecutionProvider"}
        assert "%), the CPU the others" in " ".join(part.reasons)

    def test_where_every_engine_for_the_npu_is_refused_the_baseline_ships_as_declared(
        self, sources: Path, tmp_path: Path
    ) -> None:
        source = write_hardmax(tmp_path / "hardmax.onnx")
        target = write_target(tmp_path / "chip.toml", whole=False)
        (result,) = build_for(source, sources, tmp_path / "p.ortpackage", target).results
        assert result.chosen == result.baseline
        assert result.engine(result.chosen).rung == "declared"
        assert any("neither predictions nor latency were checked" in warning for warning in result.warnings)
        assert Package.open(tmp_path / "p.ortpackage").manifest.order == ("chip-cpu-fp32",)


def test_without_the_plugin_nothing_is_begun(sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(qnn, "architecture", lambda: "x86_64")
    monkeypatch.setattr(qnn, "_PLUGIN", "no_such_plugin")
    with pytest.raises(InputError, match=r"pip install 'edgewright\[qnn\]'"):
        build_for(sources / "perceptron.onnx", sources, tmp_path / "p.ortpackage", TARGET)
    monkeypatch.setattr(qnn, "architecture", lambda: "riscv64")
    with pytest.raises(InputError, match="runs on x86-64 only; this machine is riscv64"):
        build_for(sources / "perceptron.onnx", sources, tmp_path / "p.ortpackage", TARGET)
    assert not list(tmp_path.iterdir())


def test_other_processors_are_not_taken_for_the_chip() -> None:
    assert not load_target(TARGET).matches_machine()
    assert {name: way.rung for name, way in planned(load_target(TARGET)).items()} == {
        "cpu-fp32": "declared",
        "npu-int8": "emulated",
        "npu-w8a16": "emulated",
        "npu-int8-channels": "emulated",
        "npu-w8a16-channels": "emulated",
    }


@pytest.mark.parametrize(
    "options",
    [
        {"htp_arch": "76", "soc_model": "57"},
        {"htp_arch": "75"},
        {"htp_arch": "75", "soc_model": "SM8650"},
        {},
    ],
    ids=["unknown architecture", "no chip", "a chip's name", "neither"],
)
def test_options_that_name_no_npu_are_refused_before_any_work(
    sources: Path, tmp_path: Path, options: dict[str, str]
) -> None:
    settings = ON_NPU | {"provider_options": options}
    target = tmp_path / "chip.toml"
    target.write_text(
        f'title = "A chip"\nextends = "{TARGET}"\n'
        + candidate_text("cpu-fp32", "fp32")
        + candidate_text("whole", "npu-int8", "int8", "QNNExecutionProvider", **settings),
        encoding="utf-8",
    )
    with pytest.raises(InputError, match="needs the options htp_arch and soc_model"):
        build_for(sources / "perceptron.onnx", sources, tmp_path / "p.ortpackage", target)
