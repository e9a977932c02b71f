"""Tiny models and data, made in code: every build test starts from one of these.

Seeds are fixed, so that a failure comes again; sizes are such that a whole build takes seconds.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

# Four intents that differ by one word, so that two layers can tell them apart.
LABELS = ("TurnOn", "TurnOff", "SetTimer", "PlayMusic")
_WORDS = {
    "TurnOn": "turn on the {} light",
    "TurnOff": "switch off the {} lamp",
    "SetTimer": "set a timer for {} minutes",
    "PlayMusic": "play some {} music",
}
_FILLERS = ("kitchen", "bedroom", "ten", "five", "loud", "calm", "garden", "hall")
HIDDEN = 32
_SEED = 7


def sentences() -> Iterator[tuple[str, str]]:
    """Texts with their labels, 32 in all, labels taking turns."""
    for filler in _FILLERS:
        for label in LABELS:
            yield _WORDS[label].format(filler), label


def write_csv(path: Path, *, repeat: int = 1) -> Path:
    """The sentences as a labelled data file; `repeat` makes it longer with texts that differ."""
    lines = ["text,label"]
    for turn in range(repeat):
        lines += [f"{text}{' now' * turn},{label}" for text, label in sentences()]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def write_checkpoint(
    folder: Path, head: str = "SequenceClassification", labels: tuple[str, ...] = LABELS, **settings: Any
) -> Path:
    """A BERT with that head and its WordPiece tokenizer, as `save_pretrained` writes them; weights are random."""
    import torch
    import transformers
    from transformers import BertConfig

    fast = tokenizer()
    torch.manual_seed(_SEED)
    config = BertConfig(
        vocab_size=len(fast),
        hidden_size=HIDDEN,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=32,
        id2label=dict(enumerate(labels)),
        label2id={label: index for index, label in enumerate(labels)},
        **settings,
    )
    # Larger than the default, so that answers differ between texts and rounding has something to lose.
    config.initializer_range = 0.2
    getattr(transformers, f"Bert{head}" if head == "Model" else f"BertFor{head}")(config).save_pretrained(folder)
    fast.save_pretrained(folder)
    return folder


def tokenizer() -> Any:
    """A WordPiece tokenizer of the sentences' words, for one text or a pair."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    # No trainer: that of word pieces finds other pieces, in another order, in every process, so that a model of random
    # weights would be another one each time.
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    words = sorted({word for text, _ in sentences() for word in text.split()})
    letters = sorted({letter for word in words for letter in word})
    pieces = dict.fromkeys([*special, *letters, *(f"##{letter}" for letter in letters), *words])
    made = Tokenizer(models.WordPiece({piece: index for index, piece in enumerate(pieces)}, unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer(lowercase=True)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.add_special_tokens(special)
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=made,
        unk_token="[UNK]",
        pad_token="[PAD]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
        model_max_length=32,
    )


CAUSAL_POSITIONS = 64


def write_causal(folder: Path, kind: str = "gpt2") -> Path:
    """A causal language model with random weights and its byte-level tokenizer: `gpt2`, `llama` or `gemma3`.

    Llama shares keys between heads; Gemma's window is shorter than most prompts here.
    """
    import torch
    import transformers
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=300,
        special_tokens=["<end>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([text for text, _ in sentences()], trainer)
    fast: Any = transformers.PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer, eos_token="<end>", model_max_length=CAUSAL_POSITIONS
    )
    # Weights larger than the default, so that what comes next depends on what was before.
    common: dict[str, Any] = {
        "vocab_size": len(fast),
        "initializer_range": 0.3,
        "bos_token_id": None,
        "eos_token_id": 0,
    }
    attention: dict[str, Any] = {
        "hidden_size": HIDDEN,
        "num_attention_heads": 4,
        "head_dim": 8,
        "intermediate_size": 64,
        "max_position_embeddings": CAUSAL_POSITIONS,
    }
    gpt2: dict[str, Any] = {"n_embd": HIDDEN, "n_layer": 2, "n_head": 2, "n_positions": CAUSAL_POSITIONS}
    layers = ["sliding_attention", "full_attention"]
    gemma: dict[str, Any] = {
        "num_hidden_layers": 2,
        "num_key_value_heads": 1,
        "sliding_window": 4,
        "layer_types": layers,
    }
    configs: dict[str, Any] = {
        "gpt2": lambda: transformers.GPT2Config(**common, **gpt2),
        "llama": lambda: transformers.LlamaConfig(**common, **attention, num_hidden_layers=2, num_key_value_heads=2),
        "gemma3": lambda: transformers.Gemma3TextConfig(**common, **attention, **gemma),
    }
    config = configs[kind]()
    torch.manual_seed(_SEED)
    loader: Any = transformers.AutoModelForCausalLM
    loader.from_config(config).save_pretrained(folder)
    fast.save_pretrained(folder)
    return folder


def edit_config(folder: Path, **changes: Any) -> None:
    """Change fields of a checkpoint's config.json; a field that is set to None is removed."""
    path = folder / "config.json"
    data = json.loads(path.read_text(encoding="utf-8")) | changes
    path.write_text(json.dumps({key: value for key, value in data.items() if value is not None}), encoding="utf-8")


def write_onnx(path: Path, *, external: str | None = None) -> Path:
    """A perceptron from `pixels` [n, 8] to `scores` [n, 4]; `external` names a file for its weights."""
    import onnx_ir as ir

    random = np.random.default_rng(_SEED)
    sizes = {"w1": (8, 16), "b1": (16,), "w2": (16, 4), "b2": (4,)}
    weights = {
        name: ir.Value(name=name, const_value=ir.tensor(random.normal(size=size).astype(np.float32), name=name))
        for name, size in sizes.items()
    }
    pixels = ir.Value(name="pixels", shape=ir.Shape(["n", 8]), type=ir.TensorType(ir.DataType.FLOAT))
    hidden = ir.node("Gemm", [pixels, weights["w1"], weights["b1"]])
    active = ir.node("Relu", [hidden.outputs[0]])
    last = ir.node("Gemm", [active.outputs[0], weights["w2"], weights["b2"]])
    scores = last.outputs[0]
    scores.name, scores.shape = "scores", ir.Shape(["n", 4])
    scores.type = ir.TensorType(ir.DataType.FLOAT)
    graph = ir.Graph(
        [pixels],
        [scores],
        nodes=[hidden, active, last],
        initializers=list(weights.values()),
        opset_imports={"": 20},
        name="perceptron",
    )
    ir.save(ir.Model(graph, ir_version=10), path, external_data=external, size_threshold_bytes=16)
    return path


def write_arrays(path: Path, **changes: np.ndarray[Any, Any]) -> Path:
    """Samples for the perceptron, 24 of them; `changes` replaces or adds arrays."""
    arrays: dict[str, Any] = {"pixels": np.random.default_rng(_SEED).normal(size=(24, 8)).astype(np.float32)}
    with path.open("wb") as file:
        np.savez(file, **(arrays | changes))
    return path
