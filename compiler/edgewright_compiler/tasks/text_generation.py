"""A text that goes on: causal language models."""

from __future__ import annotations

from edgewright_compiler.processors.causal import CAUSAL
from edgewright_compiler.tasks._causal import CausalGraph
from edgewright_compiler.tasks._task import Task

TASK = Task(
    name="text-generation",
    heads=("ForCausalLM", "GPT2LMHeadModel"),
    model="AutoModelForCausalLM",
    outputs=("logits",),
    processor=CAUSAL,
    output_name="generated_text",
    open=CausalGraph,
)
