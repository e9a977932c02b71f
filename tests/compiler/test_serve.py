"""`edgewright serve` refuses what cannot be, before it listens."""

import socket
import sys

import pytest

import hand_made
from command import Command

PACKAGE = hand_made.ARRAYS


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "arguments are required: PACKAGE"),
        (("missing.ortpackage",), "there is nothing at that path"),
        ((PACKAGE, PACKAGE), "Two packages are named 'format-1'"),
        ((PACKAGE, "--host", "0.0.0.0"), "so a token is needed"),
        ((PACKAGE, "--token", "short"), "must have 16 or more"),
        ((PACKAGE, "--port", "99999"), "The port 99999 does not exist"),
        ((PACKAGE, "--max-memory", "many"), "'many' is not a size of memory above zero"),
        ((PACKAGE, "--max-memory", "1MB"), "'format-1' does not fit into 1 MB"),
        ((PACKAGE, "--max-request", "0MB"), "is not a size of memory above zero"),
        ((PACKAGE, "--queue", "0"), "is not a whole number above zero"),
        ((PACKAGE, "--time-limit", "-1"), "must be above zero"),
        ((PACKAGE, "--host", "no.such.name.invalid", "--token", "a" * 16), "is not an address of this machine"),
    ],
)
def test_a_refusal(command: Command, words: tuple[object, ...], says: str) -> None:
    command.refuses("serve", *words, says=[says])


def test_an_address_in_use(command: Command) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        command.refuses("serve", PACKAGE, "--port", port, says=[f"cannot listen at 127.0.0.1, port {port}", "--port"])


def test_without_its_libraries_it_says_what_to_install(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith(("edgewright_serving", "uvicorn", "starlette"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    command.refuses("serve", PACKAGE, says=["the library 'uvicorn'", "pip install 'edgewright[serve]'"])
