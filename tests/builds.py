"""Fixtures: tiny sources, data and packages that the tests of the compiler and of whole families share.

A plugin of pytest, so that both folders see one set, and each package is built once in a process.
"""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import tiny_models
import tiny_speech
import tiny_targets
from command import QUICK, Command, run_apart
from ssh_server import SshServer, ssh_server
from unfinished import build_unfinished


@pytest.fixture(scope="session")
def shared_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One cache for all tests that build, so that a stage is made once, and never the user's own."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder))
        yield folder


@pytest.fixture(scope="session")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one of everything: do not write into it."""
    folder = tmp_path_factory.mktemp("sources")
    tiny_models.write_csv(folder / "train.csv")
    tiny_models.write_csv(folder / "validation.csv", repeat=2)
    tiny_models.write_onnx(folder / "perceptron.onnx")
    tiny_models.write_onnx(folder / "external.onnx", external="external.bin")
    tiny_models.write_arrays(folder / "inputs.npz")
    tiny_targets.write_target(folder / "tiny.toml")
    (folder / "labels.txt").write_text("\n".join(tiny_models.LABELS), encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def checkpoint(sources: Path) -> Path:
    """A Hugging Face checkpoint folder of a tiny BERT: do not write into it."""
    return tiny_models.write_checkpoint(sources / "intents")


@pytest.fixture
def command(
    capsys: pytest.CaptureFixture[str], tmp_path_factory: pytest.TempPathFactory, sources: Path, shared_cache: Path
) -> Command:
    """The command line in this process."""
    return Command(capsys, tmp_path_factory.mktemp("out"), sources / "tiny.toml", shared_cache)


@pytest.fixture(scope="session")
def built_arrays(sources: Path, shared_cache: Path) -> Path:
    """A package of the perceptron, and its archive beside it: do not write into it."""
    return _built(sources, shared_cache, "perceptron", sources / "perceptron.onnx", "--calibration", "inputs.npz")


@pytest.fixture(scope="session")
def built_text(sources: Path, checkpoint: Path, shared_cache: Path) -> Path:
    """A package of the classifier, and its archive beside it: do not write into it."""
    # Its weights are random.
    data = ("--calibration", "train.csv", "--evaluation", "validation.csv", "--accept-baseline")
    return _built(sources, shared_cache, "intents", checkpoint, *data)


@pytest.fixture(scope="session")
def spoken_clips(sources: Path) -> Path:
    """A table of recordings of 8 kHz: do not write into its folder."""
    return tiny_speech.write_recordings(sources / "spoken", rate=8000)


@pytest.fixture(scope="session")
def tiny_whisper(sources: Path) -> Path:
    """The checkpoint folder of a tiny Whisper: do not write into it."""
    return tiny_speech.write_whisper(sources / "whisper")


@pytest.fixture(scope="session")
def built_whisper(sources: Path, tiny_whisper: Path, spoken_clips: Path, shared_cache: Path) -> Path:
    """A package of it: do not write into it."""
    data = ("--calibration", str(spoken_clips), "--evaluation", str(spoken_clips.parent), "--accept-baseline")
    return _built(sources, shared_cache, "whisper", tiny_whisper, *data)


def _built(sources: Path, cache: Path, name: str, source: Path, *data: str) -> Path:
    output = sources / f"{name}.ortpackage"
    fixed = ("--target", "tiny.toml", "--archive", "-o", output, *QUICK)
    done = run_apart("build", source, *data, *fixed, cache=cache, cwd=sources)
    assert done.code == 0, done.err
    return output


@pytest.fixture(scope="session")
def unfinished(sources: Path, shared_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package with engines that only a device can judge: do not write into it."""
    return build_unfinished(sources, shared_cache, tmp_path_factory.mktemp("gpu"))


@pytest.fixture
def package(built_arrays: Path, tmp_path: Path) -> Path:
    """A package of the perceptron to be damaged."""
    return Path(shutil.copytree(built_arrays, tmp_path / "copy.ortpackage"))


@pytest.fixture
def text_package(built_text: Path, tmp_path: Path) -> Path:
    """A package of the classifier to be damaged."""
    return Path(shutil.copytree(built_text, tmp_path / "text.ortpackage"))


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[SshServer]:
    """An OpenSSH server on loopback that listens."""
    with ssh_server(tmp_path_factory.mktemp("ssh"), monkeypatch) as running:
        yield running


@pytest.fixture(scope="session")
def own_mounts() -> tuple[str, ...]:
    """The command that gives a process mounts of its own; without the right to mount, these tests are skipped."""
    for unshare in (("unshare", "--mount"), ("unshare", "--map-root-user", "--mount")):
        try:
            done = subprocess.run([*unshare, "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True)
        except OSError:
            continue
        if done.returncode == 0:
            return unshare
    pytest.skip("this machine lets no test mount a disk (unshare --mount)")
