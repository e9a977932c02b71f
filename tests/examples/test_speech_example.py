"""The speech example: real prompts with their transcripts, and a checkpoint that the toolchain takes."""

import csv
from pathlib import Path

import pytest
import soundfile

from edgewright_benchmarks.data import read_dataset
from edgewright_compiler.sources import SourceOptions, open_source
from real_audio import unpacked
from scripts import run_script

SCRIPTS = Path(__file__).parents[2] / "examples" / "speech"
SPLITS = ("train", "validation", "test")


def run(script: str, *arguments: object) -> str:
    return run_script(SCRIPTS / script, *arguments).stdout


@pytest.fixture(scope="module")
def prompts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    # Skips where they cannot be fetched; the script fetches them for itself, as a user's does.
    unpacked("asterisk-core-sounds-en")
    folder = tmp_path_factory.mktemp("prompts")
    run("make_data.py", "--out", folder)
    return folder


def test_every_recording_has_its_words_and_is_in_one_split(prompts: Path) -> None:
    rows = {
        split: list(csv.DictReader((prompts / f"{split}.csv").read_text(encoding="utf-8").splitlines()))
        for split in SPLITS
    }
    assert {split: len(rows[split]) for split in SPLITS} == {"train": 365, "validation": 78, "test": 79}
    names = [row["audio"] for split in SPLITS for row in rows[split]]
    assert len(set(names)) == len(names)
    letters = set("ABCDEFGHIJKLMNOPQRSTUVWXYZ' ")
    assert all(row["text"] and set(row["text"]) <= letters for split in SPLITS for row in rows[split])
    # Only the tables and what they name is left.
    assert sorted(path.name for path in prompts.iterdir()) == ["clips", "test.csv", "train.csv", "validation.csv"]
    assert soundfile.info(prompts / names[0]).samplerate == 8000


def test_the_tables_are_data_of_the_task(prompts: Path) -> None:
    data = read_dataset(prompts / "test.csv", task="automatic-speech-recognition", input_name="audio")
    assert len(data.samples) == 79
    assert data.labels is not None


@pytest.mark.slow
def test_training_writes_a_checkpoint_that_can_be_built(prompts: Path, tmp_path: Path) -> None:
    arguments = ("--data", prompts, "--out", tmp_path / "prompts", "--epochs", 2, "--clips", 16)
    assert "test WER" in run("train.py", *arguments)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["prompts"]
    source = open_source(str(tmp_path / "prompts"), SourceOptions())
    assert source.input_name == "audio"
