"""With busy programs beside, both figures are measured, those beside decide, and every output shows both."""

from pathlib import Path

import numpy as np
import pytest

from command import QUICK, Command
from doubles import QUICK_METER, recorded_times
from edgewright_benchmarks.bench import build_evidence
from edgewright_benchmarks.measuring.meter_settings import MeterSettings
from edgewright_benchmarks.report import render_html, render_markdown
from edgewright_benchmarks.result import Result
from edgewright_compiler import BuildOptions, build
from edgewright_runtime.package import Package
from tiny_models import write_arrays
from tiny_targets import candidate_text, recipe_text, write_target

# Two rounds alone, then two beside. Alone int8 is the fastest; beside, it is slower than float.
TIMES = {
    "tiny-cpu-fp32": (2e-3, 2e-3, 4e-3, 4e-3),
    "tiny-cpu-int8": (1e-3, 1e-3, 6e-3, 6e-3),
    "tiny-cpu-dynamic": (1.5e-3, 1.5e-3, 2e-3, 2e-3),
}
BESIDE = MeterSettings(rounds=QUICK_METER.rounds, calls=QUICK_METER.calls, loads=1, beside=1)


@pytest.fixture(scope="module")
def built(sources: Path, shared_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Package:
    folder = tmp_path_factory.mktemp("beside")
    more = recipe_text("int8-dynamic", method="dynamic"), candidate_text("cpu-dynamic", "int8-dynamic")
    random = np.random.default_rng(1)
    for name, count in (("calibration", 30), ("evaluation", 100)):
        write_arrays(folder / f"{name}.npz", pixels=random.normal(size=(count, 8)).astype(np.float32))
    options = BuildOptions(
        output=folder / "p",
        targets=(str(write_target(folder / "tiny.toml", *more)),),
        calibration=folder / "calibration.npz",
        evaluation=folder / "evaluation.npz",
        max_drop=0.3,
        meter=BESIDE,
    )
    with pytest.MonkeyPatch.context() as patch:
        recorded_times(patch, TIMES)
        return Package.open(build(str(sources / "perceptron.onnx"), options).package)


@pytest.fixture(scope="module")
def result(built: Package) -> Result:
    return build_evidence(built)


def test_the_figures_beside_decide(result: Result) -> None:
    assert result.chosen == "tiny-cpu-dynamic"
    assert result.settings.beside == 1
    ratios = {
        name: (engine.latency.ratio.value, engine.alone.ratio.value)
        for name in TIMES
        if (engine := result.engine(name)).latency and engine.alone
    }
    assert ratios == {
        "tiny-cpu-fp32": (1.0, 1.0),
        "tiny-cpu-int8": pytest.approx((1.5, 0.5)),
        "tiny-cpu-dynamic": pytest.approx((0.5, 0.75)),
    }
    assert result.engine("tiny-cpu-int8").guide is None


def test_sentences_say_both(result: Result) -> None:
    assert (
        "0.50 times the baseline latency (95 % interval 0.50 to 0.50) beside 1 busy program, 0.75 times without them"
        in result.reason
    )
    assert result.engine("tiny-cpu-int8").reasons[-1].endswith("beside 1 busy program, 0.50 times without them.")


def test_reports_show_both(result: Result) -> None:
    page, text = render_html(result), render_markdown(result)
    assert "Speed alone" in page
    assert "beside 1 busy program" in page
    assert "| Speed | Speed alone |" in text
    assert "beside 1 busy program; 1.33" in text


def test_the_terminal_shows_both_and_a_bench_measures_both(command: Command, built: Package, tmp_path: Path) -> None:
    data = write_arrays(tmp_path / "b.npz", pixels=np.random.default_rng(7).normal(size=(8, 8)).astype(np.float32))
    done = command("bench", built.root, "--data", data, "--beside", "1", *QUICK)
    assert "alone" in done.out
    assert "beside 1 busy program, which decides; alone: without them" in " ".join(done.out.split())


def test_where_nothing_is_timed_here_it_is_refused(command: Command, sources: Path, built: Package) -> None:
    arrays = (sources / "perceptron.onnx", "--calibration", sources / "inputs.npz")
    command.refuses_build(
        *arrays, "--target", "snapdragon-8-elite", "--beside", "1", says=["no engine of these targets is timed"]
    )
    words = ("bench", built.root, "--data", sources / "inputs.npz", "--beside", "1", "--device", "ssh://board")
    command.refuses(*words, says=["--beside cannot be used with --device"])
