"""Golden samples are the user's own data: said, listed, left out, or others that may be given away."""

import json
from pathlib import Path

import numpy as np
import pytest

from command import QUICK, Command
from edgewright_cli.samples import sample_words
from edgewright_runtime import Package, verify
from edgewright_runtime.selftest import golden_samples, stored_samples

ARRAYS = ("perceptron.onnx", "--calibration", "inputs.npz")


@pytest.fixture
def build(command: Command, sources: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.chdir(sources)
    return command


def test_a_build_says_what_it_gives_away_and_inspect_lists_it(build: Command, built_text: Path) -> None:
    output = build.folder / "p.ortpackage"
    done = build("build", *ARRAYS, "--target", "tiny.toml", "-o", output, *QUICK)
    assert done.code == 0, done.err
    printed = " ".join(done.out.split())
    assert (
        "The package holds 8 samples of inputs.npz. Whoever gets it can read them; --golden DATA replaces them"
        in printed
    )
    shown = " ".join(build("inspect", built_text).out.split())
    samples = json.loads(build("inspect", built_text, "--json").out)["golden_samples"]
    assert len(samples) == 8
    assert all(sample in shown for sample in samples)
    assert samples[0] == f"'{stored_samples(Package.open(built_text))[0].sample}'"


def test_without_golden_samples_there_are_none_and_verify_says_so(build: Command) -> None:
    output = build.folder / "p.ortpackage"
    done = build("build", *ARRAYS, "--target", "tiny.toml", "-o", output, "--no-golden-samples", "--json", *QUICK)
    assert done.code == 0, done.err
    assert json.loads(done.out)["golden_samples"] == 0
    assert not (output / "edgewright" / "golden.npz").exists()
    build.refuses("verify", output, says=["has no golden samples", "--structure-only"], code=1)
    whole = build("verify", output, "--structure-only")
    assert whole.code == 0
    assert "Nothing was run" in whole.out
    assert "samples none, so" in " ".join(build("inspect", output).out.split())
    (output / "manifest.json").write_bytes((output / "manifest.json").read_bytes() + b" ")
    build.refuses("verify", output, "--structure-only", says=["manifest.json"], code=1)


def test_samples_that_may_be_given_away_travel_instead(build: Command, tmp_path: Path) -> None:
    given = {"pixels": np.random.default_rng(5).normal(size=(3, 8)).astype(np.float32)}
    np.savez(tmp_path / "given.npz", **given)  # type: ignore[arg-type]
    output = build.folder / "p.ortpackage"
    words = ("build", *ARRAYS, "--target", "tiny.toml", "-o", output, "--golden", tmp_path / "given.npz", *QUICK)
    done = build(*words)
    assert done.code == 0, done.err
    assert "The package holds 3 samples of given.npz" in " ".join(done.out.split())
    stored = golden_samples(output / "edgewright" / "golden.npz")
    np.testing.assert_array_equal([sample.feeds["pixels"][0] for sample in stored], given["pixels"])
    assert verify(output).samples == 3
    assert "is up to date" in build(*words).err
    other = build("build", *ARRAYS, "--target", "tiny.toml", "-o", output, *QUICK)
    assert "is up to date" not in other.err


def test_golden_options_that_do_not_go_together(build: Command, sources: Path) -> None:
    fixed = ("build", *ARRAYS, "-o", build.folder / "p.ortpackage")
    build.refuses(*fixed, "--golden", "inputs.npz", "--no-golden-samples", says=["not allowed with"])
    build.refuses(*fixed, "--golden", "nothing.npz", says=["nothing.npz"])
    build.refuses(*fixed, "--target", "host", "--target", "rtx-40", "--no-golden-samples", says=["finish", "--golden"])
    build.refuses("verify", "p", "--structure-only", "--strict", says=["runs nothing"])


@pytest.mark.parametrize(
    ("sample", "words"),
    [
        ("turn  on\nthe lights", "'turn on the lights'"),
        ("x" * 100, f"'{'x' * 57}...'"),
        (b"RIFF" * 500, "a file of 2,000 bytes"),
        ({"question": "Who?", "image": b"12"}, "question: 'Who?', image: a file of 2 bytes"),
        ({"x": np.zeros((1, 8), np.float32)}, "x: float32 [1, 8]"),
        ({str(index): "a" for index in range(9)}, "0: 'a', 1: 'a', 2: 'a', 3: 'a', 5 more"),
        (7, "7"),
    ],
)
def test_words_for_a_sample(sample: object, words: str) -> None:
    assert sample_words(sample) == words
