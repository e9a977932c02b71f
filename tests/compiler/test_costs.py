"""What an engine costs beside a call, at the command line: cold starts and energy."""

from __future__ import annotations

from pathlib import Path

from command import QUICK, Command
from edgewright_benchmarks.result_files import read_result


def test_cold_starts_and_energy_are_shown_and_kept(command: Command, built_arrays: Path, sources: Path) -> None:
    values = command.folder / "result.json"
    words = ("--data", sources / "inputs.npz", *QUICK, "-o", values)
    done = command("bench", built_arrays, *words, "--cold-starts", "2", "--energy")
    assert done.code == 0, done.err
    result = read_result(values)
    for engine in result.engines:
        assert engine.cold_start is not None
        assert len(engine.cold_start.readings) == 2
        assert engine.cold_start.whole.confidence == 0.5
        # By the sensors of this machine, whatever they are.
        assert bool(engine.energy) != bool(engine.unknown)
    shown = " ".join(done.out.split())
    assert "Cold start, in fresh processes, with the files in the page cache:" in shown
    assert ("Energy:" in shown) == any(engine.energy for engine in result.engines)
    assert shown.count("energy is unknown: ") == sum(len(engine.unknown) for engine in result.engines)
    assert shown.count("2 starts): process ") == len(result.engines)
