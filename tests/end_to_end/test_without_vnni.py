"""Engines on a processor with AVX2 alone: int8 products saturate there, and nothing else changes.

QEMU's user mode emulates one on any x86-64 machine: numbers are real there, times are not.
"""

import subprocess
from pathlib import Path

import numpy as np
import pytest

from edgewright_benchmarks.devices.engine_worker import WORKER_COMMAND
from edgewright_benchmarks.devices.workers import WorkerProcess
from edgewright_runtime import load
from exact import Arrays, exact_output
from x86_emulator import AVX2_ALONE, python_on

pytestmark = pytest.mark.slow

BASELINE = "x86-64-cpu-fp32"
INT8 = ("x86-64-cpu-int8", "x86-64-cpu-int8-dynamic")
# Opens graphs with exact products and writes what each makes of each sample.
_EXACT_PRODUCTS = """
import sys
import numpy as np
import onnxruntime
options = onnxruntime.SessionOptions()
options.add_session_config_entry("session.x64quantprecision", "1")
samples, made, *graphs = sys.argv[1:]
pixels = np.load(samples)
found = []
for graph in graphs:
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    found.append([session.run(None, {"pixels": row})[0] for row in pixels])
np.save(made, np.array(found))
"""


@pytest.fixture(scope="module")
def samples() -> list[Arrays]:
    random = np.random.default_rng(5)
    return [{"pixels": random.normal(size=(1, 8)).astype(np.float32)} for _ in range(12)]


def graph(draft: Path, engine: str) -> Path:
    return draft / "model" / engine / "model.onnx"


def test_engines_answer_there(draft: Path, samples: list[Arrays]) -> None:
    with load(draft, engine=BASELINE) as model:
        expected = np.array([model(sample)["scores"] for sample in samples])
    found = {}
    with WorkerProcess(command=(*python_on(AVX2_ALONE), *WORKER_COMMAND[1:])) as worker:
        worker.keep(samples)
        for engine in (BASELINE, *INT8):
            worker.load(draft, engine, 1)
            found[engine] = np.array([answer.outputs["scores"] for answer in worker.answer(range(len(samples)))])
    np.testing.assert_allclose(found[BASELINE], expected, atol=1e-5)
    for engine in INT8:
        by_definition = np.array([exact_output(graph(draft, engine), sample) for sample in samples])
        gaps = np.abs(found[engine] - by_definition) / np.abs(by_definition).max()
        # Single answers are off by more than rounding would be, most are not.
        assert gaps.max() > 1e-3
        assert np.median(gaps) <= 0.02


def test_saturation_is_all_that_differs(draft: Path, samples: list[Arrays], tmp_path: Path) -> None:
    np.save(tmp_path / "pixels.npy", np.array([sample["pixels"] for sample in samples]))
    graphs = [graph(draft, engine) for engine in INT8]
    arguments = (tmp_path / "pixels.npy", tmp_path / "made.npy", *graphs)
    command = (*python_on(AVX2_ALONE), "-c", _EXACT_PRODUCTS, *map(str, arguments))
    subprocess.run(command, check=True)
    for path, found in zip(graphs, np.load(tmp_path / "made.npy"), strict=True):
        by_definition = np.array([exact_output(path, sample) for sample in samples])
        np.testing.assert_allclose(found, by_definition, atol=1e-5)
