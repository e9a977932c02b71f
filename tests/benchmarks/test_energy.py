"""Energy of calls: figures of raw readings, reports, the gate, and a machine that cannot tell."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.report_fixtures import CHOSEN, bench_result
from edgewright_benchmarks.costs import Energy, UnknownFigure
from edgewright_benchmarks.devices.workers import WorkerProcess
from edgewright_benchmarks.gate.stored import compare_results
from edgewright_benchmarks.measuring.energy import energy_of, read_energies
from edgewright_benchmarks.measuring.meter_settings import MeterSettings
from edgewright_benchmarks.measuring.readings import Readings
from edgewright_benchmarks.progress import Quiet
from edgewright_benchmarks.report import render_html, render_markdown
from edgewright_benchmarks.result import Result
from edgewright_benchmarks.result_files import read_result, write_result
from edgewright_runtime.responses import EnergyRead, SensorEnergy
from edgewright_targets import InputError

PACKAGE = Path(__file__).parents[1] / "data" / "format-1"
RAPL = "RAPL, processor packages"


def read(joules: float, *, idle: float = 10.0, tokens: int = 0, name: str = RAPL) -> EnergyRead:
    """A hundred calls in two seconds."""
    sensor = SensorEnergy(name=name, joules=joules, idle_watts=idle)
    return EnergyRead(sensors=(sensor,), unknown=(), calls=100, seconds=2.0, tokens=tokens)


def with_energy(energy: tuple[Energy, ...], *unknown: UnknownFigure) -> Result:
    result = bench_result()
    engines = [
        replace(engine, energy=energy, unknown=unknown) if engine.name == CHOSEN else engine
        for engine in result.engines
    ]
    return replace(result, engines=tuple(engines))


def test_a_call_has_its_share_with_and_without_idle_power(tmp_path: Path) -> None:
    (energy,) = energy_of([read(50.0), read(60.0), read(40.0)], 0.95)
    assert (energy.call.value, energy.call.low, energy.call.high) == (0.5, 0.4, 0.6)
    # 10 W for two seconds are 20 of 50 J.
    assert energy.above_idle.value == pytest.approx(0.3)
    assert energy.idle_watts.value == 10
    assert energy_of([], 0.95) == ()
    # A sensor that is missing once has no figure.
    assert energy_of([read(50.0), read(50.0, name="NVML, GPU boards")], 0.95) == ()
    path = tmp_path / "result.json"
    result = with_energy((energy,))
    write_result(result, path)
    assert read_result(path) == result


def test_an_energy_that_cannot_be_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    write_result(with_energy(energy_of([read(50.0)], 0.95)), path)
    text = path.read_text(encoding="utf-8")
    for right, wrong in (('"joules": 50.0', '"joules": -1.0'), ('"calls": 100', '"calls": 0')):
        assert right in text
        path.write_text(text.replace(right, wrong), encoding="utf-8")
        with pytest.raises(InputError, match="cannot be"):
            read_result(path)


def test_reports_say_what_is_in_the_figure() -> None:
    energy = energy_of([read(50.0, tokens=16)] * 6, 0.95)
    result = with_energy(energy)
    for shown in (render_html(result), render_markdown(result)):
        assert "500 mJ a call (95 % interval 500 to 500 mJ) by RAPL, processor packages, idle power included" in shown
        assert "300 mJ (95 % interval 300 to 300 mJ) above the 10.0 W of the idle machine" in shown
        assert "31.2 mJ for each of 16 new tokens, reading the sample included" in shown
    unknown = UnknownFigure("energy", "The sensor cannot be read (permission).")
    result = with_energy((), unknown)
    for shown in (render_html(result), render_markdown(result)):
        assert "energy is unknown: The sensor cannot be read (permission)." in shown
        assert "mJ" not in shown


def test_the_gate_has_a_rule_for_energy() -> None:
    base, more = (with_energy(energy_of([read(j * factor) for j in (50, 51, 52)], 0.95)) for factor in (1.0, 1.4))
    assert compare_results(base, more, ("energy > +10%",)).verdict == "fail"
    assert compare_results(base, base, ("energy > 600 mJ",)).verdict == "pass"
    with pytest.raises(InputError, match="has no 'energy'") as refused:
        compare_results(base, bench_result(), ("energy > +10%",))
    assert "bench --energy" in refused.value.hint


def test_this_machine_has_a_figure_or_a_reason() -> None:
    """By the real sensors of this machine, whatever they are."""
    samples = [{"pixels": np.zeros((1, 8), dtype=np.float32)}]
    with WorkerProcess() as worker:
        worker.keep(samples)
        worker.load(PACKAGE, "tiny-cpu-fp32", 1)
        readings = {"one": Readings()}
        read_energies({"one": worker}, readings, samples, MeterSettings(rounds=1, energy=True), Quiet())
    (found,) = readings.values()
    assert found.failure is None
    assert bool(found.energy) != bool(found.unknown)
    assert all(one.figure == "energy" and one.reason for one in found.unknown)
    assert all(sensor.joules > 0 for one in found.energy for sensor in one.sensors)
