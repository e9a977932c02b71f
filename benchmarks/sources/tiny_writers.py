"""Tiny encoder-decoders of texts, made in code; weights are random, of a named seed."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

_SEED = 7
PAD, START, END, UNKNOWN = "<pad>", "<s>", "</s>", "<unk>"
TEXTS = (
    "the sail boat is on the sea",
    "a small bird sings in the tree",
    "there is a red car in front of the old house",
    "turn on the light",
    "two cats sleep near the fire",
    "an apple",
)
TRANSLATIONS = (
    "das Segelboot ist auf dem Meer",
    "ein Vogel singt",
    "ein rotes Auto",
    "Licht an",
    "Katzen",
    "ein Apfel",
)
# Sizes of each family, in its own words.
_BART = {
    "d_model": 32, "encoder_layers": 1, "decoder_layers": 2, "encoder_attention_heads": 2, "decoder_attention_heads": 2,
    "encoder_ffn_dim": 64, "decoder_ffn_dim": 64, "max_position_embeddings": 48, "init_std": 0.4,
}  # fmt: skip
_T5 = {
    "d_model": 32,
    "d_kv": 16,
    "d_ff": 64,
    "num_layers": 2,
    "num_heads": 2,
    "initializer_factor": 2.0,
}
PREFIXES = {"en_to_de": "translate English to German: ", "en_to_fr": "translate English to French: "}
FAMILIES: dict[str, dict[str, Any]] = {
    "MarianMTModel": {**_BART, "scale_embedding": True, "static_position_embeddings": True},
    "BartForConditionalGeneration": _BART,
    "T5ForConditionalGeneration": {
        **_T5,
        "task_specific_params": {
            "summarization": {"prefix": "summarize: "},
            **{f"translation_{name}": {"prefix": words, "num_beams": 4} for name, words in PREFIXES.items()},
        },
    },
}
# What the generation settings of each family are made of; the tokens are named below.
GENERATION: dict[str, dict[str, Any]] = {
    "MarianMTModel": {"num_beams": 3, "max_length": 24, "bad_words_ids": [[0], [9, 11]], "forced_eos_token_id": 2,
        "repetition_penalty": 1.5,
    },
    "BartForConditionalGeneration": {
        "num_beams": 2, "max_length": 20, "min_length": 6, "no_repeat_ngram_size": 2, "length_penalty": 2.0,
        "early_stopping": True, "forced_bos_token_id": 1, "forced_eos_token_id": 2,
    },
    "T5ForConditionalGeneration": {"max_length": 16, "no_repeat_ngram_size": 3},
}  # fmt: skip
_STARTS = {"MarianMTModel": 0, "BartForConditionalGeneration": 2, "T5ForConditionalGeneration": 0}


def text_tokenizer(*, limit: int = 48) -> Any:
    """Pieces of the texts above, an end token behind each text."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

    transformers: Any = importlib.import_module("transformers")
    # No trainer: that of unigrams finds other pieces in every run.
    texts = " ".join((*TEXTS, *TRANSLATIONS, *PREFIXES.values()))
    beginnings = sorted({f"\u2581{word}"[:3] for word in texts.split()})
    pieces = [(beginning, -5.0) for beginning in beginnings] + [
        (letter, -8.0) for letter in sorted({*texts.replace(" ", "\u2581")})
    ]
    special = [(token, 0.0) for token in (PAD, START, END, UNKNOWN)]
    made = Tokenizer(models.Unigram(special + pieces, unk_id=len(special) - 1))
    made.normalizer = normalizers.NFKC()
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    made.decoder = decoders.Metaspace()
    made.add_special_tokens([token for token, _ in special])
    made.post_processor = processors.TemplateProcessing(single=f"$A {END}", special_tokens=[(END, 2)])
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=made, pad_token=PAD, bos_token=START, eos_token=END, unk_token=UNKNOWN, model_max_length=limit
    )


def write_writer(folder: Path, kind: str, **generation: Any) -> Path:
    """A model of `FAMILIES` with its tokenizer; `generation` are further settings of it."""
    import torch

    transformers: Any = importlib.import_module("transformers")
    tokenizer = text_tokenizer()
    config_class = getattr(
        transformers, kind.replace("MTModel", "Config").replace("ForConditionalGeneration", "Config")
    )
    config = config_class(
        vocab_size=len(tokenizer),
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
        decoder_start_token_id=_STARTS[kind],
        forced_eos_token_id=None,
        **FAMILIES[kind],
    )
    torch.manual_seed(_SEED)
    network = getattr(transformers, kind)(config)
    if hasattr(network, "final_logits_bias"):
        # As trained ones have it: it belongs to the graph.
        network.final_logits_bias.normal_(std=2.0)
    network.generation_config.update(**GENERATION[kind] | generation)
    network.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
