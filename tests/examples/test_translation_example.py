"""The translation example: pairs of captions, and a checkpoint that the toolchain takes."""

import csv
from pathlib import Path

import pytest

from edgewright_benchmarks.data import read_dataset
from edgewright_compiler.sources import SourceOptions, open_source
from scripts import run_script

SCRIPTS = Path(__file__).parents[2] / "examples" / "translation"
CAPTIONS = {
    "A duck.": "Eine Ente.",
    "A frog.": "Ein  Frosch.",
    "A sail boat.": "Ein Segelboot.",
    "a duck.": "Eine Ente!",
    "An owl.": "Eine Eule.",
    "A bicycle wheel.": "Ein Fahrradreifen.",
    "A bus.": "Ein Bus.",
    "A rose.": "Eine Rose.",
    "A fish.": "Ein Fisch.",
    "A whole story of a stamp that is longer than all the others.": "Lang.",
}


def run(script: str, *arguments: object) -> str:
    return run_script(SCRIPTS / script, *arguments).stdout


@pytest.fixture(scope="module")
def captions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tables of a few stamps that are made here; the real ones are a package of 161 MB."""
    stamps = tmp_path_factory.mktemp("stamps")
    for index, (text, translated) in enumerate(CAPTIONS.items()):
        (stamps / f"{index}.txt").write_text(
            f"{text}\naf.utf8='n Ding\nde.utf8={translated}\nfr.utf8=Autre chose.\n", encoding="utf-8"
        )
    (stamps / "other.txt").write_text("A thing without a translation.\nfr.utf8=Autre chose.\n", encoding="utf-8")
    folder = tmp_path_factory.mktemp("captions")
    run("make_data.py", "--out", folder, "--stamps", stamps)
    return folder


def test_a_pair_is_in_one_split_only(captions: Path) -> None:
    rows = {
        split: list(csv.DictReader((captions / f"{split}.csv").read_text(encoding="utf-8").splitlines()))
        for split in ("train", "validation", "test")
    }
    assert {split: len(found) for split, found in rows.items()} == {"train": 40, "validation": 12, "test": 12}
    texts = [row["text"] for found in rows.values() for row in found]
    assert len(set(texts)) == len(texts)
    alone = {row["text"]: row["translation"] for row in rows["train"] if row["text"].count(".") == 1}
    assert alone == {
        "A duck.": "Eine Ente.",
        "A frog.": "Ein Frosch.",
        "A sail boat.": "Ein Segelboot.",
        "An owl.": "Eine Eule.",
        "A bicycle wheel.": "Ein Fahrradreifen.",
        "A bus.": "Ein Bus.",
        "A rose.": "Eine Rose.",
        "A fish.": "Ein Fisch.",
    }
    assert sorted(path.name for path in captions.iterdir()) == ["test.csv", "train.csv", "validation.csv"]
    data = read_dataset(captions / "train.csv", task="translation", input_name="text")
    assert data.labels is not None


@pytest.mark.slow
def test_training_writes_a_checkpoint_that_is_a_source(captions: Path, tmp_path: Path) -> None:
    arguments = ("--data", captions, "--out", tmp_path / "captions", "--epochs", 1)
    assert "test chrF" in run("train.py", *arguments)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["captions"]
    source = open_source(str(tmp_path / "captions"), SourceOptions())
    assert source.input_name == "text"
