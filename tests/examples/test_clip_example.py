"""The CLIP example: pictures with captions from stamps, and a checkpoint that the toolchain takes."""

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgewright_benchmarks.data import read_dataset
from edgewright_compiler.sources import SourceOptions, open_source
from scripts import run_script

SCRIPTS = Path(__file__).parents[2] / "examples" / "clip"
NAMES = ("A frog.", "An owl.", "A sail boat.", "The letter M.")


def run(script: str, *arguments: object) -> str:
    return run_script(SCRIPTS / script, *arguments).stdout


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tables of a few stamps that are made here; the real ones are a package of 161 MB."""
    stamps = tmp_path_factory.mktemp("stamps")
    random = np.random.default_rng(5)
    for index, name in enumerate(NAMES):
        pixels = random.integers(0, 255, (30 + index, 40, 4)).astype(np.uint8)
        Image.fromarray(pixels).save(stamps / f"{index}.png")
        (stamps / f"{index}.txt").write_text(f"{name}\nfr.utf8=Autre chose.\n", encoding="utf-8")
    folder = tmp_path_factory.mktemp("pairs")
    run("make_data.py", "--out", folder, "--stamps", stamps)
    return folder


def test_a_thing_is_on_a_ground_in_one_split_only(pairs: Path) -> None:
    rows = {
        split: list(csv.DictReader((pairs / f"{split}.csv").read_text(encoding="utf-8").splitlines()))
        for split in ("train", "validation", "test")
    }
    assert {split: len(found) for split, found in rows.items()} == {"train": 54, "validation": 3, "test": 3}
    texts = {split: {row["text"] for row in found} for split, found in rows.items()}
    assert not texts["train"] & texts["test"]
    assert not texts["train"] & texts["validation"]
    assert (pairs / "labels.txt").read_text(encoding="utf-8").split("\n") == ["a frog", "an owl", "a sail boat", ""]
    with Image.open(pairs / rows["test"][0]["image"]) as image:
        assert (image.mode, image.size) == ("RGB", (64, 64))


def test_one_table_is_data_of_both_tasks(pairs: Path) -> None:
    labels = tuple((pairs / "labels.txt").read_text(encoding="utf-8").split("\n")[:-1])
    chosen = read_dataset(
        pairs / "test.csv", task="zero-shot-image-classification", input_name="image", class_names=labels
    )
    assert chosen.labels == (0, 1, 2)
    found = read_dataset(pairs / "test.csv", task="image-text-retrieval", input_name="image+text")
    assert set(found.samples[0]) == {"image", "text"}


@pytest.mark.slow
def test_training_writes_a_checkpoint_that_can_be_read(pairs: Path, tmp_path: Path) -> None:
    arguments = ("--data", pairs, "--out", tmp_path / "clip", "--epochs", 1, "--batch", 16)
    assert "test recall@5" in run("train.py", *arguments)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clip"]
    source = open_source(str(tmp_path / "clip"), SourceOptions(labels=("a frog", "an owl")))
    assert source.task == "zero-shot-image-classification"
    assert source.reference([next((pairs / "test").glob("*.png"))])[0]["logits"].shape == (1, 2)
