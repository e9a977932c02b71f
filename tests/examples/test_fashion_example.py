"""The example of pictures, shortened: on scikit-learn's digits in the form of the real data set, for one epoch."""

from __future__ import annotations

import gzip
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from scripts import run_script

SCRIPTS = Path(__file__).parents[2] / "examples" / "fashion"
pytestmark = pytest.mark.slow


def run(script: str, *arguments: object, code: int = 0) -> subprocess.CompletedProcess[str]:
    return run_script(SCRIPTS / script, *arguments, code=code)


def write_idx(path: Path, array: np.ndarray[Any, Any]) -> None:
    head = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, dtype=">u4").tobytes()
    path.write_bytes(gzip.compress(head + array.astype(np.uint8).tobytes()))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Real digits, made as large as the pictures of the data set."""
    folder = tmp_path_factory.mktemp("fashion")
    digits = load_digits()
    images = np.stack(
        [np.asarray(Image.fromarray((one * 15).astype(np.uint8)).resize((28, 28))) for one in digits.images]
    )
    for name, part in (("train", slice(0, 1200)), ("t10k", slice(1200, 1500))):
        write_idx(folder / f"{name}-images-idx3-ubyte.gz", images[part])
        write_idx(folder / f"{name}-labels-idx1-ubyte.gz", digits.target[part])
    run("make_data.py", "--out", folder / "pictures", "--source", folder, "--train", 800, "--test", 100)
    return folder / "pictures"


def test_the_splits(data: Path) -> None:
    counts = {split.name: len(list(split.rglob("*.png"))) for split in data.iterdir()}
    assert counts == {"train": 800, "validation": 300, "test": 100}
    assert len(list((data / "train").iterdir())) == 10
    contents = [
        path.read_bytes() for split in ("train", "validation", "test") for path in (data / split).rglob("*.png")
    ]
    # A handful of digits are twins in the source itself.
    assert len(set(contents)) > len(contents) - 5
    with Image.open(next((data / "train").rglob("*.png"))) as picture:
        assert (picture.size, picture.mode) == ((28, 28), "L")
    assert "nothing to do" in run("make_data.py", "--out", data).stdout


def test_without_the_data_set(tmp_path: Path) -> None:
    done = run("make_data.py", "--out", tmp_path / "out", "--source", tmp_path, code=2)
    assert f"there is no data set at {tmp_path}" in done.stderr


def test_without_the_data_set_and_the_tools_to_fetch_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if Path("/usr/share/datasets/fashion-mnist").is_dir():
        pytest.skip("The data set is installed here, so nothing would be fetched.")
    monkeypatch.setenv("PATH", str(tmp_path))
    done = run("make_data.py", "--out", tmp_path / "out", code=1)
    assert "there is no apt-get here" in done.stderr
    assert "apt-get install dataset-fashion-mnist" in done.stderr
    assert not (tmp_path / "out").exists()


# A ViT is built from a checkpoint among the tests of image classification; to train one takes long.
def test_training_leaves_a_checkpoint(data: Path, tmp_path: Path) -> None:
    from transformers import AutoImageProcessor, AutoModelForImageClassification

    arguments = ("--data", data, "--out", tmp_path / "checkpoint", "--epochs", 2, "--batch", 50)
    printed = run("train.py", *arguments).stdout
    # Two epochs on 800 digits: better than one of ten by chance.
    assert float(printed.split("test accuracy ")[1]) > 0.3
    processor: Any = AutoImageProcessor
    found = processor.from_pretrained(tmp_path / "checkpoint", backend="pil")
    net = AutoModelForImageClassification.from_pretrained(tmp_path / "checkpoint")
    with Image.open(next((data / "test").rglob("*.png"))) as picture:
        assert net(**found(picture, return_tensors="pt")).logits.shape == (1, 10)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint"]
