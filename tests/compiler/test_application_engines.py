"""Engines of all models chosen together: a whole that cannot afford one says which, and runs that model in float."""

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from command import Command
from doubles import QUICK_METER, recorded_times
from edgewright_benchmarks.applications import bench_whole, joint_engines
from edgewright_benchmarks.applications.bench_whole import Answered, answer_all, bench_application
from edgewright_benchmarks.applications.float_whole import float_application
from edgewright_benchmarks.applications.joint_engines import WholeBudget, choose_together
from edgewright_benchmarks.applications.whole_data import read_whole_data
from edgewright_benchmarks.applications.whole_result import whole_evidence
from edgewright_benchmarks.interval import Interval
from edgewright_benchmarks.measuring.meter_settings import MeterSettings
from edgewright_benchmarks.progress import Progress, Quiet
from edgewright_compiler import BuildOptions, build
from edgewright_compiler.applications import build_application, prove_whole, whole_limit
from edgewright_compiler.applications.whole_engines import check_loss
from edgewright_compiler.building.assemble import write_sums
from edgewright_runtime.applications import load_application
from edgewright_runtime.applications.application import Application, ApplicationPackage
from edgewright_runtime.applications.memory_limit import MemoryFacts
from edgewright_runtime.errors import MemoryLimitError, PackageError
from edgewright_targets import InputError
from tiny_models import write_csv

FLOAT, INT8 = "tiny-cpu-fp32", "tiny-cpu-int8"
PAIR = """\
kind = "application"
answer = ["both"]
input = { command = "text" }

[model]
first.package = "intents.ortpackage"
second.package = "intents.ortpackage"

[step]
one = { model = "first", input.text = "command" }
two = { model = "second", input.text = "command" }
both = { do = "template", input = { one = "one.label", two = "two.label" }, options.text = "{one} {two}" }
"""
# Weights and a threshold that are found.
FOUND = """\
kind = "application"
answer = ["label"]
input = { command = "text" }

[model]
first.package = "intents.ortpackage"
second.package = "intents.ortpackage"

[step]
one = { model = "first", input.text = "command" }
two = { model = "second", input.text = "command", when = "one.score < found" }
sure = { do = "fuse", input = { a = "one", b = "two" }, options.weights = "found" }
label = { do = "first", input = { sure = "sure", one = "one" } }
"""
ALL = ("first", "second")
TEXTS = tuple(
    f"turn the {room} light {way}" for room in ("kitchen", "hall", "garden", "office") for way in ("on", "off")
)
ROWS = 3
BUDGET = WholeBudget(max_drop=0.2, confidence=0.95, threads=1)


@pytest.fixture(scope="module")
def folder(sources: Path, checkpoint: Path, shared_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An application of two models whose own build chose int8, and its data: float is right on all of it."""
    folder = tmp_path_factory.mktemp("pair")
    # Other samples than those of other tests: readings are kept.
    write_csv(folder / "own.csv", repeat=3)
    options = BuildOptions(
        output=folder / "intents.ortpackage",
        targets=(str(sources / "tiny.toml"),),
        calibration=sources / "train.csv",
        evaluation=folder / "own.csv",
        max_drop=0.9,
        accept_baseline=True,
        meter=QUICK_METER,
    )
    with pytest.MonkeyPatch.context() as patch:
        recorded_times(patch, {FLOAT: [3e-3], INT8: [1e-3]})
        assert build(str(checkpoint), options).result.chosen == INT8
    (folder / "pair.toml").write_text(PAIR, encoding="utf-8")
    package = ApplicationPackage.open(build_application(folder / "pair.toml", folder / "pair.ortpackage").package)
    with load_application(package, engines={"first": FLOAT, "second": FLOAT}) as application:
        rows = [f"{text},{application(text)['both']}" for text in TEXTS]
    (folder / "commands.csv").write_text("\n".join(["command,both", *rows * ROWS]) + "\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def pair(folder: Path) -> ApplicationPackage:
    return ApplicationPackage.open(folder / "pair.ortpackage")


def plant_losses(patch: pytest.MonkeyPatch, losses: Mapping[str, int]) -> None:
    """The application runs as ever; its answers are those of float, but for the first ones where a model is in int8."""

    def planted(application: Application, samples: Sequence[Any], progress: Progress) -> Answered:
        found = answer_all(application, samples, progress)
        lost = sum(count for name, count in losses.items() if application.engines[name].name == INT8)
        unlimited = replace(application.package, max_memory=None)
        with load_application(unlimited, engines={"first": FLOAT, "second": FLOAT}) as floats:
            right = {text: floats(text)["both"] for text in TEXTS}
        for index, (run, sample) in enumerate(zip(found.runs, samples, strict=True)):
            assert run is not None
            run.values["both"] = "wrong" if index < lost else right[sample["command"]]
        return found

    patch.setattr(bench_whole, "answer_all", planted)
    patch.setattr(joint_engines, "answer_all", planted)


def record_ratio(patch: pytest.MonkeyPatch, value: float) -> None:
    """What was read once, in the place of the ratio of two tiny models on a busy machine."""
    ratio = Interval(value, value - 0.02, value + 0.02)
    patch.setattr(bench_whole, "latency_ratio", lambda *_, **__: ratio)


def test_the_model_in_the_way_is_named_and_runs_in_float(
    pair: ApplicationPackage, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = read_whole_data(folder / "commands.csv", pair)
    plant_losses(monkeypatch, {"second": 8})
    chosen = choose_together(pair, data, BUDGET, Quiet())
    assert chosen is not None
    assert [(one.models, one.kept) for one in chosen.tried] == [(("first",), True), (("first", "second"), False)]
    assert (chosen.in_the_way, chosen.on_float) == ("second", ("second",))
    assert chosen.tried[1].drop.value == pytest.approx(8 / 24)
    assert chosen.reason.startswith(
        "'second' is in the way of the budget: with the engine that its own build chose beside"
    )
    assert chosen.reason.endswith("So second runs in float.")
    # Where the first one cannot be afforded, the other is not tested: it could pass by luck.
    plant_losses(monkeypatch, {"first": 8})
    chosen = choose_together(pair, data, BUDGET, Quiet())
    assert chosen is not None
    assert (chosen.in_the_way, chosen.on_float, len(chosen.tried)) == ("first", ("first", "second"), 1)
    plant_losses(monkeypatch, {})
    chosen = choose_together(pair, data, BUDGET, Quiet())
    assert chosen is not None
    assert (chosen.in_the_way, chosen.on_float) == ("", ())
    assert "All models run the engines that their own builds chose" in chosen.reason
    # Few samples show nothing.
    chosen = choose_together(pair, data.part(9), replace(BUDGET, max_drop=0.01), Quiet())
    assert chosen is not None
    assert "9 samples are too few to show it; it takes at least 268" in chosen.reason


def test_a_build_writes_it_and_every_load_holds_it(
    folder: Path, command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    plant_losses(monkeypatch, {"second": 8})
    record_ratio(monkeypatch, 0.7)
    output = tmp_path / "pair.ortpackage"
    words = ("build", folder / "pair.toml", "--evaluation", folder / "commands.csv", "--max-drop", "20%")
    done = command(*words, "--no-golden-samples", "--rounds", "2", "--calls", "2", "-o", output)
    assert done.code == 0, done.err
    said = " ".join(done.out.split())
    assert "'second' is in the way of the budget" in said
    assert "Against the float engines of its models, measured in turns: 0.700 times the latency" in said
    assert "0.00 percentage points of accuracy of 'both' are lost, at most" in said
    package = ApplicationPackage.open(output)
    assert package.on_float == ("second",)
    with load_application(output) as application:
        application(TEXTS[0])
        assert {name: info.name for name, info in application.engines.items()} == {"first": INT8, "second": FLOAT}
    evidence = whole_evidence(package)
    assert evidence is not None
    assert evidence.engines == {"first": INT8, "second": FLOAT}
    assert evidence.float_whole is not None
    assert evidence.float_whole.engines == {"first": FLOAT, "second": FLOAT}
    assert len(evidence.float_whole.latency.rounds) == len(evidence.latency.rounds) == 2
    assert evidence.chosen_engines is not None
    assert evidence.chosen_engines.in_the_way == "second"
    shown = command("inspect", output).out
    assert "'second' is in the way of the budget" in " ".join(shown.split())
    assert [line.split()[-1] for line in shown.splitlines() if line.startswith(("first ", "second "))] == [INT8, FLOAT]
    # The measured loss decides last.
    lost = replace(evidence.values[0], accuracy=replace(evidence.values[0].accuracy, drop=Interval(0.21, 0.1, 0.3)))
    with pytest.raises(InputError, match=r"loses 21\.00 percentage points of 'both' against the float engines"):
        check_loss(replace(evidence, values=(lost,)), 0.2)
    check_loss(replace(evidence, values=(lost,)), 0.21)


def test_what_is_not_shown_to_be_no_slower_runs_in_float(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    plant_losses(monkeypatch, {})
    record_ratio(monkeypatch, 0.99)
    given = {
        "data.evaluation": str(folder / "commands.csv"),
        "budget.max_drop": 0.2,
        "data.golden_samples": False,
        "meter.rounds": 2,
        "meter.calls": 2,
    }
    made = build_application(folder / "pair.toml", tmp_path / "pair.ortpackage", given=given)
    result = made.whole.result
    assert result is not None
    assert set(made.whole.on_float) == {"first", "second"}
    assert set(result.engines.values()) == {FLOAT}
    assert result.float_whole is None
    (said,) = (warning for warning in result.warnings if "no slower" in warning)
    assert "0.97 to 1.01 times its latency. So all models run in float." in said


def test_weights_and_a_threshold_are_of_the_engines_that_ship(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    record_ratio(monkeypatch, 0.99)
    (folder / "found.toml").write_text(FOUND, encoding="utf-8")
    for name, value in (("train", "sure"), ("test", "label")):
        rows = [f"{text},{'TurnOn' if text.endswith('on') else 'PlayMusic'}" for text in TEXTS]
        (tmp_path / f"{name}.csv").write_text("\n".join([f"command,{value}", *rows]) + "\n", encoding="utf-8")
    given = {
        "data.calibration": str(tmp_path / "train.csv"),
        "data.evaluation": str(tmp_path / "test.csv"),
        "budget.max_drop": 1.0,
        "data.golden_samples": False,
        "meter.rounds": 2,
        "meter.calls": 2,
    }
    made = build_application(folder / "found.toml", tmp_path / "found.ortpackage", given=given)
    shipped = ApplicationPackage.open(made.package)
    assert set(shipped.on_float) == {"first", "second"}
    # What a build finds that has no other engines than float.
    monkeypatch.setattr(prove_whole, "set_engines", lambda package, *_: (replace(package, on_float=ALL), None))
    plain = build_application(folder / "found.toml", tmp_path / "plain.ortpackage", given=given)
    steps = ApplicationPackage.open(plain.package).checked.flow.step
    assert shipped.checked.flow.step["sure"].options == steps["sure"].options
    result, other = made.whole.result, plain.whole.result
    assert result is not None
    assert other is not None
    assert result.fitted == other.fitted
    assert result.thresholds[0].tried[0].constant == other.thresholds[0].tried[0].constant


def test_float_has_the_limit_of_memory_that_the_chosen_engines_have(pair: ApplicationPackage) -> None:
    def limited(floats: int) -> ApplicationPackage:
        needs = MemoryFacts(50, {name: {INT8: 10, FLOAT: floats} for name in ALL})
        return replace(pair, max_memory=60, memory=needs)

    with Application(limited(10)) as application:
        application(TEXTS[0])
        floats = float_application(application, threads=1)
        assert floats is not None
        with floats:
            floats(TEXTS[0])
            # Each model took the place of the other.
            assert (application.unloaded, floats.unloaded) == (1, 1)
    with Application(limited(11)) as application:
        application(TEXTS[0])
        with pytest.raises(MemoryLimitError, match="below what one model needs"):
            float_application(application, threads=1)


def test_what_is_not_compared_with_float_says_so(folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    plant_losses(monkeypatch, {})
    # A machine with little room: float does not fit beside it, the chosen engines do.
    facts = MemoryFacts(10**9, {name: {INT8: 10, FLOAT: 10**9} for name in ALL})
    monkeypatch.setattr(whole_limit, "memory_facts", lambda *_: facts)
    given = {
        "data.evaluation": str(folder / "commands.csv"),
        "budget.max_drop": 0.2,
        "budget.max_memory": 1_900_000_000,
        "data.golden_samples": False,
        "meter.rounds": 2,
        "meter.calls": 2,
    }
    made = build_application(folder / "pair.toml", tmp_path / "pair.ortpackage", given=given)
    result = made.whole.result
    assert result is not None
    assert (result.float_whole, made.whole.on_float) == (None, ())
    (said,) = (warning for warning in result.warnings if "not compared" in warning)
    assert "so only the builds of the models show that none is slower. A limit of 1,900.0 MB of memory is below" in said
    evidence = whole_evidence(ApplicationPackage.open(made.package))
    assert evidence is not None
    assert said in evidence.warnings


def test_a_bench_compares_with_float_and_loses_nothing_where_all_is_float(
    pair: ApplicationPackage, folder: Path
) -> None:
    settings = MeterSettings(rounds=2, calls=2)
    result = bench_application(pair.root, folder / "commands.csv", settings=settings)
    assert result.float_whole is not None
    assert result.float_whole.ratio.low <= result.float_whole.ratio.value <= result.float_whole.ratio.high
    assert result.float_whole.values[0].accuracy.metrics["accuracy"].value == 1
    drop = result.values[0].accuracy.drop
    assert drop.value == pytest.approx(1 - result.values[0].accuracy.metrics["accuracy"].value)
    assert drop.high > drop.value
    assert [one.baseline for one in result.models] == [FLOAT, FLOAT]


def test_a_package_that_names_no_model_of_its_own_is_refused(pair: ApplicationPackage, tmp_path: Path) -> None:
    package = Path(shutil.copytree(pair.root, tmp_path / "copy.ortpackage"))
    record = json.loads((package / "application.json").read_text(encoding="utf-8"))
    record["on_float"] = ["third"]
    (package / "application.json").write_text(json.dumps(record), encoding="utf-8")
    write_sums(package)
    with pytest.raises(PackageError, match="'third' runs in float, and is not a model of it"):
        ApplicationPackage.open(package)
