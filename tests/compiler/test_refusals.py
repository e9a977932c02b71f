"""Wrong inputs of every verb: a sentence and exit code 2, no traceback, nothing written, no stage of a build begun."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import tiny_models
from command import QUICK, Command, environment
from edgewright_compiler.cache import StageCache

# Names of files in a folder that is full of mistakes; see `mistakes`.
Words = tuple[str, ...]


@pytest.fixture(scope="module")
def mistakes(tmp_path_factory: pytest.TempPathFactory, checkpoint: Path, sources: Path) -> Path:
    """A folder with a good one and several bad ones of everything: do not write into it."""
    folder = tmp_path_factory.mktemp("mistakes")
    for name in ("train.csv", "perceptron.onnx", "inputs.npz", "tiny.toml", "labels.txt"):
        shutil.copy(sources / name, folder)
    good = Path(shutil.copytree(checkpoint, folder / "intents"))
    for name, config in _CONFIGURATIONS.items():
        tiny_models.edit_config(Path(shutil.copytree(good, folder / name)), **config)
    for name in ("model.safetensors", "tokenizer.json", "config.json"):
        (Path(shutil.copytree(good, folder / f"no-{name}")) / name).unlink()
    for name, content in _FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)
    np.savez(folder / "other.npz", images=np.zeros((24, 8), np.float32), label=np.full(24, 9))
    np.savez(folder / "uneven.npz", pixels=np.zeros((24, 8), np.float32), label=np.zeros(23, np.int64))
    (folder / "empty").mkdir()
    return folder


_CONFIGURATIONS: dict[str, dict[str, object]] = {
    "several": {"problem_type": "regression"},
    "no-task": {"architectures": ["GPT2DoubleHeadsModel"]},
    "no-labels": {"id2label": None},
    "gptq": {"quantization_config": {"quant_method": "gptq"}},
    "twice": {"id2label": {"0": "a", "1": "a", "2": "b", "3": "c"}},
}
_POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 9\n".encode()
_FILES = {
    "nothing.csv": b"",
    "header.csv": b"text,label\n",
    "columns.csv": b"sentence,class\na,b\n",
    "capital.csv": b"text,Label\na,TurnOn\n",
    "unknown.csv": b"text,label\nplay,PlayMusik\n",
    "index.csv": b"text,label\nplay,4\n",
    "short.csv": b"text,label\nplay\n",
    "quote.csv": b'text,label\n"play,PlayMusic\n',
    "latin.csv": b"text,label\ncaf\xe9,PlayMusic\n",
    "pointer.csv": _POINTER,
    "lines.jsonl": b'{"text": "play"\n',
    "list.jsonl": b"[1]\n",
    "torn.parquet": b"PAR1",
    "torn.npz": b"PK\x03\x04",
    "table.xlsx": b"PK\x03\x04",
    "torn.onnx": b"\x08\x0a",
    "text.onnx": b"this is a text\n",
    "pointer.onnx": _POINTER,
    "model.pt": b"\x00",
    "model.gguf": b"GGUF",
    "torn.toml": b"[model",
    "other.toml": b'task = "poetry"\n',
    "same.txt": b"a\na\n",
    "none.txt": b"\n",
    "latin.txt": b"caf\xe9\n",
    "labels.json": b'{"a": 1}',
    "adapter/adapter_config.json": b'{"peft_type": "LORA"}',
    "diffuser/model_index.json": b"{}",
    "exported/model.onnx": b"x",
    "exported/config.json": b'{"architectures": ["BertForSequenceClassification"]}',
    "notes/notes.txt": b"x",
    "file.ortpackage": b"x",
    "archive.tar": b"x" * 2000,
    "empty.tar": b"",
    "folder.ortpackage/manifest.json": b"{",
    "newer.ortpackage/manifest.json": b'{"format": 999}',
    "list.ortpackage/manifest.json": b"[]",
}

_SOURCES: dict[str, str] = {
    "no/such/thing": "The source 'no/such/thing' does not exist",
    "missing.onnx": "no ONNX file 'missing.onnx'",
    "missing.toml": "no declaration 'missing.toml'",
    "empty": "no config.json (it has: nothing)",
    "notes": "no config.json (it has: notes.txt)",
    "adapter": "is an adapter (LORA)",
    "diffuser": "is a diffusers pipeline",
    "exported": "needs a tokenizer, and there is no tokenizer.json",
    "gptq": "already quantized, by gptq",
    "several": "problem type is 'regression'",
    "no-task": "no task can be inferred",
    "no-labels": "no usable id2label",
    "twice": "2 classes have the name 'a'",
    "no-model.safetensors": "no weights (*.safetensors)",
    "no-tokenizer.json": "no tokenizer (tokenizer.json)",
    "no-config.json": "has no config.json",
    "torn.onnx": "not a readable ONNX file",
    "text.onnx": "not a readable ONNX file",
    "pointer.onnx": "is a Git LFS pointer",
    "model.pt": "weights or a program of PyTorch",
    "model.gguf": "a model of llama.cpp",
    "torn.toml": "torn.toml",
    "other.toml": "other.toml",
    "train.csv": "not a readable ONNX file",
}
# Data -> what is said of it for the classifier of texts, whichever option or verb names it.
_TABLES: dict[str, str] = {
    "missing.csv": "no data file 'missing.csv'",
    "missing.parquet": "no data file 'missing.parquet'",
    "no/such.csv": "no data file 'no/such.csv'",
    "nothing.csv": "it is empty",
    "header.csv": "has no samples",
    "columns.csv": "no column 'text'; its columns are: sentence, class",
    "capital.csv": "has a column 'Label', but the ground truth is read from 'label'",
    "unknown.csv": "line 2: unknown label 'PlayMusik'",
    "index.csv": "line 2: there is no class 4",
    "short.csv": "line 2: 1 cells; the header has 2",
    "quote.csv": "not valid CSV",
    "latin.csv": "is not UTF-8: byte 14",
    "pointer.csv": "is a Git LFS pointer",
    "lines.jsonl": "line 1: not valid JSON",
    "list.jsonl": "line 1: expected a JSON object",
    "torn.parquet": "torn.parquet",
    "table.xlsx": "unknown kind of data file",
    "inputs.npz": "its data is a .csv, .jsonl or .parquet file",
    "empty": "is a folder; expected a data file",
}
_ARRAYS: dict[str, str] = {
    "missing.npz": "no data file 'missing.npz'",
    "torn.npz": "not a readable .npz file",
    "uneven.npz": "different numbers of samples",
    "train.csv": "its data is a .npz file",
    "empty": "has no .npz files",
}
_PACKAGES: dict[str, str] = {
    "missing.ortpackage": "there is nothing at that path",
    "missing.tar": "there is nothing at that path",
    "file.ortpackage": "file.ortpackage",
    "archive.tar": "archive.tar",
    "empty.tar": "empty.tar",
    "empty": "empty",
    "notes": "notes",
    "folder.ortpackage": "folder.ortpackage",
    "newer.ortpackage": "newer.ortpackage",
    "list.ortpackage": "list.ortpackage",
    "train.csv": "train.csv",
}
_VERBS: dict[str, Words] = {
    "run": ("play some music",),
    "bench": ("--data", "train.csv"),
    "matrix": ("--data", "train.csv", "--onnxruntime", "1.32"),
    "verify": (),
    "finish": (),
    "inspect": (),
}
_NUMBERS: dict[str, Words] = {
    "build": ("--threads", "--rounds", "--calls", "--loads", "--samples", "--emulated-samples"),
    "bench": ("--threads", "--rounds", "--calls", "--samples", "--cold-starts"),
    "matrix": ("--threads", "--rounds", "--calls", "--samples"),
    "finish": ("--threads", "--rounds", "--calls"),
}
_OPTIONS: dict[Words, str] = {
    ("--task", "poetry"): "Unknown task 'poetry'",
    ("--task", "arrays"): "for the task 'arrays'",
    ("--labels", "missing.txt"): "labels 'missing.txt' cannot be read",
    ("--labels", "same.txt"): "each different",
    ("--labels", "none.txt"): "each different",
    ("--labels", "latin.txt"): "is not UTF-8: byte 3",
    ("--labels", "labels.json"): "must be a list of names",
    ("--labels", "empty"): "labels 'empty' cannot be read",
    ("--target", "hosts"): "Did you mean 'host'",
    ("--target", "missing.toml"): "The target file 'missing.toml' cannot be read",
    ("--target", "torn.toml"): "not valid TOML",
    ("--target", "tiny.toml", "--target", "tiny.toml"): "must all be different",
    ("--max-drop", "much"): "is not a share",
    ("--max-drop", "100%"): "is not between 0% and 100%",
    ("--no-such-option",): "unrecognized arguments: --no-such-option",
}
_USES: dict[Words, str] = {
    ("biuld",): "invalid choice: 'biuld'",
    ("build",): "No source is named, and there is no edgewright.toml here",
    ("build", "intents"): "argument is required: --output",
    ("build", "perceptron.onnx", "-o", "new"): "no data to measure on",
    ("run",): "arguments are required: package",
    ("bench", "p"): "arguments are required: --data",
    ("bench", "p", "--data", "train.csv", "--device", "http://x"): "is not an address of a device",
    ("bench", "p", "--data", "train.csv", "--keep"): "--keep needs --device",
    ("bench", "p", "--data", "train.csv", "--report", "report.pdf"): "a report ends in .html or .md",
    ("bench", "p", "--data", "train.csv", "--output", "no/raw.json"): "there is no folder",
    ("bench", "p", "--data", "train.csv", "--output", "empty"): "it is a folder",
    ("matrix", "p"): "arguments are required: --data",
    ("verify",): "arguments are required: package",
    ("verify", "p", "--keep"): "--keep needs --device",
    ("verify", "p", "--target", "x", "--strict"): "--strict applies to the engine that runs here",
    ("finish",): "arguments are required: package",
    ("inspect",): "arguments are required: package",
    ("inspect", "p", "--strict"): "unrecognized arguments: --strict",
    ("targets", "burn"): "invalid choice: 'burn'",
    ("targets", "show"): "arguments are required",
    ("targets", "show", "hosts"): "Unknown target 'hosts'",
    ("targets", "prepare", "hosts"): "Unknown target 'hosts'",
    ("cache", "burn"): "invalid choice: 'burn'",
    ("cache", "--older-than", "3"): "--older-than needs the action 'clear'",
    ("cache", "clear", "--older-than", "soon"): "--older-than",
}
_BUILD = ("-o", "new", "--target", "tiny.toml", *QUICK)
_TEXTS = ("build", "intents", *_BUILD)


def _cases() -> list[tuple[Words, str]]:
    found: list[tuple[Words, str]] = []
    found += [(("build", name, *_BUILD, "--calibration", "train.csv"), says) for name, says in _SOURCES.items()]
    for option in ("--calibration", "--evaluation"):
        found += [((*_TEXTS, option, name), says) for name, says in _TABLES.items()]
        found += [(("build", "perceptron.onnx", *_BUILD, option, name), says) for name, says in _ARRAYS.items()]
    found += [((*_TEXTS, "--evaluation", "train.csv", *words), says) for words, says in _OPTIONS.items()]
    for verb, words in _VERBS.items():
        found += [((verb, name, *words), says) for name, says in _PACKAGES.items()]
    for verb, options in _NUMBERS.items():
        first = _TEXTS if verb == "build" else (verb, "p", *_VERBS[verb])
        found += [((*first, name, value), f"argument {name}: ") for name in options for value in ("0", "many", "1.5")]
    found += list(_USES.items())
    return found


CASES = _cases()


@pytest.fixture
def no_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a stage began")

    monkeypatch.setattr(StageCache, "get", refuse)


@pytest.mark.usefixtures("no_stage")
@pytest.mark.parametrize(("words", "says"), CASES, ids=[" ".join(words) for words, _ in CASES])
def test_a_refusal(command: Command, mistakes: Path, monkeypatch: pytest.MonkeyPatch, words: Words, says: str) -> None:
    monkeypatch.chdir(mistakes)
    before = sorted(mistakes.rglob("*"))
    command.refuses(*words, says=[says])
    assert sorted(mistakes.rglob("*")) == before


_IN_ONE_PROCESS = """
import json, sys
from edgewright_cli import main

found = {}
for words in json.load(sys.stdin):
    try:
        code = main(words)
    except SystemExit as error:
        code = error.code
    loaded = sorted({"onnxruntime", "sklearn", "scipy", "torch", "transformers"} & set(sys.modules))
    found[" ".join(words)] = [code, loaded]
json.dump(found, sys.stdout)
"""


def test_what_files_tell_needs_no_framework(mistakes: Path, shared_cache: Path) -> None:
    """All that need no graph and no package, in a process of their own, where nothing else imports a library."""
    graphs = {"torn.onnx", "text.onnx", "train.csv"}
    words = [list(words) for words, _ in CASES if words[0] in ("build", "targets", "cache")]
    words = [one for one in words if len(one) < 2 or (one[1] not in graphs and "perceptron.onnx" not in one)]
    # Parquet is read by a library that may bring others.
    words = [one for one in words if "torn.parquet" not in one]
    assert len(words) > 80
    done = subprocess.run(
        [sys.executable, "-c", _IN_ONE_PROCESS],
        input=json.dumps(words).encode(),
        capture_output=True,
        cwd=mistakes,
        env=environment(shared_cache),
        timeout=900,
    )
    assert done.returncode == 0, done.stderr.decode()
    found = json.loads(done.stdout)
    assert {text: outcome for text, outcome in found.items() if outcome != [2, []]} == {}


def test_all_that_is_wrong_is_said_at_once(
    command: Command, mistakes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(mistakes)
    words = ("build", "no-tokenizer.json", "-o", tmp_path / "no" / "new", "--target", "hosts", "--target", "pi.toml")
    outcome = command(*words, "--calibration", "missing.csv", "--evaluation", "unknown.csv", *QUICK)
    outcome.check_refusal(
        [
            "there is no folder",
            "Unknown target 'hosts'",
            "The target file 'pi.toml' cannot be read",
            "no data file 'missing.csv'",
            "no tokenizer (tokenizer.json)",
            "line 2: unknown label 'PlayMusik'",
        ]
    )
    assert outcome.err.count("error: ") == 6
    assert outcome.err_line.count("missing.csv") == 1

    files = ("--data", "missing.csv", "--report", "report.pdf", "--output", "empty")
    outcome = command("bench", "missing.ortpackage", *files, "--device", "http://x")
    says = ["there is nothing at that path", "no data file 'missing.csv'", "ends in .html or .md", "it is a folder"]
    outcome.check_refusal([*says, "is not an address of a device"])
    assert outcome.err.count("error: ") == 5
