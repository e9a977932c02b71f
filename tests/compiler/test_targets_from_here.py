"""`targets show` and `targets doctor`: what a target is, and how far evidence for it goes from this machine."""

import dataclasses
import json
import platform
import sys
from pathlib import Path

import pytest

import tiny_targets
from command import Command
from doubles import stand_in_emulator
from edgewright_compiler.reach.doctor import reach
from edgewright_compiler.reach.execution_modes import planned
from edgewright_compiler.tasks import TASKS
from edgewright_targets import InputError, load_target, target_names
from edgewright_targets.target import RUNGS


@pytest.fixture
def board(tmp_path: Path) -> Path:
    """A target of this architecture that this machine is not."""
    settings: dict[str, tiny_targets.Setting] = {"rung": "emulated", "machine_model": "No such board", "cores": 3}
    return tiny_targets.write_target(tmp_path / "board.toml", **settings)


@pytest.mark.parametrize("name", target_names())
def test_show_fits_and_says_what_the_file_says(command: Command, name: str) -> None:
    outcome = command("targets", "show", name)
    assert outcome.code == 0, outcome.err
    assert max(len(line) for line in outcome.out.splitlines()) <= 80
    target = load_target(name)
    printed = " ".join(outcome.out.split())
    assert target.title in printed
    for candidate in target.candidates:
        assert f"{candidate.name} " in printed
        assert candidate.engine == "onnx" or f"engine {candidate.engine}" in printed
        assert all(f"{key}={value}" in printed for key, value in candidate.provider_options.items())
    data = json.loads(command("targets", "show", name, "--json").out)
    assert data["architecture"] == target.architecture
    assert set(data["from_here"]["candidates"]) == {candidate.name for candidate in target.candidates}


def test_show_a_file_of_the_users_own(command: Command, sources: Path) -> None:
    outcome = command("targets", "show", sources / "tiny.toml")
    assert "rung from here measured" in " ".join(outcome.out.split())
    assert "This machine is this target." in outcome.out


def test_show_without_or_with_an_unknown_name(command: Command) -> None:
    command.refuses(
        "targets", "show", "snapdragon-8-gen-33", says=["Unknown target", "Did you mean 'snapdragon-8-gen-3'"]
    )
    assert command("targets", "show").code == 2


def test_doctor_fits_and_agrees_with_itself(command: Command) -> None:
    outcome = command("targets", "doctor")
    assert outcome.code == 0, outcome.err
    assert max(len(line) for line in outcome.out.splitlines()) <= 80
    data = json.loads(command("targets", "doctor", "--json").out)
    assert [entry["target"] for entry in data["targets"]] == list(target_names())
    assert "--device ssh://user@host" in outcome.out
    for entry in data["targets"]:
        assert f"{entry['target']} " in outcome.out
        for sentence in entry["missing"]:
            assert sentence in " ".join(outcome.out.split())
        # Whatever stays below what the target can reach has a sentence that says why.
        best = load_target(entry["target"]).rung
        assert entry["missing"] or RUNGS.index(entry["rung"]) <= RUNGS.index(best)
    here = next(entry for entry in data["targets"] if entry["target"] == platform.machine().replace("_", "-"))
    assert here["rung"] == "measured"


@pytest.mark.parametrize("name", target_names())
def test_the_rung_that_it_states_can_be_reached_and_no_better_one(name: str) -> None:
    """From an ordinary x86-64 Linux machine that is not the target itself."""
    target = load_target(name)
    any_machine = not (target.machine_model or target.isa or target.compute_capabilities or target.vulkan_gpu)
    if target.architecture == "x86_64" and any_machine:
        best = "measured"
    else:
        # No firmware calls itself so: on the target itself everything is measured.
        elsewhere = dataclasses.replace(target, machine_model="no such machine")
        rungs = {way.rung for way in planned(elsewhere).values()}
        best = next(rung for rung in RUNGS if rung in rungs)
    assert target.rung == best


def test_an_emulator_that_is_missing_and_one_that_is_there(board: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in_emulator(monkeypatch, "QEMU is not installed: apt-get install qemu-user-static.")
    found = reach(load_target(str(board)))
    assert (found.rung, found.missing) == ("declared", ("QEMU is not installed: apt-get install qemu-user-static.",))
    assert set(found.candidates.values()) == {"declared"}
    stand_in_emulator(monkeypatch)
    found = reach(load_target(str(board)))
    assert (found.rung, found.missing) == ("emulated", ())


def test_no_ssh_is_said(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent))
    outcome = command("targets", "doctor")
    assert "apt-get install openssh-client" in " ".join(outcome.out.split())


@pytest.mark.parametrize("name", target_names())
def test_tasks_of_candidates_are_tasks(name: str) -> None:
    load_target(name, [task.name for task in TASKS])
    if any(candidate.tasks for candidate in load_target(name).candidates):
        with pytest.raises(InputError, match=r"tasks: '.*' is not known"):
            load_target(name, ["text-classification"])


def test_a_task_that_is_none_is_refused_where_the_target_is_shown(command: Command, board: Path) -> None:
    text = board.read_text(encoding="utf-8")
    head, _, rest = text.partition('name = "cpu-int8"\n')
    assert rest
    board.write_text(f'{head}name = "cpu-int8"\ntasks = ["sumarization"]\n{rest}', encoding="utf-8")
    line = 2 + head.count("\n")
    says = [
        f"board.toml:{line}: candidate 'cpu-int8': tasks: 'sumarization' is not known",
        "Did you mean 'summarization'",
    ]
    command.refuses("targets", "show", board, says=says)
