"""Folders of sentence-transformers: their vectors are those that the library itself makes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import tiny_models
from edgewright_compiler.checkpoints.checkpoint import Checkpoint, read_config
from edgewright_compiler.graphs.exported import ASSET_PREFIX, ASSETS_FOLDER
from edgewright_compiler.processors.sentence import SentenceTokenizer
from edgewright_compiler.sources import SourceOptions, open_source
from edgewright_runtime.manifest import StepSpec
from edgewright_runtime.steps import make_step
from edgewright_targets import InputError

TEXTS = (
    "turn on the Hall light",
    "set a timer for ten minutes then switch off the kitchen lamp and play some music now",
)
MODULES = "sentence_transformers.models"
MEAN = {"word_embedding_dimension": tiny_models.HIDDEN, "pooling_mode_mean_tokens": True}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model and its tokenizer, which keeps capitals apart: do not write into it."""
    folder = tmp_path_factory.mktemp("sentences") / "model"
    tiny_models.write_checkpoint(folder, "Model")
    path = folder / "tokenizer.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    data["normalizer"] = None
    path.write_text(json.dumps(data), encoding="utf-8")
    return folder


@pytest.fixture
def written(model: Path, tmp_path: Path) -> Callable[..., Path]:
    """A folder as versions before 5 wrote it, and as git keeps it: without empty folders."""

    def write(*modules: tuple[str, Any], **files: Any) -> Path:
        folder = Path(shutil.copytree(model, tmp_path / "written"))
        listed = []
        for index, (kind, config) in enumerate((("Transformer", None), *modules)):
            path = f"{index}_{kind}" if index else ""
            listed.append({"idx": index, "name": str(index), "path": path, "type": f"{MODULES}.{kind}"})
            if config is not None:
                (folder / path).mkdir()
                (folder / path / "config.json").write_text(json.dumps(config), encoding="utf-8")
        (folder / "modules.json").write_text(json.dumps(listed), encoding="utf-8")
        for name, data in files.items():
            (folder / f"{name}.json").write_text(json.dumps(data), encoding="utf-8")
        return folder

    return write


def _ours(folder: Path, text: str, scratch: Path) -> Any:
    """What the declared steps make of a text, the graph in torch."""
    import torch
    from transformers import AutoModel

    processor = SentenceTokenizer(Checkpoint(folder, read_config(folder), ()))
    shutil.rmtree(scratch, ignore_errors=True)
    processor.keep(scratch)
    place: Any = SimpleNamespace(
        root=scratch,
        asset=lambda uri: scratch / ASSETS_FOLDER / uri.removeprefix(ASSET_PREFIX),
        spec=SimpleNamespace(pad_to_multiple_of=8),
        fixed_length=lambda names: None,
    )
    inputs = ("input_ids", "attention_mask")
    values: dict[str, Any] = {"text": text, "call": SimpleNamespace(options={})}

    def run(steps: tuple[StepSpec, ...]) -> None:
        for step in steps:
            values.update(make_step(step, place, place)(values))

    run(processor.steps(inputs))
    with torch.no_grad():
        loaded = AutoModel.from_pretrained(folder).eval()
        made = loaded(**{name: torch.from_numpy(values[name]) for name in inputs})
    values["last_hidden_state"] = made.last_hidden_state.numpy()
    run(processor.answer(("last_hidden_state", "pooler_output")))
    alone = {name: value for name, value in processor.feeds(text).items() if name in inputs}
    count = alone["input_ids"].shape[1]
    assert values["input_ids"][0, :count].tolist() == alone["input_ids"][0].tolist()
    return values["vector"]


def _same(folder: Path, scratch: Path) -> None:
    library = pytest.importorskip("sentence_transformers")
    expected = library.SentenceTransformer(str(folder), device="cpu", local_files_only=True)
    for text in TEXTS:
        # Texts that are too long are cut in both.
        assert np.allclose(_ours(folder, text, scratch), expected.encode(text), atol=1e-5)


# The library warns of its own older names.
compared = pytest.mark.filterwarnings("ignore")


@compared
@pytest.mark.parametrize(
    "pooling",
    [
        {"pooling_mode_cls_token": True},
        {"pooling_mode_max_tokens": True},
        {"pooling_mode_mean_sqrt_len_tokens": True},
        {"pooling_mode_weightedmean_tokens": True},
        {"pooling_mode_lasttoken": True},
        {"pooling_mode_mean_tokens": True, "pooling_mode_max_tokens": True, "pooling_mode_cls_token": True},
        {"pooling_mode": "lasttoken"},
        {"pooling_mode": ["max", "weightedmean"]},
    ],
    ids=lambda pooling: "+".join(map(str, pooling)),
)
def test_tokens_are_pooled(written: Callable[..., Path], tmp_path: Path, pooling: Any) -> None:
    width = {"word_embedding_dimension": tiny_models.HIDDEN}
    _same(written(("Pooling", {**width, **pooling}), ("Normalize", None)), tmp_path / "kept")


@compared
@pytest.mark.parametrize(
    "files",
    [
        {"sentence_bert_config": {"max_seq_length": 8, "do_lower_case": False}},
        {"sentence_bert_config": {"max_seq_length": 512, "do_lower_case": True}},
        {"sentence_roberta_config": {"max_seq_length": 6}},
        {"config_sentence_transformers": {"prompts": {"a": "switch: ", "b": "play "}, "default_prompt_name": "b"}},
        {"config_sentence_transformers": {"prompts": {"a": "switch: "}, "default_prompt_name": None}},
    ],
    ids=lambda files: "+".join(files) + str(sum(map(len, str(files)))),
)
def test_texts_are_cut_and_prefixed(written: Callable[..., Path], tmp_path: Path, files: Any) -> None:
    _same(written(("Pooling", MEAN), **files), tmp_path / "kept")


@compared
@pytest.mark.parametrize("activation", ["Tanh", "Identity", "ReLU", "GELU", "Sigmoid"])
def test_layers_behind_the_pooling(model: Path, tmp_path: Path, activation: str) -> None:
    library = pytest.importorskip("sentence_transformers.sentence_transformer.modules")
    import torch
    from sentence_transformers import SentenceTransformer

    torch.manual_seed(1)
    layer = getattr(torch.nn, activation)()
    width = tiny_models.HIDDEN
    modules = [
        library.Transformer(str(model)),
        library.Pooling(width, pooling_mode="mean"),
        library.Dense(width, 8, activation_function=layer, use_residual=activation == "ReLU"),
        library.Normalize(),
        library.Dense(8, 8, bias=False, activation_function=layer, use_residual=activation != "Tanh"),
    ]
    SentenceTransformer(modules=modules, device="cpu").save_pretrained(str(tmp_path / "saved"))
    _same(tmp_path / "saved", tmp_path / "kept")


def test_a_model_is_for_vectors_whatever_it_was_trained_for(written: Callable[..., Path]) -> None:
    folder = written(("Pooling", MEAN))
    tiny_models.edit_config(folder, architectures=["BertForMaskedLM"])
    source = open_source(str(folder), SourceOptions())
    assert source.task == "feature-extraction"
    before = source.digest()
    (folder / "1_Pooling" / "config.json").write_text(json.dumps({**MEAN, "pooling_mode": "cls"}), encoding="utf-8")
    assert open_source(str(folder), SourceOptions()).digest() != before


@pytest.mark.parametrize(
    ("modules", "files", "says"),
    [
        ([("Pooling", MEAN), ("LSTM", {})], {}, "its module 'LSTM' cannot be built"),
        ([("Dense", {}), ("Pooling", MEAN)], {}, "its module 'Dense' cannot be built before the pooling"),
        ([("WeightedLayerPooling", {}), ("Pooling", MEAN)], {}, "'WeightedLayerPooling'"),
        ([("Pooling", {"word_embedding_dimension": 32})], {}, "its pooling is not given"),
        ([("Pooling", {"pooling_mode": "median"})], {}, "its pooling is median"),
        ([("Pooling", {"pooling_mode": 5})], {}, "its pooling is 5"),
        ([("Pooling", {"pooling_mode": [["mean"]]})], {}, "its pooling is ['mean']"),
        ([("Pooling", MEAN)], {"config_sentence_transformers": {"default_prompt_name": [1]}}, "default prompt '[1]'"),
        ([("Pooling", MEAN), ("Dense", {"activation_function": "mine.Swish"})], {}, "its activation is mine.Swish"),
        (
            [("Pooling", MEAN), ("Dense", {"module_input_name": "token_embeddings"})],
            {},
            "module_input_name is token_embeddings",
        ),
        ([("Pooling", MEAN)], {"sentence_bert_config": {"max_seq_length": "long"}}, "max_seq_length is"),
        ([("Pooling", MEAN)], {"sentence_bert_config": {"query_expansion": {"x": 1}}}, "query_expansion is"),
        ([("Pooling", MEAN)], {"sentence_bert_config": {"of_tomorrow": 1}}, "of_tomorrow is 1"),
        ([("Pooling", MEAN)], {"config_sentence_transformers": {"default_prompt_name": "x"}}, "default prompt 'x'"),
        (
            [("Pooling", {**MEAN, "include_prompt": False})],
            {"config_sentence_transformers": {"prompts": {"a": "x "}}},
            "include_prompt is false",
        ),
        ([], {"modules": [{"idx": 0, "path": "0_Transformer", "type": "a.Transformer"}]}, "is in the folder '0_Tr"),
        ([], {"modules": [{"idx": 0, "path": "../x", "type": "a.Pooling"}]}, "is outside the folder"),
        ([], {"modules": {"idx": 0}}, "is not a list of modules"),
    ],
)
def test_what_cannot_be_built_is_named(written: Callable[..., Path], modules: Any, files: Any, says: str) -> None:
    folder = written(*modules, **files)
    with pytest.raises(InputError) as caught:
        open_source(str(folder), SourceOptions("feature-extraction"))
    assert says in str(caught.value)


def test_modules_beside_an_onnx_file(written: Callable[..., Path]) -> None:
    from edgewright_compiler.processors.sentence import SENTENCES

    folder = written(("Pooling", {"pooling_mode": "cls"}), ("Normalize", None))
    beside: Any = SENTENCES.beside(folder / "model.onnx", "feature-extraction")
    (pool,) = beside.answer(("last_hidden_state", "pooler_output"))
    assert pool.options == {"vectors": "last_hidden_state", "method": "cls", "normalize": True}
    # As optimum exports it: every module is in the graph.
    (whole,) = beside.answer(("token_embeddings", "sentence_embedding"))
    assert whole.options == {"vectors": "sentence_embedding", "method": "none", "normalize": False}
