"""Heads of one label, of several at once and of two classes: what each is taken for, and its answers."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import tiny_models
from command import QUICK, Command
from edgewright_compiler.checkpoints.heads import head_of
from edgewright_compiler.graphs.exported import read_exported
from edgewright_compiler.sources import SourceOptions, open_source
from edgewright_compiler.tasks import find_task
from edgewright_runtime import load
from edgewright_runtime.manifest import StepSpec
from edgewright_runtime.steps.call import CallOptions
from edgewright_runtime.steps.graph.labels import Classify, ScoreLabels
from edgewright_runtime.steps.values import Values
from edgewright_targets import InputError
from edgewright_targets.findings import Findings

IDENTITY = "torch.nn.modules.linear.Identity"
ONE = {"id2label": {0: "LABEL_0"}}
THREE = {"id2label": {0: "a", 1: "b", 2: "c"}}
# The problem type and the labels of a configuration, class names of the user -> the task and what makes scores.
SEVERAL = {**THREE, "problem_type": "multi_label_classification"}
HEADS: list[tuple[dict[str, Any], int, str, str]] = [
    (ONE, 0, "text-regression", "sigmoid"),
    ({"num_labels": 1}, 0, "text-regression", "sigmoid"),
    ({**ONE, "problem_type": "regression"}, 0, "text-regression", "none"),
    (
        {**ONE, "sentence_transformers": {"activation_fn": IDENTITY}},
        0,
        "text-ranking",
        "none",
    ),
    ({**ONE, "sentence_transformers": {"version": "4.1"}}, 0, "text-ranking", "sigmoid"),
    ({**ONE, "sbert_ce_default_activation_function": IDENTITY}, 0, "text-ranking", "none"),
    ({**ONE, "sentence_transformers": {"version": "4.1"}}, 2, "binary-text-classification", "sigmoid"),
    ({**THREE, "sentence_transformers": {"version": "4.1"}}, 3, "text-classification", ""),
    (ONE, 2, "binary-text-classification", "sigmoid"),
    ({**ONE, "problem_type": "single_label_classification"}, 0, "binary-text-classification", "sigmoid"),
    ({**ONE, "problem_type": "multi_label_classification"}, 0, "binary-text-classification", "sigmoid"),
    (SEVERAL, 0, "multi-label-text-classification", "sigmoid"),
    (THREE, 0, "text-classification", ""),
    ({}, 0, "text-classification", ""),
    ({**THREE, "problem_type": "single_label_classification"}, 3, "text-classification", ""),
]


def pipeline_answer(config: dict[str, Any], logits: np.ndarray[Any, Any], top_k: int | None) -> list[dict[str, Any]]:
    """What transformers' own pipeline makes of logits."""
    import torch
    from transformers.pipelines.text_classification import TextClassificationPipeline

    settings = {"problem_type": None, **config, "num_labels": len(config["id2label"])}
    model = SimpleNamespace(config=SimpleNamespace(**settings))
    made: Any = TextClassificationPipeline.postprocess
    answer = made(SimpleNamespace(model=model), {"logits": torch.tensor(logits)}, top_k=top_k, _legacy=False)
    return list(answer)


@pytest.mark.parametrize(("config", "names", "task", "function"), HEADS)
def test_what_a_head_is_taken_for(tmp_path: Path, config: dict[str, Any], names: int, task: str, function: str) -> None:
    written = {"architectures": ["BertForSequenceClassification"], **THREE, **config}
    if "num_labels" in config or not config:
        written.pop("id2label")
    (tmp_path / "config.json").write_text(json.dumps(written), encoding="utf-8")
    given = tuple("xyz"[:names]) or (("x",) if "num_labels" in config else ("x", "y") if not config else None)
    # It has neither weights nor a tokenizer, which are found to be missing and are not asked for here.
    assert open_source(str(tmp_path), SourceOptions(None, given), Findings()).task == task
    # The task of the architecture stands for all of its kinds.
    assert open_source(str(tmp_path), SourceOptions("text-classification", given), Findings()).task == task
    steps = find_task(task).pipeline(None, ("ids",), ("logits",), head_of(written, names=names)).steps
    if task == "text-ranking":
        assert steps[-1] == StepSpec("rank_passages", {"logits": "logits", "function": function})
    elif function:
        assert steps[-1] == StepSpec("score_labels", {"logits": "logits", "function": function})
    else:
        assert steps[-1] == StepSpec("classify", {"logits": "logits"})


@pytest.mark.parametrize("top_k", [1, 2, 3])
@pytest.mark.parametrize(
    ("config", "logits"),
    [
        (ONE, [[-0.7]]),
        ({**ONE, "problem_type": "regression"}, [[-0.7]]),
        ({**ONE, "problem_type": "single_label_classification"}, [[3.0]]),
        ({**ONE, "sentence_transformers": {"activation_fn": IDENTITY}}, [[0.2]]),
        (SEVERAL, [[-0.7, 1.5, 60.0]]),
        (SEVERAL, [[-80.0, -0.1, -0.2]]),
    ],
)
def test_answers_are_those_of_transformers(config: dict[str, Any], logits: list[list[float]], top_k: int) -> None:
    array = np.array(logits, dtype=np.float32)
    package: Any = SimpleNamespace(manifest=SimpleNamespace(labels=tuple(config["id2label"].values())))
    function: Any = head_of(config).function
    step = ScoreLabels(package, logits="logits", function=function)
    found = step(Values.for_call({"logits": array}, CallOptions(top_k)))["scored_labels"]
    expected = pipeline_answer(config, array, top_k)
    assert [entry["label"] for entry in found] == [entry["label"] for entry in expected]
    assert [entry["score"] for entry in found] == pytest.approx([entry["score"] for entry in expected], rel=1e-6)


@pytest.mark.parametrize(("logit", "label"), [(2.0, "spam"), (-2.0, "ham")])
def test_two_classes_of_one_score(logit: float, label: str) -> None:
    package: Any = SimpleNamespace(manifest=SimpleNamespace(labels=("ham", "spam")))
    step = ScoreLabels(package, logits="logits")
    (best,) = step({"logits": np.array([[logit]], dtype=np.float32)})["scored_labels"]
    assert best == {"label": label, "score": pytest.approx(1 / (1 + np.exp(-2)))}


@pytest.mark.parametrize("task", ["image-classification", "audio-classification", "video-classification"])
@pytest.mark.parametrize("config", [ONE, {**THREE, "problem_type": "regression"}, {**THREE, "problem_type": "other"}])
def test_no_class_where_none_is_chosen(tmp_path: Path, task: str, config: dict[str, Any]) -> None:
    check = find_task(task).check
    assert check is not None
    with pytest.raises(InputError, match="one label"):
        check(config, tmp_path)


def write_head(folder: Path, scores: int | None, ending: str = "", **config: Any) -> Path:
    """An ONNX file that makes so many scores of a text, with its tokenizer and a config.json beside it."""
    import onnx_ir as ir

    weights = ", ".join(str(weight) for weight in np.linspace(-0.01, 0.02, scores or 3))
    model = ir.from_onnx_text(f"""<ir_version: 8, opset_import: ["" : 17]>
    head (int64[n, t] input_ids) => (float[n, {scores or "k"}] logits) {{
        ids = Cast <to = 1> (input_ids)
        largest = ReduceMax <axes = [1], keepdims = 1> (ids)
        weights = Constant <value_floats = [{weights}]> ()
        z = Mul (largest, weights)
        y = {ending or "Identity"} (z)
        logits = Identity (y)
    }}""")
    tiny_models.tokenizer().save_pretrained(folder)
    if config:
        (folder / "config.json").write_text(json.dumps({"model_type": "bert", **config}), encoding="utf-8")
    ir.save(model, folder / "model.onnx")
    return folder / "model.onnx"


NAMES = ("x", "y", "z")


@pytest.mark.parametrize(
    ("scores", "ending", "config", "names", "task", "options"),
    [
        (1, "", {}, 0, "text-regression", {"function": "sigmoid"}),
        (1, "", {"problem_type": "regression"}, 0, "text-regression", {"function": "none"}),
        (1, "Sigmoid", {}, 0, "text-regression", {"function": "none"}),
        (1, "", {}, 2, "binary-text-classification", {"function": "sigmoid"}),
        (1, "Sigmoid", {"id2label": {0: "x", 1: "y"}}, 0, "binary-text-classification", {"function": "none"}),
        (1, "", {"sentence_transformers": {"activation_fn": IDENTITY}}, 0, "text-ranking", {"function": "none"}),
        (3, "", SEVERAL, 0, "multi-label-text-classification", {"function": "sigmoid"}),
        (3, "Sigmoid", {}, 3, "multi-label-text-classification", {"function": "none"}),
        (3, "", {}, 3, "text-classification", {}),
        (3, "Softmax", {}, 3, "text-classification", {"function": "none"}),
        (None, "", {}, 3, "text-classification", {}),
    ],
)
def test_heads_of_onnx_files(
    tmp_path: Path, scores: int | None, ending: str, config: dict[str, Any], names: int, task: str, options: Any
) -> None:
    path = write_head(tmp_path, scores, ending, **config)
    source = open_source(str(path), SourceOptions("text-classification", NAMES[:names] or None))
    assert source.task == task
    source.export(tmp_path / "exported")
    assert read_exported(tmp_path / "exported").pipeline.steps[-1].options == {"logits": "logits", **options}


@pytest.mark.parametrize(
    ("scores", "task", "names", "says"),
    [
        (3, "text-regression", 0, "it has 3 labels"),
        (3, "text-ranking", 0, "it has 3 labels"),
        (3, "binary-text-classification", 2, "it has 3 labels"),
        (3, "text-classification", 2, "the model gives 3 scores, but there are 2 labels"),
        (1, "text-classification", 3, "the model gives 1 scores, but there are 3 labels"),
        (1, "multi-label-text-classification", 1, "it has 1 label"),
    ],
)
def test_scores_of_onnx_files_that_do_not_fit(tmp_path: Path, scores: int, task: str, names: int, says: str) -> None:
    path = write_head(tmp_path, scores)
    with pytest.raises(InputError, match=says):
        open_source(str(path), SourceOptions(task, NAMES[:names] or None))


def test_probabilities_of_a_graph_are_taken_as_they_are() -> None:
    package: Any = SimpleNamespace(manifest=SimpleNamespace(labels=NAMES))
    shares = np.array([[0.2, 0.7, 0.1]], dtype=np.float32)
    (best,) = Classify(package, logits="p", function="none")({"p": shares})["labels"]
    assert best == {"label": "y", "score": pytest.approx(0.7)}


@pytest.mark.slow
def test_from_a_checkpoint_to_a_number(command: Command, tmp_path: Path) -> None:
    """A reranker as sentence-transformers saves it: one label, no problem type; all texts got 1.0000 once."""
    from transformers import pipeline

    checkpoint = tiny_models.write_checkpoint(tmp_path / "numbers", labels=("LABEL_0",))
    texts = [text for text, _ in tiny_models.sentences()]
    data = tmp_path / "numbers.csv"
    data.write_text("\n".join(["text,label", *(f"{text},{len(text) / 40}" for text in texts)]), encoding="utf-8")
    output = command.folder / "numbers.ortpackage"
    done = command(
        "build",
        checkpoint,
        "--evaluation",
        data,
        "--target",
        command.target,
        "-o",
        output,
        *QUICK,
        "-q",
        "--accept-baseline",
    )
    assert done.code == 0, done.err
    evidence = json.loads((output / "edgewright" / "evidence" / "tiny.json").read_text(encoding="utf-8"))
    assert list(evidence["engines"][0]["accuracy"]["metrics"]) == ["spearman", "mse"]
    expected = pipeline("text-classification", str(checkpoint))
    with load(output, engine="tiny-cpu-fp32") as model:
        for text in texts[:4]:
            (one,) = model(text)
            assert one == {"label": "LABEL_0", "score": pytest.approx(expected(text)[0]["score"], abs=1e-5)}


@pytest.mark.parametrize("task", ["image-segmentation", "token-classification"])
def test_one_label_is_no_choice(tmp_path: Path, task: str) -> None:
    check = find_task(task).check
    assert check is not None
    with pytest.raises(InputError, match="every pixel would have that label"):
        check(ONE, tmp_path)
    check(THREE, tmp_path)


@pytest.mark.parametrize(("ending", "options"), [("Sigmoid", {"cut": 0.5}), ("Identity", {})])
def test_masks_of_one_channel(tmp_path: Path, ending: str, options: dict[str, Any]) -> None:
    import onnx_ir as ir

    model = ir.from_onnx_text(
        f"""<ir_version: 8, opset_import: ["" : 17]>
    masks (float[n, 3, h, w] pixel_values) => (float[n, 1, h, w] logits) {{
        z = ReduceSum (pixel_values, one)
        logits = {ending} (z)
    }}""".replace("{\n", "\n    <int64[1] one = {1}> {\n", 1)
    )
    ir.save(model, tmp_path / "model.onnx")
    settings = {"image_processor_type": "SegformerImageProcessor", "size": {"height": 8, "width": 8}}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(settings), encoding="utf-8")
    source = open_source(str(tmp_path / "model.onnx"), SourceOptions("image-segmentation", ("background", "stamp")))
    source.export(tmp_path / "exported")
    assert read_exported(tmp_path / "exported").pipeline.steps[-1].options == {"logits": "logits", **options}
    for names in (("stamp",), NAMES):
        with pytest.raises(InputError, match="every pixel would have that label"):
            open_source(str(tmp_path / "model.onnx"), SourceOptions("image-segmentation", names))
