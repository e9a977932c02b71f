"""Tokenizers of a question and the words of a document with their boxes, in windows where the document is long."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from edgewright_compiler.checkpoints.checkpoint import Checkpoint, checkpoint_beside
from edgewright_compiler.processors import ProcessorKind
from edgewright_compiler.processors.image import IMAGE, ImageProcessor
from edgewright_compiler.processors.text import TEXT, check_tokenizer_beside
from edgewright_compiler.processors.tokenizer import TOKENIZER_URI, CheckpointTokenizer
from edgewright_runtime.manifest import StepSpec
from edgewright_runtime.steps.text.document import BOX_LIMIT, boxes_of
from edgewright_targets import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from edgewright_runtime.wire import Arrays

# As transformers' pipeline for documents: windows share half of their tokens, and no more than so many; an answer has
# so many tokens at most.
_STRIDE, _LONGEST = 256, 15
_BOXES, _PIXELS = "bbox", "pixel_values"
_NOWHERE = [0, 0, 0, 0]
_EXAMPLE: tuple[dict[str, str | list[str] | list[list[int]]], ...] = (
    {"question": "what is the total?", "words": ["total", "12.50"], "boxes": [[10, 20, 90, 40], [100, 20, 180, 40]]},
    {
        "question": "who wrote it?",
        "words": ["from", "Ada", "Lee"],
        "boxes": [[9, 9, 60, 30], [70, 9, 120, 30], _NOWHERE],
    },
)


class LayoutTokenizer(CheckpointTokenizer):
    """The tokenizer of a checkpoint, for questions about documents; see `CheckpointTokenizer`.

    Raises:
        InputError: It pads on the left, or gives the beginning of a text a box of its own.
    """

    _SHORT: ClassVar[Any] = _EXAMPLE[0]

    def __init__(self, checkpoint: Checkpoint, **options: Any) -> None:
        super().__init__(checkpoint, **options)
        # Tokenizers of their own also take boxes; those of a plain BERT have them placed as the pipeline does it.
        self._places = hasattr(self._tokenizer, "sep_token_box")
        self._end_box = list(getattr(self._tokenizer, "sep_token_box", [BOX_LIMIT] * 4))
        boxes = [getattr(self._tokenizer, f"{name}_token_box", _NOWHERE) for name in ("cls", "pad")]
        if self._tokenizer.padding_side != "right" or any(list(box) != _NOWHERE for box in boxes):
            raise InputError(
                f"'{checkpoint.name}': its tokenizer pads on the {self._tokenizer.padding_side} and places the "
                f"beginning at {boxes[0]} and padding at {boxes[1]}; right and {_NOWHERE} are supported."
            )
        self._stride = min(_STRIDE, self.max_length // 2)

    def settle_padding(self, infer: Any) -> None:
        """Nothing to find out: models of documents have a mask, and windows are padded behind it."""
        del infer

    def example(self) -> dict[str, object]:
        """Torch tensors by input name for the exporter, two samples in a batch."""
        import torch

        made = [self.feeds(sample) for sample in _EXAMPLE]
        length = max(one["input_ids"].shape[1] for one in made)
        return {
            name: torch.from_numpy(np.concatenate([self._longer(name, one[name], length) for one in made]))
            for name in made[0]
        }

    def feeds(self, sample: Any) -> Arrays:
        """One row per window, as the source's own code makes them; shorter windows are padded."""
        words, boxes = list(sample["words"]), boxes_of(sample["boxes"]).tolist()
        options = {
            **self._options,
            "max_length": self.max_length,
            "truncation": "only_second",
            "stride": self._stride,
            "return_overflowing_tokens": True,
        }
        if self._places:
            made = self._tokenizer([sample["question"]], text_pair=[words], boxes=[boxes], **options)
        else:
            question = sample["question"].split()
            made = self._tokenizer(
                question, text_pair=words, is_split_into_words=True, return_token_type_ids=True, **options
            )
            count = range(len(made["input_ids"]))
            made[_BOXES] = [self._placed(made.input_ids[row], made.encodings[row], boxes) for row in count]
        rows = {name: value for name, value in made.items() if name != "overflow_to_sample_mapping"}
        length = max(map(len, rows["input_ids"]))
        found = {}
        for name, windows in rows.items():
            arrays = [np.array([window], np.int64) for window in windows]
            found[name] = np.concatenate([self._longer(name, array, length) for array in arrays])
        return found

    def _placed(self, ids: Sequence[int], encoding: Any, boxes: list[list[int]]) -> list[list[int]]:
        """The boxes of a window, as the pipeline of transformers places them."""
        found = []
        for token, sequence, word in zip(ids, encoding.sequence_ids, encoding.word_ids, strict=True):
            end = self._end_box if token == self._tokenizer.sep_token_id else _NOWHERE
            found.append(boxes[word] if sequence == 1 else end)
        return found

    def _longer(self, name: str, rows: Any, length: int) -> Any:
        widths = ((0, 0), (0, length - rows.shape[1]), *((0, 0),) * (rows.ndim - 2))
        return np.pad(rows, widths, constant_values=self._fill(name))

    def steps(self, inputs: Sequence[str]) -> tuple[StepSpec, ...]:
        """The steps from a sample to the graph's inputs."""
        options = {
            "tokenizer": TOKENIZER_URI,
            "outputs": list(inputs),
            "max_length": self.max_length,
            "stride": self._stride,
            "pad_id": self.filler,
            "truncation_side": self.truncation_side,
            "end_id": self._tokenizer.sep_token_id,
            "end_box": self._end_box,
        }
        return (StepSpec("tokenize_document", options),)

    def answer(self, outputs: Sequence[str]) -> tuple[StepSpec, ...]:
        """The step from the graph's outputs to the words."""
        start, end = (
            next((name for name in outputs if word in name.lower()), outputs[place])
            for place, word in enumerate(("start", "end"))
        )
        options = {"start": start, "end": end, "longest": _LONGEST, "begin_id": self._tokenizer.cls_token_id}
        return (StepSpec("find_words", options),)


class LayoutBeside:
    """The tokenizer beside an ONNX file; see `LayoutTokenizer`.

    Raises:
        InputError: There is no tokenizer.
    """

    def __init__(self, path: Path, task: str) -> None:
        checkpoint = checkpoint_beside(path)
        check_tokenizer_beside(path, task, checkpoint.folder)
        self._path = path
        self._tokenizer = LayoutTokenizer(checkpoint, return_attention_mask=True)

    def feeds(self, sample: Any) -> Arrays:
        """Every input that a graph may have."""
        return self._tokenizer.feeds(sample)

    def steps(self, inputs: Sequence[str]) -> tuple[StepSpec, ...]:
        """The steps from a sample to the graph's inputs."""
        known = list(self._tokenizer.feeds(_EXAMPLE[0]))
        if unknown := sorted(set(inputs) - set(known)):
            raise InputError(
                f"'{self._path}': a model of words with boxes has the inputs {', '.join(known)}; this one has "
                f"{', '.join(unknown)}.",
                hint="A model that also takes the picture of the page is built from its checkpoint.",
            )
        return self._tokenizer.steps(inputs)

    def answer(self, outputs: Sequence[str]) -> tuple[StepSpec, ...]:
        """The step from the graph's outputs to the words."""
        return self._tokenizer.answer(outputs)

    def keep(self, folder: Path) -> None:
        """Copy the tokenizer."""
        self._tokenizer.keep(folder)


class _Pages(ImageProcessor):
    """The image processor of a document's pages, without its own reading of them: words and boxes are given."""

    def _settle(self, processor: Any) -> Any:
        processor.apply_ocr = False
        return processor


class PageProcessor(LayoutTokenizer):
    """The tokenizer and the image processor of a model that also sees the page."""

    def __init__(self, checkpoint: Checkpoint, **options: Any) -> None:
        super().__init__(checkpoint, **options)
        self._pages = _Pages(checkpoint)

    def example(self) -> dict[str, object]:
        """Torch tensors by input name for the exporter, two samples in a batch."""
        return {**super().example(), **self._pages.example()}

    def axes(self, feeds: Mapping[str, object]) -> dict[str, dict[int, Any]]:
        """Input name to axis to `torch.export.Dim`: the dynamic axes."""
        axes = super().axes(feeds)
        return {**axes, _PIXELS: {0: axes[_PIXELS][0]}}

    def feeds(self, sample: Any) -> Arrays:
        """One row per window, each with the picture of the page."""
        tokens = super().feeds(sample)
        if "image" not in sample:
            return tokens
        pixels = self._pages.feeds(sample["image"])[_PIXELS]
        return {**tokens, _PIXELS: np.repeat(pixels, len(tokens["input_ids"]), axis=0)}

    def steps(self, inputs: Sequence[str]) -> tuple[StepSpec, ...]:
        """The steps from a sample to the graph's inputs."""
        tokens = [name for name in inputs if name != _PIXELS]
        repeat = StepSpec("repeat_rows", {"array": _PIXELS, "like": tokens[0]})
        # The tokenizer first: nothing is computed for a page whose question is not valid.
        return (*super().steps(tokens), *self._pages.steps([_PIXELS]), repeat)


LAYOUT = ProcessorKind(
    input_name="question+words+boxes",
    tools=TEXT.tools,
    check=TEXT.check,
    from_checkpoint=LayoutTokenizer,
    beside=LayoutBeside,
    files=TEXT.files,
)


def _check_pages(folder: Path) -> None:
    TEXT.check(folder)
    IMAGE.check(folder)


PAGES = replace(
    LAYOUT,
    input_name="image+question+words+boxes",
    tools=(*TEXT.tools, *IMAGE.tools),
    check=_check_pages,
    from_checkpoint=PageProcessor,
)
