"""Translation and summaries: the tokens of transformers' `generate`, and built as other tasks are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import onnx_ir
import pytest

import tiny_models
from command import QUICK, Command, run_apart
from edgewright_benchmarks.accuracy.written import chrf
from edgewright_benchmarks.progress import Quiet
from edgewright_compiler import BuildOptions
from edgewright_compiler.cache import StageCache
from edgewright_compiler.job import read_jobs
from edgewright_compiler.stages import draft_package
from edgewright_runtime import Package, load

TEXTS = ("turn on the hall light", "play", "set a timer for ten minutes and then switch it off")
TASKS = {"marian": "translation", "t5": "translation", "bart": "summarization"}


class Pair:
    """A checkpoint in transformers, and its draft package in the runtime."""

    def __init__(self, folder: Path, kind: str) -> None:
        from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

        checkpoint = tiny_models.write_seq2seq(folder / kind, kind)
        column = "translation" if TASKS[kind] == "translation" else "summary"
        options = BuildOptions(
            output=folder / "unused",
            targets=(str(tiny_models.write_target(folder / "tiny.toml")),),
            evaluation=tiny_models.write_pairs(folder / "pairs.csv", column),
        )
        (job,) = read_jobs(str(checkpoint), options)
        draft_package(job, folder / f"{kind}.ortpackage", StageCache(folder / "cache"), Quiet())
        self.folder = folder / f"{kind}.ortpackage"
        self.source: Any = AutoModelForSeq2SeqLM.from_pretrained(checkpoint)
        self.tokenizer: Any = AutoTokenizer.from_pretrained(checkpoint)
        self.model = load(self.folder, engine="tiny-cpu-fp32", threads=1)

    def expected(self, text: str, **settings: Any) -> list[int]:
        """New tokens by transformers."""
        tokens = self.tokenizer(text, return_tensors="pt", return_token_type_ids=False)
        return [int(token) for token in self.source.generate(**tokens, **settings)[0, 1:]]


@pytest.fixture(
    scope="module",
    params=["marian", pytest.param("t5", marks=pytest.mark.slow), pytest.param("bart", marks=pytest.mark.slow)],
)
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return Pair(tmp_path_factory.mktemp(request.param), request.param)


@pytest.mark.parametrize(
    "settings",
    [
        {"max_new_tokens": 20},
        {"max_new_tokens": 12, "no_repeat_ngram_size": 2, "repetition_penalty": 1.4},
        {"max_new_tokens": 10, "num_beams": 3, "length_penalty": 0.5},
        {"max_new_tokens": 10, "num_beams": 2, "early_stopping": True},
        {},
    ],
)
def test_tokens_are_those_of_transformers(pair: Pair, settings: dict[str, Any]) -> None:
    expected = [pair.expected(text, **settings) for text in TEXTS]
    assert [pair.model.run(text, **settings)["generation"]["tokens"] for text in TEXTS] == expected
    # Shorter texts are padded in a batch, and that changes nothing.
    together = pair.model(list(TEXTS), batch_size=3, **settings)
    assert together == [pair.tokenizer.decode(tokens, skip_special_tokens=True) for tokens in expected]
    assert len(set(together)) == len(TEXTS)


def test_an_embedding_of_both_is_stored_once(pair: Pair) -> None:
    package = Package.open(pair.folder)
    held = {}
    for component, part in package.manifest.engines["tiny-cpu-fp32"].parts.items():
        for value in onnx_ir.load(package.file(part.model_file)).graph.initializers.values():
            tensor = value.const_value
            if isinstance(tensor, onnx_ir.ExternalTensor) and tensor.shape[0] == pair.source.config.vocab_size:
                held[component] = (tensor.offset, tensor.length)
    assert set(held) == {"encoder", "decoder"}
    assert held["encoder"] == held["decoder"]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, sources: Path, shared_cache: Path) -> Path:
    folder = tmp_path_factory.mktemp("marian")
    checkpoint = tiny_models.write_seq2seq(folder / "marian")
    data = ("--evaluation", tiny_models.write_pairs(folder / "pairs.csv"))
    done = run_apart(
        "build", checkpoint, *data, "--target", sources / "tiny.toml", "-o", folder / "m.ortpackage", *QUICK,
        cache=shared_cache,
    )  # fmt: skip
    assert done.code == 0, done.err
    return folder / "m.ortpackage"


def test_a_translator_is_built_and_measured(built: Path, command: Command) -> None:
    evidence = Package.open(built).evidence("tiny")
    assert evidence["task"] == "translation"
    metrics = evidence["engines"][0]["accuracy"]["metrics"]
    assert list(metrics) == ["chrf", "same_text"]
    assert metrics["same_text"]["value"] == 1
    assert command("verify", built).code == 0
    said = command("run", built, TEXTS[0], "--max-new-tokens", "6", "--json")
    assert said.code == 0, said.err
    (answer,) = json.loads(said.out)["answers"]
    assert answer["translation_text"]
    assert len(answer["tokens"]) <= 6
    command.refuses("run", built, " ", says=["non-empty text"])


def test_a_tokenizer_of_another_model_is_refused(tmp_path: Path, command: Command) -> None:
    checkpoint = tiny_models.write_seq2seq(tmp_path / "marian")
    path = checkpoint / "tokenizer.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    data["added_tokens"].append({**data["added_tokens"][0], "id": 5000, "content": "<more>"})
    data["model"]["vocab"]["<more>"] = 5000
    path.write_text(json.dumps(data), encoding="utf-8")
    pairs = tiny_models.write_pairs(tmp_path / "pairs.csv")
    command.refuses_build(checkpoint, "--evaluation", pairs, says=["tokenizer has", "do not belong together"])


def test_chrf_is_that_of_sacrebleu() -> None:
    import sacrebleu

    found = chrf(["the cat sat", "", "a dog"], ["the cat sits", "x", "a dog"])
    assert found[0] == pytest.approx(sacrebleu.sentence_chrf("the cat sat", ["the cat sits"]).score / 100)
    assert found.tolist()[1:] == [0.0, 1.0]
