"""Tiny models of documents, and rendered pages with the places of their words, made in code."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

import tiny_models

_SEED = 7
# A page of A6 at 60 dots per inch, and what lies between lines and at its edges.
_PAGE, _EDGE, _LINE = (248, 350), 16, 18
# Boxes go from 0 to this on both axes.
_WHOLE = 1000
# Tokens of a window: a page is longer.
POSITIONS = 40
_EDGE_OF_VIEW = 32


@dataclass(frozen=True)
class Page:
    """A page: its picture, its words in the order of reading, and their boxes from 0 to 1000."""

    picture: Image.Image
    words: list[str]
    boxes: list[list[int]]


def page(words: Sequence[str]) -> Page:
    """Words from left to right and from top to bottom, drawn with Pillow's own font, and where they stand."""
    picture = Image.new("RGB", _PAGE, "white")
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default()
    left, top = _EDGE, _EDGE
    boxes = []
    for word in words:
        sides = draw.textbbox((left, top), word, font=font)
        if sides[2] > _PAGE[0] - _EDGE and left > _EDGE:
            left, top = _EDGE, top + _LINE
            sides = draw.textbbox((left, top), word, font=font)
        draw.text((left, top), word, font=font, fill="black")
        shares = [side / _PAGE[place % 2] for place, side in enumerate(sides)]
        boxes.append([min(_WHOLE, int(_WHOLE * share)) for share in shares])
        left = int(sides[2]) + 6
    return Page(picture, list(words), boxes)


def pages(count: int = 12, *, seed: int = _SEED) -> list[Page]:
    """Pages of 8 to 40 words that the tiny tokenizer knows, some of them only by their letters."""
    random = np.random.default_rng(seed)
    known = sorted({word for text, _ in tiny_models.sentences() for word in text.split()})
    found = []
    for _ in range(count):
        words = random.choice(known, int(random.integers(8, 40))).tolist()
        found.append(page([*words, "Lamp:", words[0] + words[1]]))
    return found


def write_pages(folder: Path, *, pictures: bool = False, count: int = 12) -> Path:
    """A `.jsonl` file of questions, words and boxes with several right answers, and the pictures beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = []
    for index, one in enumerate(pages(count)):
        row: dict[str, object] = {"question": "turn on what", "words": one.words, "boxes": one.boxes}
        row["answers"] = [" ".join(one.words[1:3]), one.words[-1]]
        if pictures:
            one.picture.save(folder / f"{index}.png")
            row["image"] = f"{index}.png"
        lines.append(json.dumps(row))
    (folder / "pages.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return folder / "pages.jsonl"


def write_checkpoint(folder: Path, family: str = "layoutlm") -> Path:
    """A model that answers questions about documents, of random weights, with its processors.

    Args:
        folder: Where to write.
        family: `layoutlm`; `lilt`; or `layoutlmv3`, which also sees the page.
    """
    import torch
    import transformers

    torch.manual_seed(_SEED)
    tokenizer = tiny_models.tokenizer() if family == "layoutlm" else _boxed_tokenizer()
    tokenizer.model_max_length = POSITIONS
    tokenizer.save_pretrained(folder)
    name = {"layoutlm": "LayoutLM", "lilt": "Lilt", "layoutlmv3": "LayoutLMv3"}[family]
    settings: dict[str, Any] = {
        "vocab_size": len(tokenizer),
        "hidden_size": 24,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 32,
        "max_position_embeddings": POSITIONS + 2,
        "max_2d_position_embeddings": _WHOLE + 24,
        "initializer_range": 0.3,
        "pad_token_id": tokenizer.pad_token_id,
        "bos_token_id": tokenizer.cls_token_id,
        "eos_token_id": tokenizer.sep_token_id,
    }
    if family == "layoutlmv3":
        settings |= {"coordinate_size": 4, "shape_size": 4, "input_size": _EDGE_OF_VIEW, "patch_size": 16}
        size = {"height": _EDGE_OF_VIEW, "width": _EDGE_OF_VIEW}
        processor = {"image_processor_type": "LayoutLMv3ImageProcessor", "size": size, "apply_ocr": True}
        (folder / "preprocessor_config.json").write_text(json.dumps(processor), encoding="utf-8")
    config = getattr(transformers, f"{name}Config")(**settings)
    getattr(transformers, f"{name}ForQuestionAnswering")(config).eval().save_pretrained(folder)
    return folder


def _boxed_tokenizer() -> Any:
    """A byte-level tokenizer that knows words by their letters, and places tokens itself."""
    import transformers
    from tokenizers import pre_tokenizers

    pieces = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", *sorted(pre_tokenizers.ByteLevel.alphabet())]
    kind: Any = transformers.LayoutLMv3Tokenizer
    return kind(vocab={piece: index for index, piece in enumerate(pieces)}, merges=[])
