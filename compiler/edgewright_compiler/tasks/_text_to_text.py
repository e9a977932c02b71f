"""Texts to texts by an encoder and a decoder: what translation and summarization share."""

from __future__ import annotations

from pathlib import Path

from edgewright_compiler.checkpoints.checkpoint import Checkpoint
from edgewright_compiler.processors.source_text import SourceText
from edgewright_compiler.processors.tokenizer import TOKENIZER_FILE, CheckpointTokenizer
from edgewright_compiler.tasks._task import Exporter, Task
from edgewright_compiler.tasks._written_graphs import writing_model
from edgewright_targets import InputError

CLASS = "AutoModelForSeq2SeqLM"
_PREFIX = "prefix"
# Of Marian, where there is no fast form.
_PAIR = ("source.spm", "target.spm")


def open_text_to_text(task: Task, checkpoint: Checkpoint) -> Exporter:
    """Open a checkpoint of an encoder-decoder for texts."""
    _check(checkpoint.folder)
    front = SourceText(CheckpointTokenizer(checkpoint), prefixes(checkpoint.config, task.name))
    return writing_model(task, checkpoint, front)


def _check(folder: Path) -> None:
    if all((folder / name).is_file() for name in _PAIR) and not (folder / TOKENIZER_FILE).is_file():
        raise InputError(
            f"'{folder}': its tokenizer is two SentencePiece models ({' and '.join(_PAIR)}), which the step 'tokenize' "
            "cannot run.",
            hint="Save a fast tokenizer into the folder: one tokenizer.json for both languages.",
        )


def prefixes(config: dict[str, object], task: str) -> dict[str, str]:
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
