"""Packages that were changed, cut off or forged: `verify` says damage (1) or no package (2), and nothing runs amok."""

import copy
import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from command import Command
from edgewright_runtime.manifest import FORMAT
from sums import reseal

Change = Callable[[Path], object]


def _flip(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


def _weights(package: Path) -> Path:
    return next(package.glob("shared_assets/*/weights.bin"))


DAMAGE: dict[str, tuple[Change, str]] = {
    "weights": (lambda p: _flip(_weights(p), 5), "weights.bin"),
    "manifest": (lambda p: _flip(p / "manifest.json", 40), "changed after the build: manifest.json"),
    "manifest-cut": (lambda p: (p / "manifest.json").write_text("{"), "changed after the build: manifest.json"),
    "manifest-gone": (lambda p: (p / "manifest.json").unlink(), "files are missing: manifest.json"),
    "graph-cut": (lambda p: _cut(next(p.glob("model/*/model.onnx"))), "model.onnx"),
    "evidence": (lambda p: _flip(p / "edgewright" / "evidence" / "tiny.json", 9), "edgewright/evidence/tiny.json"),
    "golden-gone": (lambda p: (p / "edgewright" / "golden.npz").unlink(), "missing: edgewright/golden.npz"),
    "added": (lambda p: (p / "model" / "extra.txt").touch(), "not part of it: model/extra.txt"),
    "link": (
        lambda p: (p / "extra").symlink_to("/etc/passwd"),
        "packages hold plain files only; these are not plain files",
    ),
    "link-folder": (lambda p: (p / "extra").symlink_to("/etc"), "plain files only"),
    "replaced": (lambda p: _replace_with_link(_weights(p)), "plain files only"),
    "pipe": (lambda p: _replace_with_pipe(_weights(p)), "plain files only"),
    "sums-line": (lambda p: _append(p / "SHA256SUMS", "no checksum\n"), "a line that is not a checksum"),
    "sums-digest": (lambda p: _swap_digit(p / "SHA256SUMS"), "changed after the build: edgewright/evidence/tiny.json"),
    "sums-binary": (lambda p: (p / "SHA256SUMS").write_bytes(b"\xff\xfe"), "SHA256SUMS cannot be read"),
    "sums-gone": (lambda p: (p / "SHA256SUMS").unlink(), "SHA256SUMS is missing"),
    "sums-outside": (lambda p: _append(p / "SHA256SUMS", f"{'0' * 64}  ../outside\n"), "missing: ../outside"),
}


def _swap_digit(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    path.write_text(("0" if text[0] != "0" else "1") + text[1:], encoding="utf-8")


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-10])


def _append(path: Path, text: str) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(text)


def _replace_with_link(path: Path) -> None:
    path.rename(path.parents[3] / "elsewhere.bin")
    path.symlink_to(path.parents[3] / "elsewhere.bin")


def _replace_with_pipe(path: Path) -> None:
    import os

    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize("name", DAMAGE)
def test_damage(command: Command, package: Path, name: str) -> None:
    change, says = DAMAGE[name]
    change(package)
    command.refuses("verify", package, says=[f"'{package}' is damaged", says, "Copy it again"], code=1)


def test_a_tokenizer_that_was_edited(command: Command, text_package: Path) -> None:
    _flip(next(text_package.glob("shared_assets/*/tokenizer.json")), 100)
    command.refuses("verify", text_package, says=["is damaged", "tokenizer.json"], code=1)


def test_engines_that_answer_otherwise(command: Command, package: Path) -> None:
    """Sums can be written anew; the golden samples still know what the float model answered."""
    weights = _weights(package)
    values = np.frombuffer(weights.read_bytes(), np.float32) * np.float32(1.5)
    weights.write_bytes(values.astype(np.float32).tobytes())
    reseal(package)
    says = ["differs from the float outputs by", "is allowed"]
    command.refuses("verify", package, says=says, code=1)


@pytest.mark.parametrize("verb", ["run", "verify", "inspect", "bench"])
def test_no_package(command: Command, tmp_path: Path, verb: str) -> None:
    more = {"run": ["text"], "bench": ["--data", "x.npz"]}.get(verb, [])
    missing = tmp_path / "missing.ortpackage"
    command.refuses(verb, missing, *more, says=[f"'{missing}' is not a package: there is nothing at that path"])
    empty = tmp_path / "empty"
    empty.mkdir()
    says = [f"'{empty}' is not a package: it has no manifest.json", "edgewright build"]
    command.refuses(verb, empty, *more, says=says)
    for content in (b"", b"no archive at all", bytes(2048)):
        file = tmp_path / "file.tar"
        file.write_bytes(content)
        command.refuses(verb, file, *more, says=[f"'{file}' is not a package", "SHA256SUMS", "--archive"])


def _edit(package: Path, change: Callable[[dict[str, Any]], object]) -> None:
    path = package / "manifest.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    change(data)
    path.write_text(json.dumps(data), encoding="utf-8")
    reseal(package)


def _variant(data: dict[str, Any]) -> dict[str, Any]:
    (variant, *_) = data["components"]["model"]["variants"].values()
    assert isinstance(variant, dict)
    return variant


def _ours(data: dict[str, Any]) -> dict[str, Any]:
    ours = data["additional_metadata"]["edgewright"]
    assert isinstance(ours, dict)
    return ours


def _nested(depth: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(depth):
        value = {"a": value}
    return value


FORGED: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "up": (lambda d: _variant(d)["executor_info"]["ort"].update(model_file="../../../x.onnx"), "leaves the package"),
    "up-folder": (lambda d: _variant(d).update(variant_directory="../.."), "leaves the package"),
    "absolute": (lambda d: _variant(d).update(variant_directory="/etc"), "leaves the package"),
    "missing": (lambda d: _variant(d).update(variant_directory="nowhere"), "nowhere"),
    "provider": (lambda d: _variant(d).update(ep="MagicProvider"), "Unknown execution provider 'MagicProvider'"),
    "engine": (
        lambda d: _variant(d)["executor_info"]["edgewright"].update(engine="epcontex"),
        "unknown kind of engine 'epcontex'. Did you mean 'epcontext'",
    ),
    # JSON is read to this depth; what walks through it afterwards comes to its end sooner.
    "nested": (lambda d: _variant(d)["executor_info"]["edgewright"].update(recipe=_nested(700)), "RecursionError"),
    "threads": (
        lambda d: _variant(d)["executor_info"]["ort"]["session_options"].update(intra_op_num_threads="many"),
        "intra_op_num_threads",
    ),
    "order": (lambda d: _ours(d).update(order=["nothing"]), "the order of engines names ['nothing']"),
    "no-order": (lambda d: _ours(d).update(order=[]), "the order of engines names nothing"),
    "step": (lambda d: _ours(d)["pipeline"]["steps"][0].update(step="infr"), "unknown step 'infr'"),
    "option": (lambda d: _ours(d)["pipeline"]["steps"][0].update(options={"a": 1}), "wrong options"),
    "key": (lambda d: _ours(d).update(licence="x"), "unknown key 'licence'"),
    "format-text": (lambda d: _ours(d).update(format="1"), "the format of the package is '1'"),
    "newer": (lambda d: _ours(d).update(format=FORMAT + 1, licence="x"), "pip install --upgrade edgewright"),
    "newer-engine": (
        lambda d: _variant(d)["executor_info"]["edgewright"].update(format=9, x=1),
        "pip install --upgrade",
    ),
}


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_manifest(command: Command, package: Path, sources: Path, name: str) -> None:
    change, says = FORGED[name]
    _edit(package, change)
    command.refuses("run", package, sources / "inputs.npz", says=[says])
    # ONNX Runtime's own reader may refuse it before ours does; then it is damage.
    outcome = command("verify", package)
    assert outcome.code in (1, 2)
    assert "error: " in outcome.err


def test_broken_json(command: Command, package: Path) -> None:
    for text in ("{", "[]", "null", '{"components": 3}', "[" * 100_000, "\x00"):
        (package / "manifest.json").write_text(text, encoding="utf-8")
        reseal(package)
        for verb in ("verify", "inspect"):
            command.refuses(verb, package, says=["this is not an Edgewright package", "edgewright build"])
        command.refuses("run", package, "text", says=["this is not an Edgewright package"])


def test_a_manifest_without_end(command: Command, package: Path) -> None:
    with (package / "manifest.json").open("r+b") as file:
        file.truncate(2**30)
    command.refuses("inspect", package, says=["is larger than", "not a manifest"])


def test_golden_samples_that_run_code(command: Command, package: Path, tmp_path: Path) -> None:
    proof = tmp_path / "was-run"

    class RunsCode:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (proof,)

    np.savez(package / "edgewright" / "golden.npz", samples=np.array([RunsCode()], dtype=object))
    reseal(package)
    command.refuses("verify", package, says=["golden samples cannot be read", "Python objects"])
    assert not proof.exists()


def _mutations(data: dict[str, Any], count: int) -> list[dict[str, Any]]:
    """Copies of `data` with one value somewhere in it replaced or removed; the same for every run."""
    chosen = random.Random(5)
    found = []
    for _ in range(count):
        made: Any = copy.deepcopy(data)
        place = made
        while True:
            key = chosen.choice(list(place) if isinstance(place, dict) else range(len(place)))
            inner = place[key]
            if isinstance(inner, dict | list) and inner and chosen.random() < 0.9:
                place = inner
                continue
            break
        if chosen.random() < 0.25:
            del place[key]
        else:
            place[key] = chosen.choice([None, 0, -1, 3.5, "", "x", "../x", [], {}, [1], {"a": 1}, True, "9" * 30])
        found.append(made)
    return found


@pytest.mark.parametrize("kind", ["text", "arrays"])
def test_whatever_a_manifest_says_there_is_no_traceback(
    command: Command, text_package: Path, package: Path, sources: Path, kind: str
) -> None:
    place = text_package if kind == "text" else package
    sample = "play some music" if kind == "text" else sources / "inputs.npz"
    path = place / "manifest.json"
    whole = json.loads(path.read_text(encoding="utf-8"))
    for number, data in enumerate(_mutations(whole, 150)):
        path.write_text(json.dumps(data), encoding="utf-8")
        reseal(place)
        for words in (("run", place, sample), ("inspect", place), ("verify", place)):
            try:
                outcome = command(*words)
            except Exception as error:
                changed = shutil.copy(path, place.parent / "changed.json")
                raise AssertionError(f"change {number} ({changed}): {words[0]} raised {error!r}") from error
            assert outcome.code in (0, 1, 2)
