"""Warnings of Python on the terminal: sentences, and never a place in a file of a library."""

import sys
import types
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

from edgewright_benchmarks.data import DataWarning
from edgewright_cli import VERBS, console, main
from edgewright_runtime.errors import AudioWarning

LIBRARY = "/venv/lib/python3.12/site-packages/torch/onnx/utils.py"


@pytest.fixture(autouse=True)
def _not_errors(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(sys, "warnoptions", [])
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        yield


def stderr_of(capsys: pytest.CaptureFixture[str], kind: type[Warning], file: str) -> str:
    with console.routed_warnings():
        warnings.warn_explicit("It is odd.", kind, file, 12)
    found = capsys.readouterr().err
    assert ".py:12" not in found
    assert kind.__name__ not in found
    return found


@pytest.mark.parametrize(
    "file",
    [
        LIBRARY,
        "/usr/lib/python3/dist-packages/numpy/core.py",
        "/usr/lib/python3.11/contextlib.py",
        "C:\\Python\\Lib\\site-packages\\numpy\\core.py",
        "/home/me/edgewright/compiler/edgewright_compiler/graphs/quantize.py",
        "<string>",
    ],
)
@pytest.mark.parametrize("kind", [UserWarning, FutureWarning, RuntimeWarning, DeprecationWarning])
def test_what_libraries_say_goes_nowhere(capsys: pytest.CaptureFixture[str], kind: type[Warning], file: str) -> None:
    assert stderr_of(capsys, kind, file) == ""


@pytest.mark.parametrize("kind", [AudioWarning, DataWarning])
def test_ours_are_sentences(capsys: pytest.CaptureFixture[str], kind: type[Warning]) -> None:
    assert stderr_of(capsys, kind, LIBRARY) == "warning: It is odd.\n"


def test_the_users_own_code_is_heard(capsys: pytest.CaptureFixture[str]) -> None:
    assert stderr_of(capsys, UserWarning, "/home/me/models/net.py") == "warning: net.py says: It is odd.\n"


def test_who_asks_for_all_gets_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "warnoptions", ["default"])
    with pytest.warns(UserWarning, match="odd"), console.routed_warnings():
        warnings.warn_explicit("It is odd.", UserWarning, LIBRARY, 12)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_routes_them(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, verb: str) -> None:
    def execute(_: Any) -> int:
        with console.spoken_warnings(DataWarning):
            warnings.warn_explicit("It is odd.", FutureWarning, LIBRARY, 12)
            warnings.warn_explicit("Semicolons.", DataWarning, LIBRARY, 12)
        return 0

    def configure(_: Any) -> None:
        pass

    module = types.SimpleNamespace(execute=execute, configure=configure, EPILOG="")
    monkeypatch.setitem(sys.modules, f"edgewright_cli.{verb}", module)
    assert main([verb]) == 0
    assert capsys.readouterr().err == "warning: Semicolons.\n"
