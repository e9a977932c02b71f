"""Models of texts as bare ONNX files with a tokenizer beside them, against transformers' own predictions."""

from __future__ import annotations

import itertools
import json
import shutil
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from torch import nn

import tiny_models
from edgewright_benchmarks.progress import Quiet
from edgewright_compiler.building.job import BuildOptions
from edgewright_compiler.building.read_jobs import read_jobs
from edgewright_compiler.building.unmeasured_package import draft_package
from edgewright_compiler.cache import StageCache
from edgewright_compiler.sources import SourceOptions, open_source
from edgewright_runtime import Model, load
from edgewright_targets import InputError

# Each exports with torch and compares with the file.
pytestmark = pytest.mark.slow

TAGS = ("O", "B-ROOM", "I-ROOM", "B-THING", "I-THING")
TEXT = "turn on the kitchen light"
STANDARD = ("input_ids", "attention_mask", "token_type_ids")
ASKED = {"question": "what is off?", "context": "Switch off the bedroom lamp, please!"}


class Named(nn.Module):
    """A model of transformers with chosen outputs, which may be told lengths in the place of a mask."""

    def __init__(self, model: Any, outputs: Sequence[str], *, lengths: bool = False) -> None:
        super().__init__()
        self.model, self.outputs, self.lengths = model, outputs, lengths

    def forward(self, ids: torch.Tensor, mask: torch.Tensor, types: torch.Tensor | None = None) -> Any:
        if self.lengths:
            mask = (torch.arange(ids.shape[1])[None] < mask[:, None]).long()
        found = self.model(input_ids=ids.long(), attention_mask=mask, token_type_ids=types)
        made = tuple(getattr(found, name) for name in self.outputs)
        # What a task does not need stands between what it needs.
        return (made[0], made[0] * 2, *made[1:])


def _write(
    folder: Path,
    checkpoint: Path,
    head: str,
    outputs: Sequence[str],
    names: Sequence[str] = STANDARD,
    **options: Any,
) -> Path:
    """The graph, and of the checkpoint all but its weights."""
    shutil.copytree(checkpoint, folder, ignore=shutil.ignore_patterns("*.safetensors"))
    loader: Any = getattr(transformers, f"AutoModel{head}")
    model = Named(loader.from_pretrained(checkpoint, attn_implementation="eager").eval(), outputs, **options)
    integer = torch.int32 if options.get("lengths") else torch.int64
    ids = torch.arange(14, dtype=integer).reshape(2, 7)
    second = torch.tensor([7, 5], dtype=integer) if options.get("lengths") else torch.ones_like(ids)
    example = (ids, second, torch.zeros_like(ids))[: len(names)]
    made = outputs
    free = {name: {0: "n"} if value.ndim == 1 else {0: "n", 1: "t"} for name, value in zip(names, example, strict=True)}
    with warnings.catch_warnings():
        # The exporter's that is about to be replaced.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model.eval(),
            example,
            folder / "model.onnx",
            input_names=list(names),
            output_names=[made[0], "twice", *made[1:]],
            dynamic_axes={**free, **{name: {0: "n", 1: "t"} for name in (*made, "twice")}},
            dynamo=False,
        )
    return folder / "model.onnx"


@pytest.fixture
def drafted(tmp_path: Path, sources: Path) -> Callable[..., Model]:
    def make(path: Path, task: str, data: str, **options: Any) -> Model:
        evaluation = tmp_path / "data.jsonl"
        evaluation.write_text(data, encoding="utf-8")
        targets = (str(sources / "tiny.toml"),)
        output = tmp_path / "p"
        more = BuildOptions(output=output, evaluation=evaluation, task=task, targets=targets, **options)
        (job,) = read_jobs(str(path), more)
        # The export is compared with the file on the data.
        draft_package(job, output, StageCache(), Quiet())
        return load(output)

    return make


@pytest.fixture(scope="module")
def tagger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_models.write_checkpoint(tmp_path_factory.mktemp("tagger") / "slots", "TokenClassification", TAGS)


def test_answers_to_questions(tmp_path: Path, drafted: Callable[..., Model]) -> None:
    checkpoint = tiny_models.write_checkpoint(tmp_path / "answers", "QuestionAnswering", ("start", "end"))
    _tell_apart(checkpoint)
    outputs = ("end_logits", "start_logits")
    path = _write(tmp_path / "file", checkpoint, "ForQuestionAnswering", outputs)
    long = " ".join(text for text, _ in tiny_models.sentences())
    row = '{{"question": "turn on what", "context": "{}", "answers": "light"}}\n'
    with drafted(path, "question-answering", row.format(long) + row.format(TEXT)) as model:
        found = model(ASKED)
    tokenizer: Any = transformers.AutoTokenizer.from_pretrained(checkpoint)
    whole: Any = transformers.AutoModelForQuestionAnswering.from_pretrained(checkpoint)
    feeds = tokenizer(ASKED["question"], ASKED["context"], return_tensors="pt", return_offsets_mapping=True)
    offsets = feeds.pop("offset_mapping")[0].tolist()
    inside = [place for place, sequence in enumerate(feeds.sequence_ids(0)) if sequence == 1]
    with torch.no_grad():
        made = whole(**feeds)
    starts, ends = (logits[0][inside].softmax(-1).tolist() for logits in (made.start_logits, made.end_logits))
    count = len(inside)
    spans = [(starts[i] * ends[j], i, j) for i in range(count) for j in range(i, min(i + 30, count))]
    score, first, last = max(spans)
    assert (found["start"], found["end"]) == (offsets[inside[first]][0], offsets[inside[last]][1])
    assert found["score"] == pytest.approx(score, rel=1e-3)
    with pytest.raises(InputError, match=r"needs the outputs start_logits, end_logits; the graph has end_logits"):
        open_source(str(_one_output(path)), SourceOptions("question-answering"))


def _tell_apart(checkpoint: Path) -> None:
    """Let transformers tell the model which tokens are of the second text, as BERT's own tokenizer does."""
    path = checkpoint / "tokenizer_config.json"
    settings = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**settings, "model_input_names": STANDARD}), encoding="utf-8")


def _one_output(path: Path) -> Path:
    import onnx_ir

    model = onnx_ir.load(path)
    del model.graph.outputs[1:]
    onnx_ir.save(model, path)
    return path


NAMES = {
    "any": (("tokens", "mask", "segment_ids"), {}),
    "lengths": (("words", "text_lengths"), {"lengths": True}),
}


@pytest.mark.parametrize("kind", NAMES)
def test_words_of_a_graph_with_names_of_its_own(
    tmp_path: Path, drafted: Callable[..., Model], tagger: Path, kind: str
) -> None:
    names, options = NAMES[kind]
    path = _write(tmp_path / "file", tagger, "ForTokenClassification", ("logits",), names, **options)
    row = f'{{"text": "{TEXT}", "tags": "O O O B-ROOM O"}}\n'
    with drafted(path, "token-classification", row) as model:
        values = model.run(TEXT)
        # Tokens that the mask says are padding do not count, where the file is told lengths as well.
        tokenize, *_ = model.manifest.pipeline.steps
        assert tokenize.options["padding_side"] == "right"
        assert tokenize.options.get("padded", True)
    tokenizer: Any = transformers.AutoTokenizer.from_pretrained(tagger)
    whole: Any = transformers.AutoModelForTokenClassification.from_pretrained(tagger)
    with torch.no_grad():
        expected = whole(**tokenizer(TEXT, return_tensors="pt")).logits.numpy()
    assert np.allclose(values["outputs"]["logits"], expected, atol=1e-4)
    assert list(values["outputs"]) == ["logits"]


@pytest.mark.parametrize("over", ["tokens", "text", "words"])
def test_words_whose_labels_depend_on_one_another(
    tmp_path: Path, drafted: Callable[..., Model], tagger: Path, over: str
) -> None:
    text = "play it music"
    random = np.random.default_rng(3)
    count = len(TAGS)
    transitions, start, end = (random.normal(size=size) * 3 for size in ((count, count), count, count))
    path = _of_scores(tmp_path / "file", tagger)
    crf = {"transitions": transitions.tolist(), "start": start.tolist(), "end": end.tolist(), "over": over}
    (path.parent / "crf.json").write_text(json.dumps(crf), encoding="utf-8")
    with drafted(path, "token-classification", f'{{"text": "{text}", "tags": "O O O"}}\n') as model:
        values = model.run(text)
        found = model(text)
    encoding = values["encoding"]
    firsts = [
        next(t for t, (at, end) in enumerate(encoding.offsets) if at == text.index(w) < end) for w in text.split()
    ]
    whole = list(range(len(encoding.ids)))
    steps = {"tokens": whole, "text": whole[1:-1], "words": firsts}[over]
    scores = values["outputs"]["logits"][0][steps]
    # Every path, one by one.
    paths = np.array(list(itertools.product(range(count), repeat=len(steps))))
    sums = start[paths[:, 0]] + end[paths[:, -1]] + scores[np.arange(len(steps)), paths].sum(1)
    sums += transitions[paths[:, :-1], paths[:, 1:]].sum(1)
    best = paths[sums.argmax()]
    shares = np.exp(sums - sums.max()) / np.exp(sums - sums.max()).sum()
    expected = {word: int(best[steps.index(token)]) for word, token in enumerate(firsts)}
    sure = {word: shares[paths[:, steps.index(token)] == expected[word]].sum() for word, token in enumerate(firsts)}
    names = {word: TAGS[label] for word, label in expected.items() if TAGS[label] != "O"}
    assert names
    assert {word for one in found for word in range(one["words"][0], one["words"][1] + 1)} == set(names)
    for one in found:
        words = range(one["words"][0], one["words"][1] + 1)
        assert {names[word][2:] for word in words} == {one["label"]}
        assert one["score"] == pytest.approx(np.mean([sure[word] for word in words]), abs=1e-6)


def _of_scores(folder: Path, tagger: Path) -> Path:
    """Scores of each token by itself: a table is all of the graph."""
    import onnx_ir as ir

    shutil.copytree(tagger, folder, ignore=shutil.ignore_patterns("*.safetensors"))
    model = ir.from_onnx_text("""<ir_version: 8, opset_import: ["": 17]>
        words (int64[batch, tokens] ids) => (float[batch, tokens, 5] logits) { logits = Gather(table, ids) }""")
    table = np.random.default_rng(1).normal(size=(160, len(TAGS))).astype(np.float32)
    model.graph.initializers["table"] = ir.Value(name="table", const_value=ir.tensor(table, name="table"))
    ir.save(model, folder / "model.onnx")
    return folder / "model.onnx"


@pytest.mark.parametrize(
    ("crf", "says"),
    [
        ({}, "'transitions', are missing"),
        ({"transitions": [[0.0] * 4] * 4}, r"'transitions' is \[4, 4\]; for 5 labels it is \[5, 5\]"),
        ({"transitions": [[0.0] * 5] * 5, "begin": [0.0] * 5}, "unknown keys begin"),
        ({"transitions": [[0.0] * 5] * 5, "over": "letters"}, "it can be tokens, text, words"),
        ({"transitions": [["a"] * 5] * 5}, "could not convert"),
        ({"transitions": [[float("nan")] * 5] * 5}, "not finite"),
    ],
)
def test_scores_between_labels_that_do_not_fit(tmp_path: Path, tagger: Path, crf: Any, says: str) -> None:
    path = _of_scores(tmp_path / "file", tagger)
    (path.parent / "crf.json").write_text(json.dumps(crf), encoding="utf-8")
    with pytest.raises(InputError, match=says):
        open_source(str(path), SourceOptions("token-classification"))


def test_words_of_scripts_without_spaces(tmp_path: Path, tagger: Path, drafted: Callable[..., Model]) -> None:
    path = _of_scores(tmp_path / "file", tagger)
    row = json.dumps({"text": "打开 hall的灯", "tags": ["O", "O", "B-ROOM", "O", "B-THING"]})
    with drafted(path, "token-classification", row) as model:
        for one in model("打开 hall的灯"):
            first, last = one["words"]
            assert one["text"] == "打开 hall的灯"[one["start"] : one["end"]]
            assert 0 <= first <= last < 5
    wrong = json.dumps({"text": "打开灯", "tags": ["O"]})
    with pytest.raises(InputError, match=r"1 tags for 3 words[\s\S]*each character is one"):
        drafted(path, "token-classification", wrong)


def test_words_of_masks(tmp_path: Path, drafted: Callable[..., Model]) -> None:
    checkpoint = tiny_models.write_checkpoint(tmp_path / "masks", "MaskedLM")
    path = _write(tmp_path / "file", checkpoint, "ForMaskedLM", ("logits",))
    text = "turn [MASK] the [MASK] light"
    with drafted(path, "fill-mask", f'{{"text": "{text}", "words": ["on", "hall"]}}\n') as model:
        found = model(text, top_k=3)
    pipeline = transformers.pipeline("fill-mask", model=str(checkpoint), device="cpu")
    expected: Any = pipeline(text, top_k=3)
    assert [[one["text"] for one in mask] for mask in found] == [[o["token_str"] for o in m] for m in expected]
    scores = [one["score"] for mask in expected for one in mask]
    assert [one["score"] for mask in found for one in mask] == pytest.approx(scores, abs=1e-4)


def test_vectors(tmp_path: Path, drafted: Callable[..., Model]) -> None:
    checkpoint = tiny_models.write_checkpoint(tmp_path / "vectors", "Model")
    outputs = ("last_hidden_state", "pooler_output")
    path = _write(tmp_path / "file", checkpoint, "", outputs, ("ids", "mask", "types"))
    with drafted(path, "feature-extraction", f'{{"text": "{TEXT}"}}\n') as model:
        found = model(TEXT)
    tokenizer: Any = transformers.AutoTokenizer.from_pretrained(checkpoint)
    whole: Any = transformers.AutoModel.from_pretrained(checkpoint)
    with torch.no_grad():
        expected = whole(**tokenizer(TEXT, return_tensors="pt")).last_hidden_state[0].mean(0).numpy()
    assert np.allclose(found, expected, atol=1e-4)


def test_labels_that_a_call_names(tmp_path: Path, drafted: Callable[..., Model]) -> None:
    checkpoint = tiny_models.write_checkpoint(tmp_path / "nli", labels=("contradiction", "neutral", "entailment"))
    _tell_apart(checkpoint)
    path = _write(tmp_path / "file", checkpoint, "ForSequenceClassification", ("logits",))
    labels = ("light", "timer", "music", "lamp")
    row = f'{{"text": "{TEXT}", "label": "light"}}\n'
    with drafted(path, "zero-shot-classification", row, labels=labels) as model:
        found = model(TEXT)
    pipeline = transformers.pipeline("zero-shot-classification", model=str(checkpoint), device="cpu")
    expected = pipeline(TEXT, candidate_labels=list(labels))
    assert [one["label"] for one in found] == expected["labels"]
    assert [one["score"] for one in found] == pytest.approx(expected["scores"], abs=1e-4)
