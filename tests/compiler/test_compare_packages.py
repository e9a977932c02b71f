"""`edgewright compare --rerun`: two real packages side by side, with times that were recorded where they decide."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from command import Command
from edgewright_benchmarks.devices.workers import WorkerProcess
from edgewright_benchmarks.gate.rerun import compare_packages
from edgewright_benchmarks.measuring.meter_settings import MeterSettings
from edgewright_benchmarks.progress import Quiet
from edgewright_runtime.responses import EnergyRead, SensorEnergy
from edgewright_targets import CheckFailedError, InputError

SETTINGS = MeterSettings(rounds=8, most_rounds=32, calls=4, loads=1)


def by_side(patch: pytest.MonkeyPatch, base: list[float], new: list[float]) -> dict[str, int]:
    """Each call takes what was recorded for its side and round: workers of both sides run engines of one name.

    The base's worker starts first. Gives how many rounds each side had.
    """
    start, time = WorkerProcess.__init__, WorkerProcess.time
    sides: dict[int, str] = {}
    turns = {"base": 0, "new": 0}

    def starting(worker: WorkerProcess, *arguments: object, **options: object) -> None:
        start(worker, *arguments, **options)  # type: ignore[arg-type]
        sides[id(worker)] = ("base", "new")[len(sides) % 2]

    def timed(worker: WorkerProcess, indices: list[int]) -> object:
        found = time(worker, indices)
        side = sides[id(worker)]
        recorded = {"base": base, "new": new}[side]
        seconds = recorded[turns[side] % len(recorded)]
        turns[side] += 1
        return type(found)((seconds,) * len(indices), 1.0)

    patch.setattr(WorkerProcess, "__init__", starting)
    patch.setattr(WorkerProcess, "time", timed)
    return turns


def noisy(median: float, noise: float, seed: int) -> list[float]:
    return [median * float(factor) for factor in np.exp(np.random.default_rng(seed).normal(0, noise, 32))]


def test_equal_packages_pass_on_the_first_look(
    monkeypatch: pytest.MonkeyPatch, built_arrays: Path, sources: Path
) -> None:
    turns = by_side(monkeypatch, noisy(1e-3, 0.002, 1), noisy(1e-3, 0.002, 2))
    found = compare_packages(
        built_arrays, built_arrays, sources / "inputs.npz", "latency.p50 > +5%, size > +0%", settings=SETTINGS
    )
    assert (found.form, found.verdict, found.rounds) == ("rerun", "pass", 8)
    assert turns == {"base": 8, "new": 8}
    # Three looks share the 5 % that may be wrong.
    assert found.confidence == pytest.approx(1 - 0.05 / 3)


def test_a_slower_package_fails(monkeypatch: pytest.MonkeyPatch, built_arrays: Path, sources: Path) -> None:
    by_side(monkeypatch, noisy(1e-3, 0.01, 1), noisy(1.1e-3, 0.01, 2))
    found = compare_packages(built_arrays, built_arrays, sources / "inputs.npz", "latency.p50 > +5%", settings=SETTINGS)
    assert (found.verdict, found.rounds) == ("fail", 8)
    assert found.rules[0].value == pytest.approx(0.1, abs=0.02)


def test_undecided_rules_take_more_rounds_up_to_the_limit(
    monkeypatch: pytest.MonkeyPatch, built_arrays: Path, sources: Path
) -> None:
    by_side(monkeypatch, noisy(1e-3, 0.1, 1), noisy(1.05e-3, 0.1, 2))
    found = compare_packages(built_arrays, built_arrays, sources / "inputs.npz", "latency.p50 > +5%", settings=SETTINGS)
    assert (found.verdict, found.rounds) == ("undecided", 32)
    (rule,) = found.rules
    assert rule.needed is None or rule.needed > 32


@pytest.mark.parametrize("rules", ["energy > +5%", "energy > +5%, latency.p50 > +5%"])
def test_a_rule_on_energy_is_judged_by_the_readings_of_a_stand_in_for_the_sensor(
    monkeypatch: pytest.MonkeyPatch, built_arrays: Path, sources: Path, rules: str
) -> None:
    """The looks between rounds have times alone: they are not asked for energy."""
    by_side(monkeypatch, noisy(1e-3, 0.002, 1), noisy(1e-3, 0.002, 2))
    order: list[int] = []

    def energy(worker: WorkerProcess, indices: list[int]) -> EnergyRead:
        if id(worker) not in order:
            order.append(id(worker))
        # The base is read first, and takes half of what the new side takes.
        joules = 1.0 + order.index(id(worker))
        sensor = SensorEnergy(name="RAPL, processor packages", joules=joules, idle_watts=0.0)
        return EnergyRead(sensors=(sensor,), unknown=(), calls=10, seconds=1.0, tokens=0)

    monkeypatch.setattr(WorkerProcess, "energy", energy)
    found = compare_packages(built_arrays, built_arrays, sources / "inputs.npz", rules, settings=SETTINGS)
    assert (found.verdict, found.rounds) == ("fail", 8)
    assert (found.rules[0].figure, found.rules[0].verdict) == ("energy", "fail")
    assert found.rules[0].value == pytest.approx(1.0)


def test_outputs_of_a_real_run(command: Command, built_arrays: Path, sources: Path) -> None:
    outcome = command(
        "compare", "--rerun", built_arrays, built_arrays, "--data", sources / "inputs.npz", "--fail-on", "size > +0%",
        "--rounds", "2", "--calls", "2", "--json", "-q",
    )  # fmt: skip
    assert outcome.code == 0, outcome.err
    found = json.loads(outcome.out)
    assert (found["form"], found["rounds"], found["verdict"]) == ("rerun", 2, "pass")
    assert {figure["figure"] for figure in found["figures"]} >= {"latency.p50", "load", "memory", "size", "agreement"}


def test_packages_of_another_task_are_refused(
    command: Command, built_arrays: Path, built_text: Path, sources: Path
) -> None:
    data = sources / "inputs.npz"
    command.refuses("compare", "--rerun", built_arrays, built_text, "--data", data, says=["cannot be compared", "task"])


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), ["--rerun needs --data"]),
        (("--data", "none.csv"), ["none.csv"]),
    ],
)
def test_wrong_use_of_rerun(command: Command, built_arrays: Path, arguments: tuple[str, ...], says: list[str]) -> None:
    command.refuses("compare", "--rerun", built_arrays, built_arrays, *arguments, says=says)


def test_results_and_packages_are_told_apart(command: Command, built_arrays: Path, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{}", encoding="utf-8")
    command.refuses("compare", "--rerun", tmp_path / "a.json", built_arrays, says=["not a package"])
    command.refuses(
        "compare", tmp_path / "a.json", tmp_path / "a.json", "--rounds", "3", says=["--rounds needs --rerun"]
    )


def test_rules_on_scenarios_and_texts_need_what_measures_them(
    command: Command, built_arrays: Path, sources: Path
) -> None:
    """Before anything is measured."""
    asked = ("compare", "--rerun", built_arrays, built_arrays, "--data", sources / "inputs.npz", "--fail-on")
    says = ["--rerun runs no scenarios, and rules name server.rate, offline.rate.batch4.", "without --rerun"]
    options = "--scenario server,offline --latency-limit 20ms --sweep batch=1,4"
    command.refuses(*asked, "server.rate < -5%, offline.rate.batch4 < 5, size > +1%", says=[*says, options])
    command.refuses(*asked, "first_token.64 > 5ms", says=["Rules name first_token.64, which cannot be timed: models"])


def _failing(patch: pytest.MonkeyPatch, side: int, fails: Callable[[int], bool]) -> None:
    """Engines of one side fail on some samples, as a package does whose steps refuse them."""
    from edgewright_benchmarks.devices.engine_worker import WorkerError

    start, answer = WorkerProcess.__init__, WorkerProcess.answer
    order: list[int] = []

    def starting(worker: WorkerProcess, *arguments: object, **options: object) -> None:
        start(worker, *arguments, **options)  # type: ignore[arg-type]
        order.append(id(worker))

    def answering(worker: WorkerProcess, indices: list[int]) -> object:
        if order.index(id(worker)) == side and any(map(fails, indices)):
            raise WorkerError("The sample does not fit.", "input")
        return answer(worker, indices)

    patch.setattr(WorkerProcess, "__init__", starting)
    patch.setattr(WorkerProcess, "answer", answering)


def test_samples_on_which_a_package_fails_are_counted_and_listed(
    monkeypatch: pytest.MonkeyPatch, built_arrays: Path, sources: Path
) -> None:
    _failing(monkeypatch, 1, lambda index: index % 2 == 1)
    with pytest.raises(CheckFailedError) as raised:
        compare_packages(built_arrays, built_arrays, sources / "inputs.npz", settings=SETTINGS, progress=Quiet())
    assert "It fails on " in str(raised.value)
    assert " samples: 2, 4, 6, 8" in str(raised.value)
    assert "Sample 2: The sample does not fit." in str(raised.value)


def test_a_base_that_fails_is_bad_input(monkeypatch: pytest.MonkeyPatch, built_arrays: Path, sources: Path) -> None:
    _failing(monkeypatch, 0, lambda index: index == 0)
    with pytest.raises(InputError, match=r"The base package .* failed, so nothing can be compared"):
        compare_packages(built_arrays, built_arrays, sources / "inputs.npz", settings=SETTINGS)
