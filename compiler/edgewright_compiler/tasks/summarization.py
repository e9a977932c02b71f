"""A text in fewer words."""

from __future__ import annotations

from edgewright_compiler.tasks._texts import text_to_text

_HEADS = ("BartForConditionalGeneration", "PegasusForConditionalGeneration")
TASK = text_to_text("summarization", _HEADS, "summary_text")
