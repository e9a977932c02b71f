"""The Snapdragon NPU without a Snapdragon: quantized, compiled ahead of time, and answered in its emulator."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgewright_benchmarks.devices.engine_worker import WorkerError
from edgewright_benchmarks.devices.workers import WorkerProcess
from edgewright_benchmarks.measuring.emulated_answers import answer_engines
from edgewright_benchmarks.progress import Quiet
from edgewright_compiler import emulators
from edgewright_compiler.building.assemble import PackageContents, assemble
from edgewright_compiler.building.engine_draft import EngineDraft, PartDraft
from edgewright_compiler.building.engine_files import EngineFiles, PackedEngine, PartFiles
from edgewright_compiler.compile import CompileError, CompileRequest, compiler
from edgewright_compiler.graphs.exported import read_exported
from edgewright_compiler.graphs.feed_shapes import shapes_of
from edgewright_compiler.graphs.fixed_shapes import choose_shapes, fix_shapes
from edgewright_compiler.graphs.quantize import quantize
from edgewright_compiler.graphs.quantizers import QuantizationError
from edgewright_compiler.sources import SourceOptions, open_source
from edgewright_runtime import EngineUnavailableError, Model, load
from edgewright_runtime.errors import SampleCutWarning
from edgewright_runtime.manifest import Manifest, SourceFacts
from edgewright_runtime.probe import Probe
from edgewright_runtime.providers import qnn
from edgewright_targets import Candidate, InputError, load_target
from edgewright_targets.host import architecture
from snapdragon import needs_qnn
from tiny_models import sentences, write_checkpoint

TARGETS = ("snapdragon-8-gen-2", "snapdragon-8-gen-3", "snapdragon-x-elite")
TEXTS = [text for text, _ in sentences()]


class Workshop:
    """The tiny classifier, float and of fixed shapes, with everything that is made from it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.exported = folder / "exported"
        self.exported.mkdir()
        self.graph = self.exported / "model"
        open_source(str(write_checkpoint(folder / "checkpoint")), SourceOptions(None, None)).export(self.exported)
        with self.model("float", self.spec("float", self.graph)) as model:
            feeds = [Probe(model).feeds(text) for text in TEXTS]
            self.expected = np.array([model.run(text)["outputs"]["logits"] for text in TEXTS])
        shapes, self.note = choose_shapes(shapes_of(feeds), dict.fromkeys(feeds[0], 32))
        self.length = shapes["input_ids"][-1]
        self.fixed = folder / "fixed"
        fix_shapes(self.graph, shapes, self.fixed)
        with self.model("static", self.spec("static", self.fixed)) as model:
            self.feeds = [Probe(model).feeds(text) for text in TEXTS]
            self.static = np.array([model.run(text)["outputs"]["logits"] for text in TEXTS])

    def spec(self, name: str, folder: Path, candidate: Candidate | None = None) -> EngineFiles:
        cpu = Candidate(name=name, provider="CPUExecutionProvider", precision="fp32")
        wanted = candidate or cpu
        draft = EngineDraft(
            name=name,
            target="t",
            architecture="aarch64" if candidate else architecture(),
            provider=wanted.provider,
            precision=wanted.precision,
            recipe=wanted.recipe,
            component_recipes={},
            pad_to_multiple_of=1,
            engine="onnx",
            parts={"model": PartDraft({}, wanted.provider_options)},
        )
        return EngineFiles(draft, {"model": PartFiles(folder)})

    def package(self, name: str, *engines: EngineFiles) -> Path:
        place = self.folder / f"package-{name}"
        place.mkdir()
        exported = read_exported(self.exported)
        names = tuple(engine.draft.name for engine in engines)
        source = SourceFacts("test", "tiny", "")
        manifest = Manifest(
            name="tiny",
            task=exported.task,
            measure="agreement",
            pipeline=exported.pipeline,
            labels=exported.labels,
            order=names,
            baselines={"t": names[0]},
            source=source,
            tools={},
            unreproducible=(),
        )
        packed = tuple(PackedEngine(engine) for engine in engines)
        assemble(place, PackageContents(manifest=manifest, exported=self.exported, engines=packed))
        return place

    def model(self, name: str, engine: EngineFiles) -> Model:
        return load(self.package(name, engine), engine=engine.draft.name)


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    return Workshop(tmp_path_factory.mktemp("qnn"))


def npu(target: str, precision: str) -> Candidate:
    return next(c for c in load_target(target).candidates if c.engine == "epcontext" and c.precision == precision)


def request(graph: Path, candidate: Candidate, feeds: list[dict[str, Any]]) -> CompileRequest:
    return CompileRequest(
        graph=graph, provider=candidate.provider, provider_options=candidate.provider_options, shapes=shapes_of(feeds)
    )


@pytest.mark.slow
def test_fixed_shapes_answer_as_the_float_model(workshop: Workshop) -> None:
    assert workshop.length == 8
    assert all(feed["input_ids"].shape == (1, 8) for feed in workshop.feeds)
    assert np.allclose(workshop.expected, workshop.static, atol=1e-4)


@pytest.mark.slow
def test_long_texts_are_cut_to_the_graph(workshop: Workshop) -> None:
    place = workshop.package("long", workshop.spec("static", workshop.fixed))
    with load(place) as model, pytest.warns(SampleCutWarning, match="longer than the model's 8 tokens"):
        feeds = Probe(model).feeds(" ".join(["turn on the light"] * 5))
    assert feeds["input_ids"].shape == (1, 8)
    assert feeds["input_ids"][0, -1] == 3  # the end of the text keeps its mark


@pytest.mark.slow
def test_without_calibration_nothing_is_quantized(workshop: Workshop, tmp_path: Path) -> None:
    with pytest.raises(QuantizationError, match="--calibration"):
        quantize(workshop.fixed, npu(TARGETS[0], "int8").recipe, [], tmp_path)


@pytest.mark.parametrize("target", TARGETS)
def test_targets_name_their_hardware(target: str) -> None:
    options = npu(target, "w8a16").provider_options
    assert set(options) == {"htp_arch", "soc_model"}
    assert load_target(target).architecture == "aarch64"
    assert load_target(target).rung == "emulated"


def test_the_emulator_is_no_npu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(qnn, "architecture", lambda: "x86_64")
    assert "can only emulate" in str(qnn.unavailable())
    monkeypatch.setattr(qnn, "architecture", lambda: "aarch64")
    assert "runs on x86-64 only" in str(qnn.emulator_unavailable())


def test_without_the_plugin_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(qnn, "architecture", lambda: "x86_64")
    monkeypatch.setattr(qnn, "_PLUGIN", "no_such_plugin")
    assert "pip install 'edgewright[qnn]'" in str(qnn.emulator_unavailable())


def test_unknown_kinds_of_engine_are_refused() -> None:
    with pytest.raises(InputError, match="Unknown kind of engine 'epcontex'"):
        compiler("epcontex")


class TestEmulator:
    """What needs the plugin."""

    pytestmark = needs_qnn

    @pytest.mark.parametrize(
        ("target", "precision", "allowed"),
        [(TARGETS[0], "int8", 0.15), (TARGETS[1], "int8", 0.15), (TARGETS[1], "w8a16", 0.05)],
    )
    def test_quantized_compiled_and_answered(
        self, workshop: Workshop, target: str, precision: str, allowed: float
    ) -> None:
        candidate = npu(target, precision)
        place = workshop.folder / f"{target}-{precision}"
        place.mkdir()
        quantize(workshop.fixed, candidate.recipe, workshop.feeds, place)
        facts = compiler(candidate.engine).compile_engine(request(place, candidate, workshop.feeds), place / "engine")
        assert facts.nodes[candidate.provider] > 0
        assert set(facts.nodes) == {candidate.provider}
        assert facts.reproducible
        package = workshop.package(place.name, workshop.spec("npu", place / "engine", candidate))
        with pytest.raises(EngineUnavailableError, match="made for aarch64; this machine is x86_64"):
            load(package, engine="npu")
        places = {"npu": emulators.place(load_target(target), candidate.provider, Quiet())}
        readings = answer_engines(package, places, TEXTS[:6], "answering", Quiet())["npu"]
        assert readings.failure is None
        assert readings.info is not None
        assert readings.info.emulated
        assert not readings.rounds
        assert not readings.loads
        gaps = np.abs(np.array([made.outputs["logits"] for made in readings.predictions]) - workshop.expected[:6])
        assert float(np.median(gaps)) <= allowed * float(np.abs(workshop.expected).max())

    def test_calls_in_the_emulator_are_not_timed(self, workshop: Workshop) -> None:
        package = next(workshop.folder.glob("package-snapdragon-*"))
        with WorkerProcess() as worker:
            worker.keep(TEXTS[:1])
            worker.load(package, "npu", None, emulate=True)
            with pytest.raises(WorkerError, match="cannot be timed"):
                worker.time([0])

    def test_a_partial_assignment_is_refused_with_its_share(self, workshop: Workshop, tmp_path: Path) -> None:
        """A graph of shapes that vary: QNN leaves what depends on them."""
        candidate = npu(TARGETS[0], "int8")
        quantize(workshop.graph, candidate.recipe, workshop.feeds, tmp_path)
        with pytest.raises(CompileError, match=r"runs? (no node|\d+ of \d+ nodes)"):
            compiler("epcontext").compile_engine(request(tmp_path, candidate, workshop.feeds), tmp_path / "engine")
