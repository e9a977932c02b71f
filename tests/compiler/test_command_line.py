"""How the command line behaves: help, JSON, quiet, colours, pipes, standard input, Ctrl-C, the cache."""

import fcntl
import json
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tiny_models
from command import PROGRAM, QUICK, Command, environment, leftovers, run_apart
from edgewright_cli import VERBS


@pytest.mark.parametrize("verb", VERBS)
def test_help_has_an_example(command: Command, verb: str) -> None:
    shown = command(verb, "--help")
    assert shown.code == 0
    assert f"example:\n  edgewright {verb}" in shown.out
    assert shown.err == ""


def test_the_list_of_verbs(command: Command) -> None:
    shown = command("--help")
    assert shown.code == 0
    assert all(f"  {verb} " in shown.out for verb in VERBS)
    assert "exit codes: 0 ok, 1 a check failed, 2 wrong use or input" in shown.out
    assert command("--version").out.startswith("edgewright ")


def _words(sources: Path, text: Path, arrays: Path, output: Path) -> dict[str, tuple[object, ...]]:
    data = ("--data", sources / "inputs.npz", *QUICK)
    fixed = ("--calibration", sources / "inputs.npz", "--target", sources / "tiny.toml", *QUICK)
    return {
        "build": ("build", sources / "perceptron.onnx", "-o", output, *fixed),
        "run": ("run", text, "play some music", "set a timer"),
        "run-arrays": ("run", arrays, sources / "inputs.npz"),
        "bench": ("bench", arrays, *data),
        "verify": ("verify", text),
        "inspect": ("inspect", text),
        "targets": ("targets",),
        "cache": ("cache",),
        "cache-clear": ("cache", "clear", "--older-than", "1000"),
    }


def test_json_and_nothing_else(command: Command, sources: Path, built_text: Path, built_arrays: Path) -> None:
    found: dict[str, Any] = {}
    for name, words in _words(sources, built_text, built_arrays, command.folder / "p").items():
        outcome = command(*words, "--json")
        assert outcome.code == 0, outcome.err
        found[name] = json.loads(outcome.out)
    (choice,) = found["build"]["targets"]
    assert choice["chosen"] in ("tiny-cpu-fp32", "tiny-cpu-int8")
    assert {engine["name"] for engine in choice["engines"]} == {"tiny-cpu-fp32", "tiny-cpu-int8"}
    assert [answer["input"] for answer in found["run"]["answers"]] == ["play some music", "set a timer"]
    assert found["run"]["answers"][0]["labels"][0]["label"] in tiny_models.LABELS
    assert np.shape(found["run-arrays"]["outputs"]["scores"]["values"]) == (24, 4)
    assert found["bench"]["kind"] == "bench"
    assert found["bench"]["reason"].startswith(f"{found['bench']['chosen']} runs here")
    assert found["verify"]["ok"] is True
    assert found["verify"]["samples"] == 8
    assert found["inspect"]["manifest"]["labels"] == list(tiny_models.LABELS)
    assert found["targets"]["host"] in [target["name"] for target in found["targets"]["targets"]]
    assert {entry["stage"] for entry in found["cache"]["entries"]} >= {"export", "check", "quantize", "measure"}
    assert found["cache-clear"] == {"removed": 0, "bytes": 0, "in_use": 0}


def test_part_of_the_data_drawn_from_all_of_it(command: Command, sources: Path, built_arrays: Path) -> None:
    data = ("--data", sources / "inputs.npz", *QUICK, "--json")
    found = json.loads(command("bench", built_arrays, *data, "--samples", "10").out)
    assert found["data"]["samples"] == 10
    assert {engine["accuracy"]["samples"] for engine in found["engines"]} == {10}
    assert json.loads(command("bench", built_arrays, *data, "--samples", "99").out)["data"]["samples"] == 24

    out = command.folder / "few.ortpackage"
    words = ("build", sources / "perceptron.onnx", "-o", out, "--calibration", sources / "inputs.npz")
    fixed = ("--target", sources / "tiny.toml", *QUICK)
    few = command(*words, *fixed, "--samples", "12")
    assert "on 12 samples" in few.out
    assert (
        "12 samples cannot show a drop below 18.3 percentage points with 95 % confidence, but the budget is 1.0"
        in few.err_line
    )
    assert "At least 268 samples are needed" in few.err_line
    # Fewer samples are other evidence: the package is not up to date.
    assert "is up to date" not in command(*words, *fixed, "--samples", "11").err


def test_quiet(command: Command, sources: Path, built_text: Path, built_arrays: Path) -> None:
    outcomes = {
        name: command(*words, "--quiet")
        for name, words in _words(sources, built_text, built_arrays, command.folder / "p").items()
    }
    assert all(outcome.code == 0 for outcome in outcomes.values())
    assert all(outcome.err == "" for outcome in outcomes.values()), outcomes
    assert "ships" in outcomes["build"].out or "fastest" in outcomes["build"].out or "only" in outcomes["build"].out
    assert "engine" not in outcomes["build"].out.splitlines()[0]
    assert len(outcomes["run"].out.splitlines()) == 2
    assert outcomes["bench"].out
    assert outcomes["verify"].out == outcomes["cache-clear"].out == ""


def test_text_that_is_none(command: Command, built_text: Path) -> None:
    for text in ("", "   ", "\t\n"):
        command.refuses("run", built_text, text, says=["takes a non-empty text; found"])
    command.refuses("run", built_text, "a\udcffb", says=["not valid Unicode"])


def test_inputs_of_the_wrong_kind(command: Command, built_text: Path, built_arrays: Path, tmp_path: Path) -> None:
    says = ["takes named arrays: an .npz file; 'play music' is not an .npz file", "numpy.savez"]
    command.refuses("run", built_arrays, "play music", says=says)
    command.refuses("run", built_arrays, "missing.npz", says=["'missing.npz' is not an .npz file"])
    command.refuses("run", built_arrays, "a.npz", "b.npz", says=["one .npz file", "2 inputs"])
    wrong = tmp_path / "wrong.npz"
    np.savez(wrong, images=np.zeros((1, 8), np.float32))
    command.refuses("run", built_arrays, wrong, says=["The model has no input 'images'; its inputs are 'pixels'"])
    np.savez(wrong, pixels=np.zeros((1, 8), np.int64))
    command.refuses("run", built_arrays, wrong, says=["'pixels' is int64; the model takes tensor(float)"])
    output = tmp_path / "out.npz"
    command.refuses(
        "run", built_text, "play", "-o", output, says=["--output is for models whose output is named arrays"]
    )
    command.refuses("run", built_arrays, wrong, "-o", tmp_path / "no" / "out.npz", says=["there is no folder"])
    assert [path.name for path in tmp_path.iterdir()] == ["wrong.npz"]


def test_arrays_to_a_file(command: Command, built_arrays: Path, sources: Path, tmp_path: Path) -> None:
    output = tmp_path / "answer"
    assert command("run", built_arrays, sources / "inputs.npz", "-o", output).code == 0
    with np.load(output) as file:
        assert file["scores"].shape == (24, 4)
    assert [path.name for path in tmp_path.iterdir()] == ["answer"]


def _add_foreign_engine(package: Path) -> None:
    """Put an engine for another machine in front, as a package for several machines has it."""
    path = package / "manifest.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    variants = data["components"]["model"]["variants"]
    foreign = json.loads(json.dumps(variants["tiny-cpu-fp32"]))
    foreign["executor_info"]["edgewright"]["architecture"] = "riscv64"
    variants["board-cpu-fp32"] = foreign
    data["additional_metadata"]["edgewright"]["order"].insert(0, "board-cpu-fp32")
    path.write_text(json.dumps(data), encoding="utf-8")


def test_engines_by_name_and_strictness(command: Command, text_package: Path) -> None:
    run = ("run", text_package, "play some music")
    command.refuses(
        *run, "--engine", "tiny-cpu-fp64", says=["no engine 'tiny-cpu-fp64'", "Did you mean 'tiny-cpu-fp32'"]
    )
    assert "[tiny-cpu-fp32, CPUExecutionProvider" in command(*run, "--engine", "tiny-cpu-fp32").err
    _add_foreign_engine(text_package)
    reason = "It was made for riscv64; this machine is"
    fallen_back = command(*run)
    assert fallen_back.code == 0
    assert "warning: " in fallen_back.err
    assert reason in fallen_back.err_line
    command.refuses(
        *run, "--strict", says=["'board-cpu-fp32' cannot run here", reason, "Engines in the package: board"]
    )
    command.refuses(*run, "--engine", "board-cpu-fp32", says=[reason])


@pytest.mark.slow
def test_standard_input(built_text: Path, shared_cache: Path) -> None:
    def run(stdin: bytes, **env: str) -> Any:
        return run_apart("run", built_text, "-", "-q", cache=shared_cache, stdin=stdin, env=env)

    answers = run("play some music\r\n\r\nset a caf\u00e9 timer".encode(), PYTHONUTF8="0", LC_ALL="C", LANG="C")
    assert answers.code == 0, answers.err
    lines = answers.out.splitlines()
    assert lines[0].startswith("play some music  ->  ")
    assert len(lines) == 2
    run(b"\n \n").check_refusal(["Standard input has no text", "< sentences.txt"])
    run(b"caf\xe9\n").check_refusal(["Standard input is not UTF-8: byte 3"])
    closed = run_apart(
        "run", built_text, "-", cache=shared_cache, program=("sh", "-c", 'exec "$@" <&-', "sh", *PROGRAM)
    )
    closed.check_refusal(["Standard input has no text"])


@pytest.mark.slow
@pytest.mark.parametrize("words", [("targets",), ("--help",), ("build", "--help"), ("targets", "--json")])
def test_a_reader_that_has_enough(words: tuple[str, ...], shared_cache: Path) -> None:
    """`| head` closes the pipe; that is not an error, and nothing to print about."""
    read, write = os.pipe()
    process = subprocess.Popen([*PROGRAM, *words], stdout=write, stderr=subprocess.PIPE, env=environment(shared_cache))
    os.close(read)
    os.close(write)
    _, err = process.communicate(timeout=600)
    assert err == b""
    assert process.returncode == 0


def _on_a_terminal(cache: Path, *words: object, **env: str) -> bytes:
    main, side = pty.openpty()
    # A new terminal has no size, and bars are as wide as the terminal.
    fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    settings = environment(cache) | {"TERM": "xterm", "COLUMNS": "80"} | env
    process = subprocess.Popen([*PROGRAM, *map(str, words)], stdin=side, stdout=side, stderr=side, env=settings)
    os.close(side)
    seen = b""
    while True:
        try:
            part = os.read(main, 65536)
        except OSError:
            # Linux ends a terminal whose other side is closed with an input/output error.
            break
        if not part:
            break
        seen += part
    os.close(main)
    assert process.wait(timeout=600) in (0, 2)
    return seen


@pytest.mark.slow
@pytest.mark.parametrize("words", [("targets",), ("run", "missing", "text")])
def test_colours_are_for_people(shared_cache: Path, words: tuple[str, ...]) -> None:
    escape = b"\x1b"
    assert escape in _on_a_terminal(shared_cache, *words)
    assert escape not in _on_a_terminal(shared_cache, *words, NO_COLOR="1")
    assert escape not in _on_a_terminal(shared_cache, *words, TERM="dumb")
    piped = run_apart(*words, cache=shared_cache, env={"TERM": "xterm"})
    assert "\x1b" not in piped.out + piped.err


@pytest.mark.slow
def test_progress_bars_are_for_terminals(sources: Path, tmp_path: Path) -> None:
    source = ("build", sources / "perceptron.onnx", "--calibration", sources / "inputs.npz")
    fixed = ("--target", sources / "tiny.toml", *QUICK)
    shown = _on_a_terminal(tmp_path / "one", *source, "-o", tmp_path / "one.p", *fixed)
    assert b"timing in rounds" in shown
    quiet = _on_a_terminal(tmp_path / "two", *source, "-o", tmp_path / "two.p", *fixed, "-q")
    assert b"timing in rounds" not in quiet
    logged = run_apart(*source, "-o", tmp_path / "three.p", *fixed, cache=tmp_path / "three")
    assert "Measured:" in logged.err
    assert "timing in rounds" not in logged.err
    assert "\r" not in logged.err


@pytest.mark.slow
def test_an_encoding_without_our_letters(text_package: Path, shared_cache: Path) -> None:
    path = text_package / "manifest.json"
    path.write_text(path.read_text(encoding="utf-8").replace("PlayMusic", "Spiele\u266a"), encoding="utf-8")
    words = ("run", text_package, "play some music", "--top-k", "4")
    outcome = run_apart(*words, cache=shared_cache, env={"PYTHONIOENCODING": "ascii"})
    assert outcome.code == 0, outcome.err
    assert "Spiele\\u266a" in outcome.out


@pytest.mark.slow
def test_interrupting_by_hand(sources: Path, tmp_path: Path) -> None:
    """Ctrl-C goes to the command and to its workers: one sentence, nothing left, and the next run goes on."""
    cache, output = tmp_path / "cache", tmp_path / "out" / "p"
    output.parent.mkdir()
    source = ("build", sources / "perceptron.onnx", "--calibration", sources / "inputs.npz", "-o", output)
    words = [str(word) for word in (*source, "--target", sources / "tiny.toml", "--rounds", 300)]
    process = subprocess.Popen(
        [*PROGRAM, *words], stderr=subprocess.PIPE, text=True, env=environment(cache), start_new_session=True
    )
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("Measuring"):
            break
    os.killpg(process.pid, signal.SIGINT)
    stderr_text = process.stderr.read()
    process.stderr.close()
    assert process.wait(timeout=600) == 130
    assert stderr_text.strip() == "Interrupted; the same command continues after the last finished stage."
    assert list(output.parent.iterdir()) == []
    assert leftovers(cache) == []


def test_the_cache_is_shown_and_cleared(
    command: Command, sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "cache" / "edgewright"
    empty = command("cache")
    assert empty.code == 0
    assert f"{folder}: 0 entries" in empty.out
    assert command("cache", "clear").code == 0
    source = ("build", sources / "perceptron.onnx", "--calibration", sources / "inputs.npz", *QUICK)
    assert command(*source, "-o", tmp_path / "p", "--target", command.target, "--archive", "-q").code == 0
    assert command("verify", tmp_path / "p.tar").code == 0
    shown = command("cache")
    for stage in ("export", "check", "optimizer", "feeds", "quantize", "measure", "unpacked"):
        assert stage in shown.out
    assert "Removed 0 entries" in command("cache", "clear", "--older-than", "1").out
    assert "Removed 7 entries" in command("cache", "clear").out
    assert "0 entries" in command("cache").out
    command.refuses("cache", "clear", "--older-than", "soon", says=["--older-than"])


def test_the_same_program_by_its_two_names(shared_cache: Path) -> None:
    script = Path(sys.executable).with_name("edgewright")
    if not script.exists():
        pytest.skip("edgewright is not installed beside this Python")
    by_name = run_apart("--version", cache=shared_cache, program=(str(script),))
    assert by_name == run_apart("--version", cache=shared_cache)
