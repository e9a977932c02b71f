"""Golden samples and evidence of a whole application: made by its build, run by `verify`, shown by `inspect`."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from command import Command
from edgewright_compiler.applications import build_application
from edgewright_compiler.building.assemble import write_sums
from edgewright_runtime.applications.application import ApplicationPackage
from edgewright_runtime.applications.golden import (
    Difference,
    WholeSample,
    difference,
    read_whole_golden,
    stored_form,
    write_whole_golden,
)
from edgewright_runtime.errors import PackageError
from edgewright_runtime.selftest import golden_samples

JUDGE = """\
kind = "application"
answer = ["intent", "reply"]
input = { command = "text" }
model.intents.package = "intents.ortpackage"
step.intent = { model = "intents", input.text = "command" }
step.reply = { do = "template", input.intent = "intent.label", options.text = "{intent} it is." }

[data]
evaluation = "commands.csv"
samples = 6
"""
GIVEN = {"meter.rounds": 2, "meter.calls": 2}


@pytest.fixture(scope="module")
def folder(built_text: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of an application, its model and its data."""
    folder = tmp_path_factory.mktemp("whole")
    shutil.copytree(built_text, folder / "intents.ortpackage")
    (folder / "judge.toml").write_text(JUDGE, encoding="utf-8")
    rows = [f"turn on the {room} light,TurnOn" for room in ("kitchen", "hall", "garden", "bedroom")]
    rows += [f"play some {kind} music,PlayMusic" for kind in ("loud", "calm", "five", "ten")]
    (folder / "commands.csv").write_text("\n".join(["command,intent", *rows]) + "\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def judge(folder: Path) -> Path:
    """An application with golden samples and evidence of the whole: do not write into it."""
    return build_application(folder / "judge.toml", folder / "judge.ortpackage", given=GIVEN).package


def test_a_build_measures_the_whole_and_verify_runs_its_samples(judge: Path, command: Command) -> None:
    done = command("verify", judge)
    assert done.code == 0, done.err
    assert "The whole: 6 golden samples have the answers of the float engines" in " ".join(done.out.split())
    whole = json.loads(command("verify", judge, "--json").out)["whole"]
    assert whole["samples"] == 6
    assert whole["difference"] <= whole["tolerance"] <= 1
    shown = command("inspect", judge)
    assert shown.code == 0, shown.err
    assert "judge on 6 samples of commands.csv, measured on" in " ".join(shown.out.split())
    facts = json.loads(command("inspect", judge, "--json").out)
    assert facts["golden"]["samples"] == 6
    assert facts["evidence"]["values"][0]["value"] == "intent"
    (of_the_model,) = facts["evidence_of_models"]["intents"].values()
    assert of_the_model["kind"] == "build"


def test_a_sample_has_inputs_and_answers(judge: Path) -> None:
    samples = ApplicationPackage.open(judge).golden_samples()
    assert all(list(sample.inputs) == ["command"] for sample in samples)
    assert set(samples[0].answers) == {"intent", "reply"}


@pytest.mark.parametrize("what", ["text", "number"])
def test_an_answer_that_changed_is_found(judge: Path, command: Command, tmp_path: Path, what: str) -> None:
    package = Path(shutil.copytree(judge, tmp_path / "copy.ortpackage"))
    first, *others = ApplicationPackage.open(package).golden_samples()
    labels: Any = first.answers["intent"]
    label = labels[0]
    changed = {"label": label["label"], "score": label["score"] + 0.25}
    answers = {**first.answers, "reply": "Other."} if what == "text" else {**first.answers, "intent": [changed]}
    write_whole_golden(package / "golden.npz", [WholeSample(first.inputs, answers), *others])
    write_sums(package)
    says = ["answers golden sample 0 otherwise: 'reply' is", "should be 'Other.'"]
    command.refuses("verify", package, says=says if what == "text" else ["differs from its stored answers by"], code=1)


def test_a_tolerance_that_lets_everything_pass_is_refused(judge: Path, command: Command, tmp_path: Path) -> None:
    package = Path(shutil.copytree(judge, tmp_path / "copy.ortpackage"))
    record = json.loads((package / "application.json").read_text(encoding="utf-8"))
    record["golden"]["tolerance"] = 1e9
    (package / "application.json").write_text(json.dumps(record), encoding="utf-8")
    write_sums(package)
    command.refuses("verify", package, says=["with the tolerance 1e+09", "at most 1"], code=1)


@pytest.mark.parametrize("answers", [(), ("intent",), ("intent", "reply", "more")])
def test_a_sample_has_all_answers(judge: Path, command: Command, tmp_path: Path, answers: tuple[str, ...]) -> None:
    """One without them would pass whatever the application answers."""
    package = Path(shutil.copytree(judge, tmp_path / "copy.ortpackage"))
    first, *others = ApplicationPackage.open(package).golden_samples()
    changed = WholeSample(first.inputs, {name: first.answers.get(name) for name in answers})
    write_whole_golden(package / "golden.npz", [changed, *others])
    write_sums(package)
    says = ["golden sample 0 has not the answers of the application"]
    command.refuses("verify", package, says=says, code=1)


@pytest.mark.parametrize("infinite", [float("inf"), float("-inf"), float("nan")])
def test_infinities_are_differences_where_one_side_has_them(infinite: float) -> None:
    for found, stored in ((2.0, infinite), (infinite, 2.0)):
        assert difference(found, stored, "it").place
        assert difference(np.array([1.0, found]), np.array([1.0, stored]), "it").place == "it has other values"
    # What is beside an infinity that both have is compared.
    assert difference(np.array([infinite, 1.0]), np.array([infinite, 2.0]), "it").largest == 0.5
    assert difference(infinite, infinite, "it") == Difference()


def test_samples_are_left_out_or_replaced_where_that_is_asked(folder: Path, command: Command, tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text("command\n" + "play some calm music\n" * 10, encoding="utf-8")
    made = build_application(
        folder / "judge.toml", tmp_path / "own.ortpackage", given={**GIVEN, "data.golden": str(tmp_path / "own.csv")}
    )
    assert [one.inputs for one in ApplicationPackage.open(made.package).golden_samples()] == [
        {"command": "play some calm music"}
    ] * 8
    # Those behind are not compared.
    assert made.whole.golden.tried == 8
    without = build_application(
        folder / "judge.toml", tmp_path / "none.ortpackage", given={**GIVEN, "data.golden_samples": False}
    )
    assert not (without.package / "golden.npz").exists()
    assert "The whole was not run" in command("verify", without.package).out


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ('"commands.csv"', '"comands.csv"', ["There is no data file", "comands.csv"]),
        ("samples = 6", "samples = 0", [":10:", "data.samples: 0 is not above zero"]),
        ("samples = 6", 'labels = "x.csv"', [":10:", "unknown key 'labels'"]),
    ],
)
def test_wrong_settings_of_the_whole_are_refused(
    folder: Path, command: Command, tmp_path: Path, before: str, after: str, says: list[str]
) -> None:
    source = folder / f"{tmp_path.name}.toml"
    source.write_text(JUDGE.replace(before, after), encoding="utf-8")
    command.refuses("build", source, "-o", tmp_path / "new.ortpackage", says=says)


def test_values_of_all_kinds_are_stored_and_compared(tmp_path: Path) -> None:
    value = {
        "texts": ["a", None],
        "boxes": [{"label": "cat", "score": 0.5, "box": {"xmin": 100.0}}],
        "audio": {"array": np.linspace(0, 1, 5, dtype=np.float32), "sampling_rate": 8000},
    }
    write_whole_golden(tmp_path / "golden.npz", [WholeSample({"image": b"bytes", "number": 2.5}, value)])
    (found,) = read_whole_golden(tmp_path / "golden.npz")
    assert found.inputs == {"image": b"bytes", "number": 2.5}
    assert difference(stored_form(value), dict(found.answers), "it") == Difference()
    moved = {**value, "boxes": [{"label": "cat", "score": 0.5, "box": {"xmin": 101.0}}]}
    # A share of the stored number: a pixel of a hundred.
    assert difference(stored_form(moved), dict(found.answers), "it").largest == pytest.approx(0.01)
    shorter = {**value, "texts": ["a"]}
    assert "it.texts is a list of 1 values" in difference(stored_form(shorter), dict(found.answers), "it").place
    louder = {**value, "audio": {"array": np.full(5, np.nan, dtype=np.float32), "sampling_rate": 8000}}
    assert "it.audio.array has other values" in difference(stored_form(louder), dict(found.answers), "it").place


def test_a_number_in_the_place_of_entries_is_not_a_size(tmp_path: Path) -> None:
    """`bytes` of a whole number are so many zeros."""
    np.savez(tmp_path / "golden.npz", samples=np.array(2**62))
    for read in (read_whole_golden, golden_samples):
        with pytest.raises(PackageError, match="golden samples cannot be read"):
            read(tmp_path / "golden.npz")


def test_a_file_of_somebody_else_names_no_path(tmp_path: Path) -> None:
    entries = [{"inputs": {"named": {"image": {"path": "somewhere"}}}, "answers": {"named": {}}}]
    samples = np.frombuffer(json.dumps(entries).encode(), dtype=np.uint8)
    np.savez(tmp_path / "golden.npz", samples=samples)
    with pytest.raises(PackageError, match="golden samples cannot be read"):
        read_whole_golden(tmp_path / "golden.npz")
