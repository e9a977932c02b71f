"""Audio with the vocabulary that a CTC model spells its answers in."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from edgewright_compiler.checkpoints.checkpoint import OFFLINE, Checkpoint, folder_beside, read_json
from edgewright_compiler.graphs.exported import ASSET_PREFIX, ASSETS_FOLDER
from edgewright_compiler.processors import ProcessorKind
from edgewright_compiler.processors.audio import (
    AUDIO,
    AUDIO_FILES,
    PREPROCESSOR_FILE,
    PROCESSOR_FILE,
    CheckpointAudio,
    beside,
    check_audio,
)
from edgewright_compiler.processors.tokenizer import TOKENIZER_FILE
from edgewright_runtime.manifest import COMPONENT, StepSpec
from edgewright_targets import InputError
from edgewright_targets.installed import needs

if TYPE_CHECKING:
    from edgewright_runtime.wire import Arrays

_ASSET, _FILE = "vocabulary", "ctc.json"
VOCABULARY = f"{ASSET_PREFIX}{_ASSET}/{_FILE}"
# Audio of more than a minute is heard in windows of so much; an hour is 230 MB of samples.
_WINDOW_SECONDS, _LONGEST_SECONDS = 30, 3600
# Sounds whose frames are counted where no configuration says how many there are.
_PACE_SECONDS = (2, 12)
_TOKENIZER = "Wav2Vec2CTCTokenizer"
_VOCABULARY_FILE = "vocab.json"
# What `clean_up_tokenization` of transformers replaces, in its order.
_CLEAN_UP = (
    (" .", "."), (" ?", "?"), (" !", "!"), (" ,", ","), (" ' ", "'"), (" n't", "n't"), (" 'm", "'m"), (" 's", "'s"),
    (" 've", "'ve"), (" 're", "'re"),
)  # fmt: skip


class CheckpointSpeech(CheckpointAudio):
    """The feature extractor and the CTC tokenizer of a checkpoint.

    Raises:
        InputError: One cannot be loaded, or does what no step reproduces.
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        super().__init__(checkpoint)
        _refuse_language_model(checkpoint.folder)
        rate = self.front.sampling_rate
        strides = checkpoint.config.get("conv_stride")
        self._paced = bool(strides)
        self._set_pace(math.prod(strides or (1,)))
        self._whole = self.front.longest
        if self.front.dynamic:
            self.front = replace(self.front, longest=_LONGEST_SECONDS * rate)
        with needs("compiler"):
            from transformers import AutoTokenizer
        tokenizer = checkpoint.loaded(lambda: AutoTokenizer.from_pretrained(checkpoint.folder, **OFFLINE))
        kind = type(tokenizer).__name__
        if kind != _TOKENIZER:
            raise InputError(
                f"'{checkpoint.folder}': the step '{kind}' of its processor cannot be reproduced on a device.",
                hint=f"Supported is the decoding of {_TOKENIZER}.",
            )
        size = int(checkpoint.config.get("vocab_size") or len(tokenizer))
        tokens = [str(token) for token in tokenizer.convert_ids_to_tokens(list(range(size)))]
        if tokenizer.pad_token not in tokens:
            raise InputError(
                f"'{checkpoint.folder}': the blank '{tokenizer.pad_token}' is not among the {size} tokens of the model."
            )
        self._vocabulary = {
            "tokens": tokens,
            "blank": tokenizer.pad_token,
            "delimiter": tokenizer.word_delimiter_token,
            "space": tokenizer.replace_word_delimiter_char,
            "lower": bool(tokenizer.do_lower_case),
            "replacements": [list(pair) for pair in _CLEAN_UP] if tokenizer.clean_up_tokenization_spaces else [],
        }

    def _set_pace(self, ratio: int) -> None:
        rate = self.front.sampling_rate
        self._ratio = ratio
        # As transformers' pipeline aligns them, with its overlap of a sixth where nothing else is said.
        self._window = round(_WINDOW_SECONDS * rate / ratio) * ratio
        self._overlap = round(_WINDOW_SECONDS / 6 * rate / ratio) * ratio

    def settle_pace(self, infer: Callable[[Arrays], Arrays]) -> None:
        """Find out how many samples a frame of scores is, where no configuration says it; `infer` is the graph."""
        if self._paced:
            return
        self._paced = True
        short, long = (self.front.sampling_rate * seconds for seconds in _PACE_SECONDS)
        noise = np.random.default_rng(0).normal(scale=0.1, size=(1, long)).astype(np.float32)
        fewer, more = (
            next(iter(infer({self.front.input: noise[:, :count]}).values())).shape[1] for count in (short, long)
        )
        if more > fewer:
            self._set_pace(round((long - short) / (more - fewer)))

    def steps(self, inputs: Sequence[str]) -> tuple[StepSpec, ...]:
        """The steps up to the graph, and the graph itself: for long audio it runs several times."""
        *before, last = super().steps(inputs)
        infer = StepSpec(
            "infer_windows",
            {
                "component": COMPONENT,
                "input": self.front.input,
                "whole": self._whole,
                "window": self._window,
                "overlap": self._overlap,
                "ratio": self._ratio,
                "normalize": last.options["normalize"],
            },
        )
        return (*before, last, infer)

    def looped(self, sample: Any, infer: Callable[[Arrays], Arrays]) -> Arrays:
        """The outputs of a whole recording, or of windows, cut and joined as transformers' own pipeline does."""
        from transformers.pipelines.automatic_speech_recognition import chunk_iter, rescale_stride

        waveform = self._waveform(sample)
        if len(waveform) <= self._whole:
            return infer(self._made([waveform]))
        self.settle_pace(infer)
        cut: Any = chunk_iter
        rescale: Any = rescale_stride
        parts, name = [], ""
        for item in cut(waveform, self._extractor, self._window, self._overlap, self._overlap):
            feeds = {self.front.input: np.asarray(item[self.front.input], dtype=np.float32)}
            ((name, made),) = infer(feeds).items()
            frames, left, right = rescale([item["stride"]], 1 / self._ratio)[0]
            parts.append(made[:, left : frames - right])
        return {name: np.concatenate(parts, axis=1)}

    def keep(self, folder: Path) -> None:
        """Copy the files that the steps need into the assets of the component in `folder`."""
        destination = folder / ASSETS_FOLDER / _ASSET
        destination.mkdir(parents=True)
        text = json.dumps(self._vocabulary, ensure_ascii=False, indent=0)
        (destination / _FILE).write_text(text + "\n", encoding="utf-8")


def _refuse_language_model(folder: Path) -> None:
    for name in (PROCESSOR_FILE, PREPROCESSOR_FILE):
        path = folder / name
        kind = read_json(path).get("processor_class") if path.is_file() else None
        if kind == "Wav2Vec2ProcessorWithLM":
            raise InputError(
                f"'{folder}': the step '{kind}' of its processor (beam search with a language model) cannot be "
                "reproduced on a device.",
                hint="Save it without its language model, as a Wav2Vec2Processor.",
            )


def _check(folder: Path) -> None:
    check_audio(folder)
    if not any((folder / name).is_file() for name in (_VOCABULARY_FILE, TOKENIZER_FILE)):
        raise InputError(
            f"'{folder}' is not a checkpoint for speech: it has no vocabulary ({_VOCABULARY_FILE}).",
            hint="Save its processor into the same folder: processor.save_pretrained(folder).",
        )


def _beside(path: Path, task: str) -> Any:
    del task
    _check(folder_beside(path))
    return CheckpointSpeech(beside(path))


SPEECH = ProcessorKind(
    input_name="audio",
    tools=(*AUDIO.tools, "tokenizers"),
    check=_check,
    from_checkpoint=CheckpointSpeech,
    beside=_beside,
    files=(*AUDIO_FILES, _VOCABULARY_FILE, "tokenizer_config.json"),
)
