"""Types of the values that flow through an application, which are checked before anything runs.

A type is a word; with `[]` behind it, it is a list of such values. `MODEL_INPUTS` and `MODEL_OUTPUTS` say which values
the pipelines of packages take and give, `PARTS` what can be taken out of one value.
"""

from __future__ import annotations

LIST = "[]"
# What a caller can give to an application.
INPUT_TYPES = ("text", "audio", "image", "video", "number")

# Names in a pipeline's `input` -> type.
MODEL_INPUTS = {
    "text": "text",
    "audio": "audio",
    "image": "image",
    "box": "box",
    "video": "video",
    "question": "text",
    "context": "text",
    "query": "text",
    "passages": "text[]",
}
# A pipeline's `output` -> type.
MODEL_OUTPUTS = {
    "labels": "labels",
    "scored_labels": "labels",
    "text": "text",
    "generated_text": "text",
    "translation_text": "text",
    "summary_text": "text",
    "answer": "answer",
    "ranking": "passage[]",
    "entities": "entity[]",
    "boxes": "box[]",
    "poses": "pose[]",
    "segments": "segment[]",
    "segmentation": "segmentation",
    "depth": "depth",
    "keywords": "keyword[]",
    "vector": "vector",
    "number": "number",
    "score": "number",
    "match": "match",
    "picture": "image",
}
# Type -> name of a part -> its type. Of `labels` it is the best one.
PARTS: dict[str, dict[str, str]] = {
    "labels": {"label": "text", "score": "number"},
    "answer": {"text": "text", "score": "number"},
    "passage": {"text": "text", "score": "number", "index": "number"},
    "entity": {"text": "text", "label": "text", "score": "number"},
    "box": {"label": "text", "score": "number"},
    "pose": {"score": "number"},
    "segment": {"start": "number", "end": "number"},
    "keyword": {"label": "text", "score": "number"},
    "match": {"score": "number", "cosine": "number"},
}
# Type -> what messages call one value of it; others are called by their names.
_WORDS = {
    "audio": "a recording",
    "image": "an image",
    "labels": "a list of labels with scores",
    "answer": "an answer",
    "depth": "a map of depths",
    "entity": "an entity",
}


def type_words(kind: str) -> str:
    """A type in words, with its article."""
    item = item_type(kind)
    if item is not None:
        return f"a list of {item} values"
    return _WORDS.get(kind, f"a {kind}")


def item_type(kind: str) -> str | None:
    """The type of one value of a list; None where `kind` is not a list."""
    return kind.removesuffix(LIST) if kind.endswith(LIST) else None


def part_of(value: object, name: str) -> object:
    """The part called `name` of a value; of a list of labels that of the best, and None where there is none."""
    if isinstance(value, list):
        value = value[0] if value else None
    return value.get(name) if isinstance(value, dict) else None
