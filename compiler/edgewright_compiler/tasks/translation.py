"""A text in another language."""

from __future__ import annotations

from edgewright_compiler.tasks._texts import text_to_text

TASK = text_to_text("translation", ("MarianMTModel", "T5ForConditionalGeneration"), "translation_text")
