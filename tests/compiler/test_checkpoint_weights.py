"""Weights of a checkpoint are all there and of the class that loads them, or the build says which are not."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

import tiny_images
import tiny_models
import tiny_pairs
import tiny_speech
import tiny_writers
from command import Command
from edgewright_compiler.checkpoints.checkpoint import Checkpoint, read_config
from edgewright_compiler.graphs.exported import read_exported
from edgewright_compiler.sources import SourceOptions, open_source
from edgewright_compiler.tasks import task_of_architectures
from edgewright_targets import InputError

State = dict[str, Any]
Spoil = Callable[[State], State]
MAKERS: dict[str, Callable[[Path], Path]] = {
    "bert": tiny_models.write_checkpoint,
    "mlm": lambda folder: tiny_models.write_checkpoint(folder, "MaskedLM"),
    "embedding": lambda folder: tiny_models.write_checkpoint(folder, "Model"),
    "gpt2": tiny_models.write_causal,
    "llama": lambda folder: tiny_models.write_causal(folder, "llama"),
    "bart": lambda folder: tiny_writers.write_writer(folder, "BartForConditionalGeneration"),
    "t5": lambda folder: tiny_writers.write_writer(folder, "T5ForConditionalGeneration"),
    "vit": lambda folder: tiny_images.write_checkpoint(folder, "vit"),
    "resnet": lambda folder: tiny_images.write_checkpoint(folder, "resnet"),
    "clip": tiny_pairs.write_dual,
    "captions": tiny_pairs.write_blip,
    "questions": lambda folder: tiny_pairs.write_blip(folder, "ForQuestionAnswering"),
    "matching": lambda folder: tiny_pairs.write_blip(folder, "ForImageTextRetrieval"),
    "ctc": tiny_speech.write_speech_checkpoint,
    "sounds": tiny_speech.write_audio_classifier,
    "whisper": tiny_speech.write_whisper,
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Checkpoints by their short name, each written once: do not write into them."""
    root = tmp_path_factory.mktemp("whole")

    def make(name: str) -> Path:
        folder = root / name
        if not folder.exists():
            folder.mkdir()
            MAKERS[name](folder)
        return folder

    return make


def spoilt(source: Path, folder: Path, spoil: Spoil, **config: Any) -> Path:
    """A copy of a checkpoint with other weights, and other fields of its config.json."""
    shutil.copytree(source, folder, dirs_exist_ok=True)
    state = spoil(load_file(folder / "model.safetensors"))
    save_file({name: value.clone() for name, value in state.items()}, folder / "model.safetensors", {"format": "pt"})
    tiny_models.edit_config(folder, **config)
    return folder


def load(folder: Path) -> tuple[Any, list[str]]:
    """The model as its task loads it, and what was noted."""
    config = read_config(folder)
    task = task_of_architectures(config["architectures"])
    assert task is not None
    checkpoint = Checkpoint(folder, config, ())
    name = "AutoModelForSpeechSeq2Seq" if "Whisper" in config["architectures"][0] else task.model
    return checkpoint.load_model(name, task.needless), checkpoint.notes


def without(*parts: str) -> Spoil:
    """Drop the weights whose names hold one of these parts."""
    return lambda state: {name: value for name, value in state.items() if not any(part in name for part in parts)}


def extra(*names: str, like: str = "") -> Spoil:
    """Add weights of these names, of the shape of another one."""
    return lambda state: state | {name: state[like or next(iter(state))].clone() for name in names}


def diverged(name: str) -> Spoil:
    """Make one number of a weight none."""
    return lambda state: state | {name: state[name].index_fill(0, torch.tensor([1]), torch.nan)}


def under(prefix: str, part: str = "") -> Spoil:
    """Put a prefix before all names, or before one part of them."""
    return lambda state: {
        name.replace(part, f"{part}{prefix}", 1) if part else f"{prefix}{name}": value for name, value in state.items()
    }


@pytest.mark.parametrize(
    ("kind", "spoil", "says"),
    [
        ("bert", without("classifier."), ["lacks 2 weights of BertForSequenceClassification",
            "classifier.bias, classifier.weight", "'architectures'"]),
        ("bert", without("layer.1."), ["lacks 16 weights", "bert.encoder.layer.1.attention.output"]),
        ("bert", without("pooler"), ["bert.pooler.dense.bias, bert.pooler.dense.weight"]),
        ("bert", lambda s: {name.replace("classifier", "score"): value for name, value in s.items()},
            ["lacks 2 weights", "other weights, which this class does not use: score.bias, score.weight"]),
        ("bert", lambda s: {f"{who}.{name}": value.clone() for name, value in s.items() for who in ("a", "b")},
            ["lacks 41 weights", "a.bert.embeddings"]),
        ("embedding", without("word_embeddings"), ["lacks 1 weights of BertModel: embeddings.word_embeddings.weight"]),
        ("mlm", without("transform.dense"), ["BertForMaskedLM: cls.predictions.transform.dense"]),
        ("gpt2", without("wte"), ["GPT2LMHeadModel: lm_head.weight, transformer.wte.weight"]),
        ("llama", without("lm_head"), ["LlamaForCausalLM: lm_head.weight"]),
        ("bart", without("decoder.layers.1"), ["BartForConditionalGeneration: model.decoder.layers.1"]),
        ("t5", without("relative_attention_bias"), ["T5ForConditionalGeneration", "relative_attention_bias"]),
        ("vit", without("classifier"), ["ViTForImageClassification: classifier.bias, classifier.weight"]),
        ("resnet", without("running_mean"), ["ResNetForImageClassification", "running_mean"]),
        ("clip", without("text_projection"), ["CLIPModel: text_projection.weight"]),
        ("captions", without("crossattention"), ["BlipForConditionalGeneration", "crossattention"]),
        ("questions", without("text_encoder"), ["BlipForQuestionAnswering: text_encoder"]),
        ("matching", without("itm_head"), ["BlipForImageTextRetrieval: itm_head.bias, itm_head.weight"]),
        ("ctc", without("lm_head"), ["Wav2Vec2ForCTC: lm_head.bias, lm_head.weight"]),
        ("sounds", without("projector"), ["Wav2Vec2ForSequenceClassification: projector.bias, projector.weight"]),
        ("bert", diverged("classifier.weight"), ["has NaN in 1 weights: classifier.weight", "diverge"]),
        ("ctc", diverged("lm_head.bias"), ["has NaN in 1 weights: lm_head.bias"]),
        ("whisper", without("encoder_attn"), ["WhisperForConditionalGeneration: model.decoder.layers.0.encoder_attn"]),
    ],
)  # fmt: skip
def test_missing_weights_are_refused_by_name(
    made: Callable[[str], Path], tmp_path: Path, kind: str, spoil: Spoil, says: list[str]
) -> None:
    folder = spoilt(made(kind), tmp_path / kind, spoil)

    with pytest.raises(InputError) as refused:
        load(folder)

    assert all(words in str(refused.value) for words in says), str(refused.value)


@pytest.mark.parametrize(
    ("kind", "spoil", "config", "says"),
    [
        ("bert", lambda s: s, {"num_hidden_layers": 1}, ["has more layers", "bert.encoder.layer.1."]),
        ("gpt2", lambda s: s, {"n_layer": 1}, ["has more layers", "transformer.h.1."]),
        ("whisper", lambda s: s, {"decoder_layers": 1}, ["has more layers", "decoder.layers.1."]),
        ("llama", extra("model.layers.0.self_attn.q_proj.bias", like="model.norm.weight"), {},
            ["modules of LlamaForCausalLM with its config.json do not have: model.layers.0.self_attn.q_proj.bias"]),
        ("llama", extra("model.layers.0.mlp.up_proj.weight_scale"), {},
            ["up_proj.weight_scale", "that the weights are float"]),
        ("gpt2", extra("score.weight"), {}, ["is a GPT2LMHeadModel by its config.json", "score.weight"]),
        ("bart", extra("classification_head.out_proj.weight"), {}, ["is a BartForConditionalGeneration"]),
        ("bert", lambda s: s, {"architectures": ["BertModel"]}, ["is a BertModel", "classifier.bias"]),
        ("bert", lambda s: s, {"id2label": {"0": "no", "1": "yes"}, "label2id": {"no": 0, "yes": 1}},
            ["2 weights whose shapes differ", "classifier.bias is 4, expected 2", "classifier.weight is 4 x 32"]),
        ("bert", lambda s: s, {"vocab_size": 9}, ["word_embeddings.weight is", "expected 9 x 32"]),
        ("vit", lambda s: s, {"patch_size": 4}, ["position_embeddings is 1 x", "ViTForImageClassification"]),
    ],
)  # fmt: skip
def test_weights_of_another_class_or_configuration_are_refused(
    made: Callable[[str], Path], tmp_path: Path, kind: str, spoil: Spoil, config: State, says: list[str]
) -> None:
    folder = spoilt(made(kind), tmp_path / kind, spoil, **config)

    with pytest.raises(InputError) as refused:
        load(folder)

    assert all(words in str(refused.value) for words in says), str(refused.value)


@pytest.mark.parametrize(
    ("kind", "spoil"),
    [
        # Wrappers.
        ("bert", under("_orig_mod.")),
        ("bert", under("module.")),
        ("bert", under("module._orig_mod.")),
        ("bert", under("_orig_mod.module.")),
        ("bert", under("_orig_mod.", "bert.encoder.")),
        ("bert", under("_fsdp_wrapped_module.", "layer.0.")),
        ("bert", under("network.")),
        ("embedding", under("module.bert.")),
        ("ctc", under("module.")),
        # Tied, computed, or without a part in the answer.
        ("gpt2", without("lm_head")),
        ("mlm", without("cls.predictions.decoder")),
        ("bart", without("lm_head", "encoder.embed_tokens", "decoder.embed_tokens")),
        ("captions", without("predictions.decoder")),
        ("whisper", without("proj_out")),
        ("bert", extra("bert.embeddings.position_ids")),
        ("llama", extra("model.layers.0.self_attn.rotary_emb.inv_freq")),
        ("ctc", without("masked_spec_embed")),
        ("resnet", without("num_batches_tracked")),
        ("embedding", without("pooler")),
    ],
)  # fmt: skip
def test_what_is_named_otherwise_tied_or_computed_is_not_missing(
    made: Callable[[str], Path], tmp_path: Path, kind: str, spoil: Spoil
) -> None:
    expected, _ = load(made(kind))
    model, notes = load(spoilt(made(kind), tmp_path / kind, spoil))

    assert notes == []
    state = model.state_dict()
    free = ("pooler", "masked_spec_embed", "num_batches_tracked")
    kept = {name: value for name, value in expected.state_dict().items() if not any(part in name for part in free)}
    assert [name for name, value in kept.items() if not torch.equal(value, state[name])] == []


def test_a_head_behind_an_encoder_that_was_asked_for_is_said(checkpoint: Path, tmp_path: Path) -> None:
    source = open_source(str(checkpoint), SourceOptions(task="feature-extraction"))

    source.export(tmp_path)

    (note,) = read_exported(tmp_path).notes
    assert note == "The checkpoint holds 2 weights that BertModel does not use: classifier.bias, classifier.weight."


def test_a_build_without_the_head_writes_nothing(command: Command, made: Callable[[str], Path], tmp_path: Path) -> None:
    folder = spoilt(made("bert"), tmp_path / "intents", without("classifier."))
    tiny_models.write_csv(tmp_path / "texts.csv")

    outcome = command("build", folder, "--evaluation", tmp_path / "texts.csv", "-o", tmp_path / "p.ortpackage")

    outcome.check_refusal(
        ["lacks 2 weights of BertForSequenceClassification", "The missing weights would be random numbers"]
    )
    assert not (tmp_path / "p.ortpackage").exists()
