"""Translation and summaries from a checkpoint to texts: the tokens of transformers, packages without torch."""

from __future__ import annotations

import csv
import importlib
import sys
from pathlib import Path
from typing import Any

import pytest

import tiny_writers
from command import QUICK, Command, run_apart
from edgewright_benchmarks.progress import Quiet
from edgewright_compiler import BuildOptions
from edgewright_compiler.building.read_jobs import read_jobs
from edgewright_compiler.building.unmeasured_package import draft_package
from edgewright_compiler.cache import StageCache
from edgewright_runtime import Model, Package, SampleError, load
from edgewright_runtime.errors import SampleCutWarning
from edgewright_runtime.generation.settings import GenerationSettings
from tiny_writers import FAMILIES, PREFIXES, TEXTS, TRANSLATIONS

MARIAN, BART, T5 = FAMILIES
COLUMNS = {MARIAN: "translation", BART: "summary", T5: "translation"}
OPTIONS: tuple[dict[str, Any], ...] = (
    {},
    {"num_beams": 1},
    {"num_beams": 4, "early_stopping": "never", "length_penalty": 0.5, "max_new_tokens": 12},
    {"num_beams": 1, "min_length": 9, "bad_words_ids": [[12], [71, 11], [6, 6]], "no_repeat_ngram_size": 2},
)


@pytest.fixture(
    scope="module",
    params=[MARIAN, pytest.param(BART, marks=pytest.mark.slow), pytest.param(T5, marks=pytest.mark.slow)],
)
def family(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory, family: str) -> Path:
    return tiny_writers.write_writer(tmp_path_factory.mktemp("writer") / family, family)


@pytest.fixture(scope="module")
def table(checkpoint: Path, family: str) -> Path:
    path = checkpoint.parent / "pairs.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("text", COLUMNS[family]))
        writer.writerows(zip(TEXTS, TRANSLATIONS, strict=True))
    return path


@pytest.fixture(scope="module")
def package(checkpoint: Path, table: Path, family: str, sources: Path, shared_cache: Path) -> Path:
    """A package of the model, built for one family and drafted for the others: do not write into it."""
    output = checkpoint.parent / "writer.ortpackage"
    target = sources / "tiny.toml"
    if family == MARIAN:
        data = ("--calibration", table, "--evaluation", table, "--threads", "1", "--accept-baseline")
        done = run_apart("build", checkpoint, *data, "--target", target, "-o", output, *QUICK, cache=shared_cache)
        assert done.code == 0, done.err
        return output
    options = BuildOptions(output=output, targets=(str(target),), calibration=table, evaluation=table)
    (job,) = read_jobs(str(checkpoint), options)
    draft_package(job, output, StageCache(shared_cache), Quiet())
    return output


def source_tokens(checkpoint: Path, texts: list[str], **options: Any) -> list[list[int]]:
    """New tokens as transformers makes them, one text at a time."""
    import torch

    transformers: Any = importlib.import_module("transformers")
    tokenizer = transformers.AutoTokenizer.from_pretrained(checkpoint)
    network = transformers.AutoModelForSeq2SeqLM.from_pretrained(checkpoint).eval()
    found = []
    # Of tiny products threads make more work than they take.
    torch.set_num_threads(1)
    with torch.no_grad():
        for text in texts:
            feeds = tokenizer(text, truncation=True, max_length=48, return_tensors="pt")
            feeds.pop("token_type_ids", None)
            (tokens,) = network.generate(**feeds, **options)
            found.append(tokens[1:].tolist())
    return found


def tokens_of(model: Model, texts: list[str], **options: Any) -> list[list[int]]:
    return [list(model.run(text, **options)["generation"]["tokens"]) for text in texts]


def test_tokens_are_those_of_transformers(package: Path, checkpoint: Path, family: str) -> None:
    prefix = PREFIXES["en_to_de"] if family == T5 else ""
    with load(package, engine="tiny-cpu-fp32") as model:
        for options in OPTIONS:
            mine = tokens_of(model, list(TEXTS), **options)
            assert mine == source_tokens(checkpoint, [prefix + text for text in TEXTS], **options), options
            assert len({tuple(tokens) for tokens in mine}) > 2
        # The encoder's padding is masked: texts of different lengths do not disturb each other.
        alone = [model(text) for text in TEXTS]
        assert model(list(TEXTS), batch_size=len(TEXTS)) == alone
        assert model(list(TEXTS), batch_size=len(TEXTS), num_beams=1) == [model(text, num_beams=1) for text in TEXTS]


def test_weights_that_both_graphs_have_are_stored_once(package: Path, checkpoint: Path) -> None:
    opened = Package.open(package)
    spec = opened.manifest.engines["tiny-cpu-fp32"]
    assert set(spec.parts) == {"encoder", "decoder"}
    (weights,) = {path for path in opened.engine_files("tiny-cpu-fp32") if path.suffix == ".bin"}
    # The checkpoint holds an embedding once that the encoder, the decoder and the last layer use.
    assert weights.stat().st_size <= 1.02 * (checkpoint / "model.safetensors").stat().st_size


def test_verify_bench_and_run(package: Path, table: Path, family: str, command: Command) -> None:
    outcome = command("run", package, TEXTS[0], "--engine", "tiny-cpu-fp32", "--json")
    assert outcome.code == 0, outcome.err
    assert '"summary_text"' in outcome.out if family == BART else '"translation_text"' in outcome.out
    if family != MARIAN:
        return
    assert command("verify", package).code == 0
    report = command.folder / "report.md"
    done = command("bench", package, "--data", table, "--report", report, "-q", *QUICK)
    assert done.code == 0, done.err
    assert "chrF" in report.read_text(encoding="utf-8")


def test_a_long_text_is_cut_and_that_is_said(package: Path, checkpoint: Path, family: str) -> None:
    prefix = PREFIXES["en_to_de"] if family == T5 else ""
    long = " ".join(TEXTS)
    with (
        load(package, engine="tiny-cpu-fp32") as model,
        pytest.warns(SampleCutWarning, match="longer than the model's 48 tokens"),
    ):
        mine = tokens_of(model, [long])
    assert mine == source_tokens(checkpoint, [prefix + long])


def test_a_call_chooses_between_the_prefixes_of_a_model(package: Path, checkpoint: Path, family: str) -> None:
    with load(package, engine="tiny-cpu-fp32") as model:
        if family != T5:
            with pytest.raises(SampleError, match="no option 'direction'"):
                model(TEXTS[0], direction="en_to_fr")
            return
        mine = tokens_of(model, [TEXTS[0]], direction="en_to_fr")
        with pytest.raises(SampleError, match="'en_to_xx', which this model does not have"):
            model(TEXTS[0], direction="en_to_xx")
    assert mine == source_tokens(checkpoint, [PREFIXES["en_to_fr"] + TEXTS[0]])


def test_a_device_needs_no_torch(package: Path, shared_cache: Path) -> None:
    code = (
        "import sys, edgewright_runtime\n"
        "model = edgewright_runtime.load(sys.argv[1], engine='tiny-cpu-fp32')\n"
        "assert isinstance(model(sys.argv[2]), str)\n"
        "heavy = {'torch', 'transformers', 'sacrebleu', 'scipy', 'onnx', 'PIL'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = run_apart(package, TEXTS[0], cache=shared_cache, program=(sys.executable, "-c", code))
    assert done.code == 0, done.err


def test_two_sentencepiece_models_are_refused(tmp_path: Path, command: Command) -> None:
    folder = tiny_writers.write_writer(tmp_path / "marian", MARIAN)
    (folder / "tokenizer.json").unlink()
    for name in ("source.spm", "target.spm"):
        (folder / name).write_bytes(b"")
    table = tmp_path / "pairs.csv"
    table.write_text("text,translation\na,b\n", encoding="utf-8")
    command.refuses_build(folder, "--evaluation", table, says=["two SentencePiece models", "step 'tokenize'"])


@pytest.mark.parametrize("wrong", [{"min_length": -1}, {"bad_words_ids": ((),)}])
def test_settings_that_mean_nothing_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(SampleError, match=next(iter(wrong))):
        GenerationSettings(**wrong)
