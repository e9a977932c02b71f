"""Texts to texts by an encoder and a decoder: what translation and summarization share."""

from __future__ import annotations

from typing import Any

from edgewright_compiler.checkpoint import Checkpoint
from edgewright_compiler.processors.source_text import SourceText
from edgewright_compiler.processors.text import CheckpointTokenizer
from edgewright_compiler.tasks._task import Exporter, Task
from edgewright_compiler.tasks._writing import WritingModel

CLASS = "AutoModelForSeq2SeqLM"
_PREFIX = "prefix"


def open_text_to_text(task: Task, checkpoint: Checkpoint) -> Exporter:
    """See `Task.open`."""
    tokenizer = CheckpointTokenizer(checkpoint)
    front = SourceText(tokenizer, prefixes(checkpoint.config, task.name))
    return WritingModel(task, checkpoint, front, tokenizer=tokenizer)


def prefixes(config: dict[str, Any], task: str) -> dict[str, str]:
    """Name to the words that the configuration puts in front of texts for this task, such as T5's.

    >>> prefixes({"task_specific_params": {"translation_en_to_de": {"prefix": "to German: "}}}, "translation")
    {'en_to_de': 'to German: '}
    """
    tables = config.get("task_specific_params")
    found = {}
    for name, table in tables.items() if isinstance(tables, dict) else ():
        words = table.get(_PREFIX) if isinstance(table, dict) else None
        if words and (name == task or name.startswith(f"{task}_")):
            found[name.removeprefix(task).lstrip("_") or task] = str(words)
    return found
