"""What the files beside a model say of texts, compared with transformers' own tokenizers, models and pipelines."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx_ir as ir
import pytest

import tiny_models
from edgewright_benchmarks.progress import Quiet
from edgewright_compiler.building.job import BuildOptions
from edgewright_compiler.building.read_jobs import read_jobs
from edgewright_compiler.building.unmeasured_package import draft_package
from edgewright_compiler.cache import StageCache
from edgewright_compiler.checkpoints.checkpoint import Checkpoint, read_config
from edgewright_compiler.graphs.exported import read_exported
from edgewright_compiler.processors.positions import _AFTER_PADDING, position_limit
from edgewright_compiler.processors.tokenizer import CheckpointTokenizer
from edgewright_compiler.sources import SourceOptions, open_source
from edgewright_runtime import Model, load
from edgewright_runtime.errors import SampleCutWarning
from edgewright_targets import InputError

SHORT = "turn on the Hall light"
LONG = "set a timer for ten minutes then switch off the kitchen lamp and play some calm music in the garden"
KINDS = {
    "albert": {"embedding_size": 8},
    "bart": {"d_model": 8, "encoder_layers": 1, "decoder_layers": 1, "encoder_attention_heads": 2,
             "decoder_attention_heads": 2, "encoder_ffn_dim": 8, "decoder_ffn_dim": 8},
    "bert": {},
    "camembert": {},
    "data2vec-text": {},
    "distilbert": {"dim": 8, "hidden_dim": 8, "n_layers": 1, "n_heads": 2},
    "gpt2": {"n_embd": 8, "n_layer": 1, "n_head": 2, "n_positions": 20},
    "ibert": {},
    "mpnet": {},
    "roberta": {},
    "roberta-prelayernorm": {},
    "xlm-roberta": {"pad_token_id": 3},
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_a_text_has_as_many_tokens_as_the_model_runs_with(kind: str) -> None:
    import torch
    from transformers import AutoConfig, AutoModel

    common = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8}
    if kind in ("bart", "distilbert", "gpt2"):
        common = {}
    positions = {} if kind == "gpt2" else {"max_position_embeddings": 20}
    special = {"bos_token_id": 0, "eos_token_id": 2}
    config = AutoConfig.for_model(kind, vocab_size=40, **common, **positions, **special, **KINDS[kind])
    auto: Any = AutoModel
    model = auto.from_config(config).eval()
    limit = position_limit(config.to_dict())
    assert limit is not None

    def run(tokens: int) -> None:
        with torch.no_grad():
            model(input_ids=torch.full((1, tokens), 7))

    run(limit)
    with pytest.raises((IndexError, RuntimeError, ValueError)):
        run(limit + 1)


def test_what_a_configuration_says_of_positions() -> None:
    assert position_limit({"model_type": "t5", "n_positions": 512}) is None
    assert position_limit({"model_type": "bert"}) == 512
    assert position_limit({"model_type": "blip", "text_config": {"max_position_embeddings": 99}}) == 99
    assert position_limit({"model_type": "of nobody", "max_position_embeddings": 30}) == 30
    assert position_limit({"max_position_embeddings": "many"}) is None
    assert position_limit({}) is None
    assert position_limit({"model_type": "roberta", "max_position_embeddings": 2, "pad_token_id": 9}) == 1


def test_models_that_count_positions_after_padding_are_known() -> None:
    """By the code of transformers: a family that a new version adds fails here until somebody says how it counts."""
    import transformers

    models = Path(transformers.__file__).parent / "models"
    told = "create_position_ids_from_input_ids"
    found = {path.parent.name for path in models.glob("*/modeling_*.py") if told in path.read_text(encoding="utf-8")}
    # Positions that are computed, so that there is no end of them, or of what is not a text (evolla, pp_doclayout_v2).
    others = {
        "evolla", "jina_embeddings_v3", "kosmos2", "kosmos2_5", "m2m_100", "nllb_moe", "pp_doclayout_v2",
        "seamless_m4t", "seamless_m4t_v2", "speech_to_text", "speecht5", "tipsv2", "trocr",
    }  # fmt: skip
    known = {kind.removesuffix("_text_model").removesuffix("-text").replace("-", "_") for kind in _AFTER_PADDING}
    assert found - others <= known


# --- an ONNX file and its tokenizer ---


def _write_graph(path: Path, tokens: int | str = "tokens", *, last: bool = False, scores: int = 4) -> Path:
    """Scores of a text: the sum of what its tokens say, or what the last one says."""
    ids = ", ".join(f"int64[batch, {tokens}] {name}" for name in ("input_ids", "attention_mask", "token_type_ids"))
    model = ir.from_onnx_text(f"""<ir_version: 8, opset_import: ["": 17]>
        texts ({ids}) => (float[batch, {scores}] logits)
        <int64[1] one = {{1}}, int64[1] two = {{2}}, int64 minus_one = {{-1}}> {{
            rows = Gather(table, input_ids)
            counted = Add(attention_mask, token_type_ids)
            mask = Cast<to=1>(counted)
            weights = Unsqueeze(mask, two)
            weighted = Mul(rows, weights)
            sum = ReduceSum<keepdims=0>(weighted, one)
            end = Gather<axis=1>(rows, minus_one)
            logits = Identity({"end" if last else "sum"})
        }}""")
    table = np.random.default_rng(1).normal(size=(160, scores)).astype(np.float32)
    model.graph.initializers["table"] = ir.Value(name="table", const_value=ir.tensor(table, name="table"))
    path.parent.mkdir(exist_ok=True)
    ir.save(model, path)
    return path


def _edit(path: Path, **changes: Any) -> None:
    data = json.loads(path.read_text(encoding="utf-8")) | changes
    path.write_text(json.dumps({key: value for key, value in data.items() if value is not None}), encoding="utf-8")


def _write_files(folder: Path, **changes: Any) -> Path:
    tiny_models.tokenizer().save_pretrained(folder)
    _edit(folder / "tokenizer_config.json", **changes)
    names = {str(index): label for index, label in enumerate(tiny_models.LABELS)}
    config = {"model_type": "bert", "max_position_embeddings": 32, "id2label": names}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return folder


@pytest.fixture
def drafted(tmp_path: Path, sources: Path) -> Callable[[Path], Model]:
    def make(path: Path, **options: Any) -> Model:
        more = {"task": "text-classification", "targets": (str(sources / "tiny.toml"),), **options}
        (job,) = read_jobs(str(path), BuildOptions(output=tmp_path / "p", evaluation=sources / "train.csv", **more))
        with warnings.catch_warnings():
            # Of data that is cut.
            warnings.simplefilter("ignore", SampleCutWarning)
            draft_package(job, tmp_path / "p", StageCache(), Quiet())
        return load(tmp_path / "p")

    return make


def _asked(tokenizer: Any, text: str, **options: Any) -> dict[str, Any]:
    return dict(tokenizer([text], truncation=True, return_tensors="np", return_token_type_ids=True, **options))


@pytest.mark.parametrize(
    ("settings", "backend", "length"),
    [
        ({"truncation_side": "left", "model_max_length": 9}, {}, 9),
        ({"model_max_length": 7}, {}, 7),
        ({"model_max_length": None}, {}, 32),
        # As sentence-transformers saves it; transformers goes by its own settings.
        (
            {"model_max_length": 12},
            {"truncation": {"direction": "Right", "max_length": 5, "strategy": "LongestFirst", "stride": 0}},
            12,
        ),
        ({"tokenizer_class": "BertTokenizer", "do_lower_case": False}, {}, 32),
        ({"model_input_names": ["input_ids"], "padding_side": "left"}, {}, 32),
    ],
)
def test_a_text_becomes_the_tokens_that_transformers_makes_of_it(
    tmp_path: Path, drafted: Callable[[Path], Model], settings: Any, backend: Any, length: int
) -> None:
    from transformers import AutoTokenizer

    folder = _write_files(tmp_path / "files", **settings)
    _edit(folder / "tokenizer.json", **backend)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    with drafted(_write_graph(folder / "model.onnx")) as model, warnings.catch_warnings():
        warnings.simplefilter("ignore", SampleCutWarning)
        for text in (SHORT, LONG):
            expected = _asked(tokenizer, text, max_length=length)
            values = model.run(text)
            assert values["input_ids"].tolist() == expected["input_ids"].tolist()
            assert values["token_type_ids"].tolist() == expected["token_type_ids"].tolist()
        assert model.manifest.labels == tiny_models.LABELS


def test_a_tokenizer_alone_goes_by_its_own_settings(tmp_path: Path, drafted: Callable[..., Model]) -> None:
    from tokenizers import Tokenizer

    folder = _write_files(tmp_path / "files")
    for name in ("tokenizer_config.json", "config.json"):
        (folder / name).unlink()
    own = {"direction": "Left", "max_length": 8, "strategy": "LongestFirst", "stride": 0}
    _edit(folder / "tokenizer.json", truncation=own)
    expected = Tokenizer.from_file(str(folder / "tokenizer.json")).encode(LONG).ids
    path = _write_graph(folder / "model.onnx")
    with drafted(path, labels=tiny_models.LABELS) as model, pytest.warns(SampleCutWarning, match="8 tokens"):
        assert model.run(LONG)["input_ids"][0].tolist() == expected


def test_a_graph_of_one_length(tmp_path: Path, drafted: Callable[[Path], Model]) -> None:
    from transformers import AutoTokenizer

    folder = _write_files(tmp_path / "files")
    path = _write_graph(folder / "model.onnx", 12)
    tokens: list[int] = AutoTokenizer.from_pretrained(folder)(SHORT)["input_ids"]
    with drafted(path) as model:
        assert model.run(SHORT)["input_ids"][0].tolist() == tokens + [0] * (12 - len(tokens))
        with pytest.warns(SampleCutWarning, match="12 tokens"):
            model.run(LONG)


def test_a_graph_is_asked_where_padding_changes_nothing(tmp_path: Path, drafted: Callable[[Path], Model]) -> None:
    folder = _write_files(tmp_path / "files")
    with drafted(_write_graph(folder / "model.onnx", last=True)) as model:
        (tokenize, *_) = model.manifest.pipeline.steps
        assert tokenize.options["padding_side"] == "left"


@pytest.mark.parametrize(
    ("config", "task", "step"),
    [
        ({"problem_type": "multi_label_classification"}, "multi-label-text-classification", "score_labels"),
        ({"problem_type": "single_label_classification"}, "text-classification", "classify"),
        ({"id2label": {"0": "LABEL_0"}}, "text-regression", "score_labels"),
    ],
)
def test_a_configuration_says_what_scores_mean(tmp_path: Path, config: Any, task: str, step: str) -> None:
    folder = _write_files(tmp_path / "files")
    _edit(folder / "config.json", **config)
    path = _write_graph(folder / "model.onnx", scores=1 if task == "text-regression" else 4)
    source = open_source(str(path), SourceOptions("text-classification"))
    assert source.task == task
    source.export(tmp_path / "made")
    assert read_exported(tmp_path / "made").pipeline.steps[-1].step == step


@pytest.mark.parametrize("task", ["translation", "summarization"])
def test_a_task_whose_answer_is_not_of_one_graph_needs_a_checkpoint(tmp_path: Path, task: str) -> None:
    path = _write_graph(_write_files(tmp_path / "files") / "model.onnx")
    with pytest.raises(InputError, match=f"the task {task} needs a checkpoint folder"):
        open_source(str(path), SourceOptions(task))


def test_labels_of_another_number_than_scores(tmp_path: Path) -> None:
    folder = _write_files(tmp_path / "files")
    path = _write_graph(folder / "model.onnx", scores=3)
    with pytest.raises(InputError, match=r"3 scores, but there are 4 labels"):
        open_source(str(path), SourceOptions("text-classification"))
    _edit(folder / "config.json", id2label={"0": "same", "1": "same", "2": "other"})
    with pytest.raises(InputError, match=r"2 classes have the name 'same'"):
        open_source(str(path), SourceOptions("text-classification"))


@pytest.mark.parametrize("limit", [1, 2])
def test_a_limit_that_leaves_nothing_of_a_text(tmp_path: Path, drafted: Callable[[Path], Model], limit: int) -> None:
    _write_files(tmp_path, model_max_length=limit)
    with pytest.raises(InputError, match=f"adds 2 tokens to every text; the model takes {limit}"):
        drafted(_write_graph(tmp_path / "model.onnx"))


@pytest.mark.parametrize("limit", [-1, 0, float("-inf"), float("nan"), "512", [8]])
def test_a_limit_that_is_none(tmp_path: Path, drafted: Callable[[Path], Model], limit: Any) -> None:
    _write_files(tmp_path, model_max_length=limit)
    with pytest.raises(InputError, match="model_max_length"):
        drafted(_write_graph(tmp_path / "model.onnx"))


def test_files_lie_above_a_folder_of_graphs(tmp_path: Path, drafted: Callable[[Path], Model]) -> None:
    folder = _write_files(tmp_path / "files", model_max_length=6)
    with drafted(_write_graph(folder / "onnx" / "model.onnx")) as model:
        assert model.manifest.labels == tiny_models.LABELS
        with pytest.warns(SampleCutWarning, match="6 tokens"):
            model.run(LONG)


@pytest.mark.parametrize("place", ["model.onnx", "onnx/model.onnx"])
def test_a_folder_that_was_exported_is_a_source(tmp_path: Path, drafted: Callable[..., Model], place: str) -> None:
    """As optimum writes it: the graph in the place of weights, and the task in the name of the architecture."""
    folder = _write_files(tmp_path / "intents", truncation_side="left", model_max_length=9)
    _edit(folder / "config.json", architectures=["BertForSequenceClassification"])
    _write_graph(folder / place)
    with drafted(folder, task=None) as model:
        assert (model.manifest.name, model.manifest.task) == ("intents", "text-classification")
        with pytest.warns(SampleCutWarning, match="9 tokens"):
            model.run(LONG)
    _edit(folder / "config.json", architectures=["BertForNobody"])
    with pytest.raises(InputError, match="no task can be inferred"):
        open_source(str(folder), SourceOptions())


def test_files_beside_an_onnx_file_decide_its_export(tmp_path: Path) -> None:
    folder = _write_files(tmp_path / "files")
    path = _write_graph(folder / "model.onnx")

    def digest() -> str:
        return open_source(str(path), SourceOptions("text-classification")).digest()

    before = digest()
    _edit(folder / "tokenizer_config.json", truncation_side="left")
    assert digest() != before
    _edit(folder / "config.json", problem_type="multi_label_classification", id2label=None)
    with pytest.raises(InputError, match=r"multi_label_classification|needs labels"):
        digest()


def test_padding_goes_where_it_changes_no_answer(tmp_path: Path) -> None:
    import onnxruntime

    def steps(path: Path, **settings: Any) -> Any:
        folder = _write_files(path.parent, **settings)
        tokenizer = CheckpointTokenizer(Checkpoint(folder, read_config(folder), ()))
        session = onnxruntime.InferenceSession(str(path))
        tokenizer.settle_padding(lambda feeds: {"logits": session.run(["logits"], feeds)[0]})
        (step,) = tokenizer.steps(("input_ids",))
        return step.options["padding_side"], step.options.get("padded", True)

    both = ["input_ids", "token_type_ids", "attention_mask"]
    summed, last = (_write_graph(tmp_path / name / "m.onnx", last=name == "last") for name in ("sum", "last"))
    assert steps(summed, model_input_names=both) == ("right", True)
    assert steps(summed, model_input_names=both, padding_side="left") == ("left", True)
    assert steps(last, model_input_names=both) == ("left", True)
    assert steps(last, model_input_names=both, pad_token=None)[1]


@pytest.mark.slow
def test_a_model_without_a_token_for_padding(tmp_path: Path, drafted: Callable[..., Model]) -> None:
    import torch
    from transformers import AutoTokenizer, GPT2Config, GPT2ForSequenceClassification, pipeline

    folder = tmp_path / "gpt2"
    tokenizer = tiny_models.tokenizer()
    torch.manual_seed(3)
    config = GPT2Config(
        vocab_size=len(tokenizer), n_embd=16, n_layer=1, n_head=2, n_positions=32, initializer_range=0.5,
        bos_token_id=2, eos_token_id=3, id2label=dict(enumerate(tiny_models.LABELS)),
    )  # fmt: skip
    GPT2ForSequenceClassification(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    _edit(folder / "tokenizer_config.json", pad_token=None, model_input_names=["input_ids", "attention_mask"])
    assert AutoTokenizer.from_pretrained(folder).pad_token is None
    whole: Any = pipeline("text-classification", str(folder), device="cpu", top_k=4)
    with drafted(folder, task=None) as model:
        for text in (SHORT, "play some music"):
            found = {entry["label"]: entry["score"] for entry in model.run(text, top_k=4)["labels"]}
            expected = {entry["label"]: entry["score"] for entry in whole([text])[0]}
            assert found == pytest.approx(expected, abs=1e-5)
            # A pad would be the last token of the text.
            (tokenize, *_) = model.manifest.pipeline.steps
            assert not tokenize.options["padded"]
