"""Tiny models of images and texts with random weights, and pictures with captions for them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

import tiny_images
import tiny_models

LABELS = tiny_images.LABELS
POSITIONS = 16
_SEED = 7
# Of this one no two labels score alike: by others, rounding decides which comes first.
_DUAL_SEED = 10
_SMALL = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
# One layer where two are exported: each of them costs a second.
_ONE = _SMALL | {"num_hidden_layers": 1}
_VISION = _SMALL | {"image_size": tiny_images.EDGE, "patch_size": 8}
_WORDS = "this is a photo of the patch on noise what colour has it"


def tokenizer() -> Any:
    """A WordPiece tokenizer of the captions' words."""
    made = tiny_models.tokenizer()
    made.add_tokens([word for word in (*_WORDS.split(), *LABELS, ".", "?") if word not in made.get_vocab()])
    made.model_max_length = POSITIONS
    # Of this class nothing is left but what every tokenizer of transformers gives.
    made.model_input_names = ["input_ids", "attention_mask"]
    return made


def write_dual(folder: Path, kind: str = "clip") -> Path:
    """A CLIP or a SigLIP, as `save_pretrained` writes them."""
    import torch
    import transformers

    torch.manual_seed(_DUAL_SEED)
    words = tokenizer()
    text = _SMALL | {"vocab_size": len(words), "max_position_embeddings": POSITIONS}
    if kind == "clip":
        text |= {"eos_token_id": words.sep_token_id, "bos_token_id": words.cls_token_id, "pad_token_id": 0}
        config: Any = transformers.CLIPConfig(text_config=text, vision_config=_VISION, projection_dim=16)
        model: Any = transformers.CLIPModel(config)
        settings: Any = {
            "size": {"shortest_edge": 36},
            "crop_size": {"height": tiny_images.EDGE, "width": tiny_images.EDGE},
        }
        images: Any = transformers.CLIPImageProcessorPil(**settings)
    else:
        words.model_input_names = ["input_ids"]
        config = transformers.SiglipConfig(text_config=text, vision_config=_VISION)
        model = transformers.SiglipModel(config)
        images = transformers.SiglipImageProcessorPil(size={"height": tiny_images.EDGE, "width": tiny_images.EDGE})
    _spread(model)
    model.save_pretrained(folder)
    words.save_pretrained(folder)
    images.save_pretrained(folder)
    return folder


def _spread(model: Any) -> None:
    """Larger weights than at the beginning of a training, so that answers differ."""
    import torch

    with torch.no_grad():
        for name, weights in model.named_parameters():
            if weights.ndim > 1 and "logit" not in name:
                weights.mul_(6)


def write_pairs(folder: Path, *, each: int = 2) -> Path:
    """Pictures with a caption and a label each: `pairs.csv`."""
    random = np.random.default_rng(_SEED)
    folder.mkdir(parents=True)
    lines = ["image,text,label"]
    for index in range(each):
        for label in LABELS:
            tiny_images.picture(label, random).save(folder / f"{label}-{index}.png")
            lines.append(f"{label}-{index}.png,a {label} patch{' on noise' * index},{label}")
    (folder / "pairs.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder / "pairs.csv"


def write_blip(folder: Path, kind: str = "ForConditionalGeneration") -> Path:
    """A BLIP of one of its kinds, as `save_pretrained` writes them."""
    import torch
    import transformers

    torch.manual_seed(_SEED)
    words = tokenizer()
    text = _ONE | {
        "vocab_size": len(words),
        "encoder_hidden_size": _ONE["hidden_size"],
        "max_position_embeddings": 48,
        "bos_token_id": words.cls_token_id,
        "eos_token_id": words.sep_token_id,
        "sep_token_id": words.sep_token_id,
        "pad_token_id": words.pad_token_id,
    }
    config: Any = transformers.BlipConfig(text_config=text, vision_config=_VISION | _ONE, image_text_hidden_size=16)
    model: Any = getattr(transformers, f"Blip{kind}")(config)
    _spread(model)
    model.save_pretrained(folder)
    words.save_pretrained(folder)
    images: Any = transformers.BlipImageProcessorPil
    images(size={"height": tiny_images.EDGE, "width": tiny_images.EDGE}).save_pretrained(folder)
    return folder


def write_captioner(folder: Path) -> Path:
    """A ViT and a GPT-2 as encoder and decoder."""
    import torch
    import transformers

    torch.manual_seed(_SEED)
    words = tokenizer()
    loader: Any = transformers.ViTConfig
    vision = loader(**_VISION | _ONE)
    ends = {"bos_token_id": words.cls_token_id, "eos_token_id": words.sep_token_id, "pad_token_id": words.pad_token_id}
    text: Any = transformers.GPT2Config(vocab_size=len(words), n_embd=32, n_layer=1, n_head=2, n_positions=48, **ends)
    config: Any = transformers.VisionEncoderDecoderConfig.from_encoder_decoder_configs(vision, text)
    config.decoder_start_token_id = config.bos_token_id = words.cls_token_id
    config.eos_token_id, config.pad_token_id = words.sep_token_id, words.pad_token_id
    model: Any = transformers.VisionEncoderDecoderModel(config)
    _spread(model)
    model.save_pretrained(folder)
    words.save_pretrained(folder)
    images: Any = transformers.ViTImageProcessorPil
    images(size={"height": tiny_images.EDGE, "width": tiny_images.EDGE}).save_pretrained(folder)
    return folder
