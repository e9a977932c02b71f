"""A model of three tiny graphs with windows and a state, its declaration, and what it answers, written by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx_ir
import soundfile

RATE = 1000
DECLARATION = """\
task = "keyword-spotting"
sampling_rate = 1000
labels = ["loud", "soft", "louder"]
scores = ["both", "change"]
threshold = 0.6
cooldown = 0.2
settle = 0.15

[component.both]
file = "both.onnx"
[component.both.inputs.window]
stream = "memory"
window = 3
hop = 1
before = 2

[component.change]
file = "change.onnx"
[component.change.inputs.now]
stream = "levels"
window = 1
hop = 1
[component.change.inputs.then]
stream = "memory"
window = 1
hop = 1

[component.levels]
file = "parts/levels.onnx"
outputs = { levels = 1 }
keep_float = true
[component.levels.inputs.samples]
stream = "audio"
window = 160
hop = 80
first = 80
scale = 2

[component.memory]
file = "memory.onnx"
outputs = { smooth = 0 }
state = { kept = "before" }
[component.memory.inputs.level]
stream = "levels"
window = 1
hop = 1
axis = 0
offset = 0.5
"""
WEIGHTS = np.random.default_rng(5).normal(size=(6, 2)).astype(np.float32)


_LEVELS = """
levels (float[1,samples] samples) => (float[1,frames,2] levels)
<int64[4] flat = {1, -1, 2, 40}, int64[1] axes = {3}>
{ parts = Reshape(samples, flat)  sizes = Abs(parts)  levels = ReduceMean<keepdims = 0>(sizes, axes) }
"""
_MEMORY = """
memory (float[batch,2] level, float[batch,2] before) => (float[batch,2] smooth, float[batch,2] kept)
<float[1] half = {0.5}>
{ old = Mul(before, half)  smooth = Add(old, level)  kept = Identity(smooth) }
"""
_BOTH = """
both (float[1,3,2] window) => (float[1,2] scores)
<float[6,2] weights = {VALUES}>
{ row = Flatten(window)  sums = MatMul(row, weights)  scores = Sigmoid(sums) }
"""
_CHANGE = """
change (float[1,1,2] now, float[1,1,2] then) => (float[1,1] score)
<int64[1] last = {2}>
{ less = Sub(now, then)  most = ReduceMax<keepdims = 0>(less, last)  score = Sigmoid(most) }
"""


def write_pipeline(folder: Path) -> Path:
    """The declaration, beside its graphs."""
    (folder / "parts").mkdir(parents=True)
    values = ", ".join(f"{value:.9g}" for value in WEIGHTS.reshape(-1).tolist())
    graphs = {
        "parts/levels": _LEVELS,
        "memory": _MEMORY,
        "both": _BOTH.replace("VALUES", values),
        "change": _CHANGE,
    }
    for name, text in graphs.items():
        head = '<ir_version: 9, opset_import: ["" : 18]>'
        onnx_ir.save(onnx_ir.from_onnx_text(head + text), folder / f"{name}.onnx")
    path = folder / "tiny.toml"
    path.write_text(DECLARATION, encoding="utf-8")
    return path


def write_clips(folder: Path, count: int = 6) -> Path:
    """Recordings of noise of changing size, and a table with what is said in them."""
    random = np.random.default_rng(1)
    folder.mkdir()
    lines = ["audio,label"]
    for index in range(count):
        loudness = np.repeat(random.uniform(0, 0.9, 12), 100) * (index % 3 + 1) / 3
        soundfile.write(folder / f"{index}.wav", random.uniform(-1, 1, 1200) * loudness, RATE)
        lines.append(f"{index}.wav,{('loud', 'none', '')[index % 3]}")
    (folder / "clips.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder / "clips.csv"


def by_hand(waveform: Any) -> dict[str, Any]:
    """The scores of a recording, computed with numpy alone."""
    levels = []
    for end in range(80, len(waveform) + 1, 80):
        part = 2 * waveform[max(0, end - 160) : end]
        levels += list(np.abs(part.reshape(-1, 2, 40)).mean(axis=2))
    memory, kept = [], np.zeros(2)
    for level in levels:
        kept = 0.5 * kept + level + 0.5
        memory.append(kept)
    padded = np.concatenate([np.zeros((2, 2)), memory])
    both = [_sigmoid(padded[at : at + 3].reshape(-1) @ WEIGHTS) for at in range(len(memory))]
    change = [[_sigmoid((level - kept).max())] for level, kept in zip(levels, memory, strict=True)]
    return {"both": np.array(both), "change": np.array(change)}


def _sigmoid(value: Any) -> Any:
    return 1 / (1 + np.exp(-value))
