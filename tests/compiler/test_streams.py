"""What reaches the terminal: no control characters of others, no endless message, a sentence where it cannot."""

import json
import subprocess
from pathlib import Path

import pytest

from command import PROGRAM, Command
from edgewright_cli import main, targets
from edgewright_cli.streams import printable

ESCAPE = "\x1b[2J\x1b]0;title\x07"
SPELT = r"\x1b[2J\x1b]0;title\x07"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("caf\u00e9 \u4f60\u597d\tx\n", "caf\u00e9 \u4f60\u597d\tx\n"),
        (ESCAPE, SPELT),
        ("\r\x08\x00\x7f\x9b2J", r"\r\x08\x00\x7f\x9b2J"),
        ("abc\u202etxt.exe\u2066", r"abc\u202etxt.exe\u2066"),
        ("\x1b[1mours\x1b[0m", "\x1b[1mours\x1b[0m"),
        ("\x1b[5mnot ours", r"\x1b[5mnot ours"),
    ],
)
def test_control_characters_are_spelt(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_an_error_spells_the_name_of_a_file(command: Command) -> None:
    command.refuses("run", f"{ESCAPE}.ortpackage", "text", says=[SPELT])


def test_a_label_of_a_package_does_not_reach_the_terminal(command: Command, text_package: Path) -> None:
    file = text_package / "manifest.json"
    data = json.loads(file.read_text(encoding="utf-8"))
    ours = data["additional_metadata"]["edgewright"]
    ours["labels"] = [f"{label}{ESCAPE}" for label in ours["labels"]]
    file.write_text(json.dumps(data), encoding="utf-8")
    done = command("run", text_package, "turn on the lights")
    assert done.code == 0, done.err
    assert SPELT in done.out
    assert "\x1b" not in done.out + done.err
    answer = json.loads(command("run", text_package, "turn on the lights", "--json").out)["answers"][0]
    assert answer["labels"][0]["label"].endswith(ESCAPE)


def test_a_message_is_as_long_as_a_person_reads(command: Command) -> None:
    word = f"begin{'x' * 100_000}end"
    done = command("run", word, "text")
    assert done.code == 2
    assert "characters left out" in done.err
    assert "begin" in done.err
    assert len(done.err) < 10_000


@pytest.mark.parametrize("verb", [("targets",), ("targets", "--json"), ("--help",)])
def test_a_full_disk_below_standard_output_is_a_sentence(verb: tuple[str, ...]) -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = subprocess.run([*PROGRAM, *verb], stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("error: Standard output cannot be written: No space left on device.")
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


def test_a_full_disk_below_both_streams_is_an_exit_code() -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        assert subprocess.run([*PROGRAM, "targets"], stdout=full, stderr=full).returncode == 2


def test_memory_that_ran_out_on_purpose_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def exhaust(*_: object) -> int:
        raise MemoryError

    monkeypatch.setattr(targets, "execute", exhaust)
    assert main(["targets"]) == 2
    assert "There is not enough memory for this." in capsys.readouterr().err
