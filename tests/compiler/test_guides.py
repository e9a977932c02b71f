"""What orders engines comes from calibration samples alone, and engines that are too slow have none of it."""

from pathlib import Path

import numpy as np
import pytest

from doubles import QUICK_METER, Recording, recorded_times, stand_in_emulator
from edgewright_benchmarks.engine_result import EngineResult
from edgewright_benchmarks.measuring.guide import Guide
from edgewright_benchmarks.predictions import Prediction
from edgewright_compiler import BuildOptions, build
from edgewright_runtime.likeness import Likeness
from edgewright_targets import host_facts
from tiny_models import write_arrays
from tiny_targets import candidate_text, recipe_text, write_target

OTHER = 1 if host_facts().cores > 1 else 2
MORE = (
    recipe_text("int8-dynamic", method="dynamic"),
    # Exact on every processor: where sums saturate, it would be refused for another reason.
    candidate_text("cpu-int8-dynamic", "int8-dynamic", session_options={"session.x64quantprecision": "1"}),
    candidate_text("cpu-int8-again", "int8", threads=OTHER),
    candidate_text("cpu-fp32-again", "fp32", threads=OTHER),
)
TIMES = {
    "tiny-cpu-fp32": (2e-3,),
    "tiny-cpu-int8": (1e-3,),
    "tiny-cpu-int8-again": (1.1e-3,),
    "tiny-cpu-fp32-again": (1.9e-3,),
    "tiny-cpu-int8-dynamic": (3e-3,),
}


def built(sources: Path, folder: Path, *, apart: bool) -> tuple[dict[str, EngineResult], Recording]:
    random, progress = np.random.default_rng(1), Recording()
    evaluation = write_arrays(folder / "evaluation.npz", pixels=random.normal(size=(100, 8)).astype(np.float32))
    calibration = write_arrays(folder / "calibration.npz", pixels=random.normal(size=(30, 8)).astype(np.float32))
    asked = BuildOptions(
        output=folder / "perceptron.ortpackage",
        targets=(str(write_target(folder / "tiny.toml", *MORE)),),
        calibration=calibration if apart else evaluation,
        evaluation=evaluation if apart else None,
        max_drop=0.1,
        meter=QUICK_METER,
    )
    with pytest.MonkeyPatch.context() as patch:
        recorded_times(patch, TIMES)
        result = build(str(sources / "perceptron.onnx"), asked, progress=progress).result
    return {engine.name.removeprefix("tiny-"): engine for engine in result.engines}, progress


def test_engines_that_are_fast_enough_have_a_guide(sources: Path, shared_cache: Path, tmp_path: Path) -> None:
    engines, progress = built(sources, tmp_path, apart=True)
    guides = {name: engine.guide for name, engine in engines.items()}
    assert guides["cpu-fp32"] is guides["cpu-int8-dynamic"] is None
    assert guides["cpu-fp32-again"] == 0
    assert 0 < (guides["cpu-int8"] or 0) < 0.5
    assert guides["cpu-int8-again"] == guides["cpu-int8"]
    assert "comparing with float" in progress.titles


def test_samples_that_decide_order_nothing(sources: Path, shared_cache: Path, tmp_path: Path) -> None:
    engines, progress = built(sources, tmp_path, apart=False)
    assert not any(engine.guide for engine in engines.values())
    assert "comparing with float" not in progress.titles
    assert engines["cpu-int8-again"].same_as == "tiny-cpu-int8"


@pytest.mark.parametrize("several", [True, False])
def test_engines_that_are_emulated_have_a_guide_where_there_are_several(
    sources: Path, shared_cache: Path, tmp_path: Path, several: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in_emulator(monkeypatch)
    random = np.random.default_rng(2)
    for name in ("evaluation", "calibration"):
        write_arrays(tmp_path / f"{name}.npz", pixels=random.normal(size=(40, 8)).astype(np.float32))
    board = write_target(
        tmp_path / "board.toml",
        *MORE[: 2 * several],
        rung="emulated",
        machine_model="No such board",
        emulated_cpu="max",
    )
    options = BuildOptions(
        output=tmp_path / "p",
        targets=(str(board),),
        calibration=tmp_path / "calibration.npz",
        evaluation=tmp_path / "evaluation.npz",
        max_drop=0.3,
        meter=QUICK_METER,
    )
    result = build(str(sources / "perceptron.onnx"), options).result
    guides = {engine.name.removeprefix("board-"): engine.guide for engine in result.engines}
    assert guides.pop("cpu-fp32") is None
    assert len(guides) == 1 + several
    assert all((guide is not None) == several for guide in guides.values())
    # The order of the target decides, and not how near to float an engine is.
    assert result.chosen == "board-cpu-int8"


def test_without_an_order_engines_share_the_error_and_the_build_says_what_helps(
    sources: Path, shared_cache: Path, tmp_path: Path
) -> None:
    # Of 90 samples without a loss, 97 % may be said of this budget: enough for one engine, and not for one of two.
    pixels = np.random.default_rng(5).normal(size=(90, 8)).astype(np.float32)
    options = BuildOptions(
        output=tmp_path / "p",
        targets=(str(write_target(tmp_path / "tiny.toml", *MORE[:2])),),
        calibration=write_arrays(tmp_path / "both.npz", pixels=pixels),
        max_drop=0.04,
        meter=QUICK_METER,
    )
    with pytest.MonkeyPatch.context() as patch:
        recorded_times(patch, TIMES | {"tiny-cpu-int8-dynamic": (1.5e-3,)})
        result = build(str(sources / "perceptron.onnx"), options).result
    for name in ("tiny-cpu-int8", "tiny-cpu-int8-dynamic"):
        (reason,) = (one for one in result.engine(name).reasons if one.startswith("Refused"))
        assert "Of 2 engines that are fast enough one could pass by luck, so 97.5 % is asked." in reason
    assert any("data of their own (--calibration) order the candidates" in one for one in result.warnings)


def prediction(*values: float) -> Prediction:
    return Prediction({"scores": np.array(values, dtype=np.float32)})


class TestDifference:
    def test_it_is_the_share_of_the_outputs_that_is_not_the_same(self) -> None:
        baseline = [prediction(3.0, 4.0), prediction(0.0, 1.0)]
        assert Guide("float", ()).difference(baseline, baseline) == 0
        close = [prediction(3.0, 4.05), prediction(0.01, 1.0)]
        assert Guide("float", ()).difference(close, baseline) == pytest.approx(0.01, rel=0.01)

    def test_outputs_that_have_nothing_in_common_are_all_different(self) -> None:
        nan = [prediction(float("nan"), 4.0)]
        assert Guide("float", ()).difference(nan, [prediction(3.0, 4.0)]) == 1

    def test_boxes_are_compared_as_boxes(self) -> None:
        names = ("boxes", "scores", "classes")

        def boxes(*scores: float) -> Prediction:
            corners = np.array([[0, 0, 1, 1], [5, 5, 6, 6]], dtype=np.float32)[: len(scores)]
            arrays = (corners, np.array(scores, dtype=np.float32), np.zeros(len(scores), dtype=np.int64))
            return Prediction(dict(zip(names, arrays, strict=True)))

        guide = Guide("float", (), Likeness(names))
        assert guide.difference([boxes(0.5, 0.5)], [boxes(0.5)]) == pytest.approx(0.5)
