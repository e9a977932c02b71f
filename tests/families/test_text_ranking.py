"""Passages ordered for a query: from a checkpoint of sentence-transformers to the order that it gives itself."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

import tiny_models
from command import QUICK, Command
from edgewright_benchmarks.data import read_dataset
from edgewright_cli.samples import answer_lines, read_samples
from edgewright_compiler.checkpoints.checkpoint import read_config
from edgewright_compiler.checkpoints.heads import head_of
from edgewright_compiler.sources import SourceOptions, open_source
from edgewright_compiler.tasks import find_task
from edgewright_runtime import SampleError, load
from edgewright_targets import InputError

QUERY = "turn on the hall light"


def write_ranking(path: Path, **row: Any) -> Path:
    """A table of queries with four passages each, of which one is relevant and one somewhat."""
    texts = [text for text, _ in tiny_models.sentences()]
    rows = [
        {"query": texts[index], "passages": texts[index : index + 4], "relevance": [2, 0, 1, 0], **row}
        for index in range(20)
    ]
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def reranker(sources: Path) -> Path:
    """A cross-encoder as sentence-transformers saves it: do not write into it."""
    own = {"activation_fn": "torch.nn.modules.linear.Identity", "version": "5.0.0"}
    return tiny_models.write_checkpoint(sources / "reranker", labels=("LABEL_0",), sentence_transformers=own)


@pytest.mark.slow
def test_from_a_checkpoint_to_an_order(command: Command, reranker: Path, tmp_path: Path) -> None:
    library = pytest.importorskip("sentence_transformers")
    output = command.folder / "reranker.ortpackage"
    data = ("--evaluation", write_ranking(tmp_path / "ranking.jsonl"), "--target", command.target)
    done = command("build", reranker, *data, "-o", output, *QUICK, "-q")
    assert done.code == 0, done.err
    assert command("verify", output).code == 0
    evidence = json.loads((output / "edgewright" / "evidence" / "tiny.json").read_text(encoding="utf-8"))
    metrics = ["ndcg_at_10", "mrr_at_10", "mean_average_precision"]
    assert list(evidence["engines"][0]["accuracy"]["metrics"]) == metrics
    passages = [text for text, _ in tiny_models.sentences()] + ["ten light " * 40]
    expected = library.CrossEncoder(str(reranker), device="cpu").rank(QUERY, passages, return_documents=True)
    with load(output, engine="tiny-cpu-fp32") as model:
        with pytest.warns(UserWarning, match="1 of 33 passages"):
            found = model({"query": QUERY, "passages": passages})
        assert [entry["score"] for entry in found] == pytest.approx([one["score"] for one in expected], abs=1e-5)
        assert sorted(entry["index"] for entry in found) == list(range(33))
        assert found[0]["text"] == passages[found[0]["index"]]
        assert len(model({"query": QUERY, "passages": passages[:9]}, top_k=2)) == 2
        for wrong in ("a text", [], [""], [7], ["a"] * 513):
            with pytest.raises(SampleError, match="passage"):
                model({"query": QUERY, "passages": wrong})
    words = (f"query={QUERY}", f"passages={passages[0]}", f"passages={passages[1]}")
    ranked = json.loads(command("run", output, *words, "--json").out)["answers"][0]["ranking"]
    assert {entry["index"] for entry in ranked} == {0, 1}


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"passages": "one"}, "must be a list of non-empty texts"),
        ({"passages": []}, "must be a list of non-empty texts"),
        ({"passages": ["a", ""]}, "must be a list of non-empty texts"),
        ({"passages": ["a", 1]}, "must be a list of non-empty texts"),
        ({"query": " "}, "the query is empty"),
        ({"relevance": [1, 0]}, "2 numbers of relevance for 4 passages"),
        ({"relevance": [1, 1, 1, 1]}, "the same relevance"),
        ({"relevance": [0, 0, 0, 0]}, "the same relevance"),
        ({"relevance": [1, 0, -1, 0]}, "the relevance cannot be read"),
        ({"relevance": "yes"}, "the relevance cannot be read"),
        ({"relevance": 1}, "the relevance cannot be read"),
        ({"relevance": None}, "the relevance cannot be read"),
    ],
)
def test_tables_that_are_none(tmp_path: Path, row: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=f"line 1: .*{says}"):
        read_dataset(write_ranking(tmp_path / "ranking.jsonl", **row), task="text-ranking", input_name="query+passages")


def test_a_table_of_csv(tmp_path: Path) -> None:
    table = tmp_path / "ranking.csv"
    table.write_text('query,passages,relevance\nq,"[""a"", ""b""]","[0, 1.5]"\n', encoding="utf-8")
    found = read_dataset(table, task="text-ranking", input_name="query+passages")
    assert found.samples == ({"query": "q", "passages": ["a", "b"]},)
    assert found.labels == ((0.0, 1.5),)


def test_words_of_a_command_line() -> None:
    ((_, sample),) = read_samples(["passages=b=1", "query=q", "passages=a"], "query+passages")
    assert sample == {"query": "q", "passages": ["b=1", "a"]}
    assert read_samples(["query=q", "passages=a"], "query+passages")[0][1]["passages"] == ["a"]
    for wrong in (["query=q"], ["query=q", "query=r", "passages=a"], ["query=q", "passages=a", "b"]):
        with pytest.raises(InputError, match="takes query and passages"):
            read_samples(wrong, "query+passages")
    assert answer_lines("ranking", [{"index": 1, "score": 0.5, "text": "a\nb"}]) == ["0.5000  a b"]


def test_what_sentence_transformers_writes_today(reranker: Path, tmp_path: Path) -> None:
    """A file of its own, and no word in config.json."""
    folder = Path(shutil.copytree(reranker, tmp_path / "today"))
    tiny_models.edit_config(folder, sentence_transformers=None)
    assert open_source(str(folder), SourceOptions()).task == "text-regression"
    own = {"model_type": "CrossEncoder", "activation_fn": "torch.nn.modules.linear.Identity", "prompts": {}}
    (folder / "config_sentence_transformers.json").write_text(json.dumps(own), encoding="utf-8")
    assert open_source(str(folder), SourceOptions()).task == "text-ranking"
    head = head_of(read_config(folder))
    step = find_task("text-ranking").pipeline(None, ("ids",), ("logits",), head).steps[-1]
    assert step.options["function"] == "none"
    (folder / "config_sentence_transformers.json").write_text(json.dumps({**own, "default_prompt_name": "web"}))
    with pytest.raises(InputError, match="the prompt 'web' before its queries"):
        open_source(str(folder), SourceOptions())


@pytest.mark.parametrize("function", ["Tanh", "torch.nn.modules.activation.Softplus"])
def test_another_function(tmp_path: Path, function: str) -> None:
    check = find_task("text-ranking").check
    assert check is not None
    with pytest.raises(InputError, match=f"scoring function is '{function.rpartition('.')[2]}'"):
        check({"num_labels": 1, "sbert_ce_default_activation_function": function}, tmp_path)
