"""A text that goes on: causal language models."""

from __future__ import annotations

from edgewright_compiler.processors.text import TEXT
from edgewright_compiler.tasks._causal import CausalGraph
from edgewright_compiler.tasks._task import Task

TASK = Task(
    name="text-generation",
    heads=("ForCausalLM", "GPT2LMHeadModel"),
    model="AutoModelForCausalLM",
    outputs=("logits",),
    processor=TEXT,
    output_name="generated_text",
    open=CausalGraph,
)
