"""Settings of a processor that its class in transformers does not know: it reads them, and nothing comes of them.

A model that was trained with them would get other pixels or sounds, and nobody would hear of it.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterable, Mapping
from typing import Any

from edgewright_targets import InputError
from edgewright_targets.errors import nearest

# Names of classes, and what is about labels and batches: nothing in what a model is given for one sample.
_ELSEWHERE = frozenset({
    "_max_size", "_processor_class", "_valid_processor_keys", "annotation_format", "auto_map", "do_convert_annotations",
    "do_reduce_labels", "feature_extractor_type", "format", "id2label", "ignore_index", "image_processor_type",
    "image_seq_length", "label2id", "max_size", "num_labels", "processor_class", "reduce_labels",
    "return_segmentation_masks", "tokenizer_class", "transformers_version", "video_processor_type",
})  # fmt: skip
# What feature extractors take without naming it, and what they compute of their settings and save with them.
_UNNAMED = ("mel_filters", "n_samples", "nb_max_frames", "padding_side", "return_attention_mask")
_NOTHING: tuple[Any, ...] = (None, False, 0, "", [], {})


def known_settings(processor: Any) -> set[str]:
    """Names of the settings that the class of a processor of transformers knows."""
    kind = type(processor)
    names = set(getattr(getattr(kind, "valid_kwargs", None), "__annotations__", ()))
    names |= {name for name in dir(kind) if not name.startswith("_") and not callable(getattr(kind, name))}
    for base in kind.__mro__:
        if "__init__" in vars(base):
            names |= set(inspect.signature(base).parameters)
    return names - {"args", "kwargs"} | set(_UNNAMED)


def refuse_unknown_settings(settings: Mapping[str, object], known: Iterable[str], kind: str, where: str) -> None:
    """Raise where settings have what a class does not know.

    Args:
        settings: What the file has.
        known: What the class knows.
        kind: Its name.
        where: What messages call the file.

    Raises:
        InputError: They have, and it is not empty.
    """
    names = set(known)
    for key, value in settings.items():
        if key not in names | _ELSEWHERE and value not in _NOTHING:
            raise InputError(
                f"'{where}': its processor has the setting {key} = {json.dumps(value)[:100]}, which {kind} does not "
                "know and ignores.",
                hint=f"{nearest(key, names)} Remove the setting if the model was trained without it.",
            )
