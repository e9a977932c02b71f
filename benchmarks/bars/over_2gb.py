"""Bar: every method quantizes a graph of more than 2 GB. Needs 12 GB of memory, 15 GB of disk and some minutes.

Each method runs in a fresh process, one after the other; the figures are GB of resident memory at most, held to what
a machine of 16 GB has to spare. `--methods static` measures that one alone.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from _bars import Figure, main, median_interval, verdict
from edgewright_compiler.graphs.exported import GRAPH_FILE, WEIGHTS_FILE, WEIGHTS_FOLDER
from edgewright_targets import InputError, Recipe
from edgewright_targets.record import write_record

LIMIT_GB = 12.0
# An embedding of 2.25 GB, and a product behind it. Where the embedding stays float, the result is above 2 GB too.
ROWS, WIDTH = 1_100_000, 512
METHODS: dict[str, Recipe] = {
    "dynamic": Recipe(method="dynamic"),
    "dynamic-products": Recipe(method="dynamic", operators=("MatMul",)),
    "static": Recipe(method="static", operators=("Gather", "MatMul")),
    "static-products": Recipe(method="static", operators=("MatMul",)),
    "fp8": Recipe(
        method="static",
        activation_type="float8e4m3fn",
        weight_type="float8e4m3fn",
        activation_symmetric=True,
        operators=("MatMul",),
    ),
    "weight-only": Recipe(method="weight-only"),
    "fp16": Recipe(method="cast", float_type="float16"),
    "bf16": Recipe(method="cast", float_type="bfloat16"),
    "qnn": Recipe(method="qnn", activation_type="uint16"),
}
# Quantizes the graph in one folder into another, and prints the peak of its memory in GB.
_QUANTIZE = """
import json, resource, sys
from pathlib import Path
import numpy as np
import onnx_ir
from edgewright_compiler.graphs.low_precision import low_precision_nodes
from edgewright_compiler.graphs.quantize import quantize
from edgewright_compiler.graphs.quantizers import QuantizationError
from edgewright_targets import Recipe
from edgewright_targets.record import read_record
folder, made, recipe, rows = sys.argv[1:]
recipe = read_record(Recipe, json.loads(recipe), "recipe")
random = np.random.default_rng(1)
feeds = [{"ids": random.integers(0, int(rows), (1, 12))} for _ in range(4)]
try:
    quantize(Path(folder), recipe, feeds, Path(made))
except QuantizationError as error:
    sys.exit(str(error))
if not low_precision_nodes(onnx_ir.load(Path(made) / "model.onnx"), half=recipe.method == "cast"):
    sys.exit("nothing of it was quantized")
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6)
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the argument of this bar."""
    parser.add_argument("--methods", nargs="*", choices=METHODS, default=list(METHODS), help="measure these alone")


def measure(options: argparse.Namespace) -> list[Figure]:
    """The figures of this bar."""
    figures = []
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "float"
        _write(folder)
        for name in options.methods:
            with tempfile.TemporaryDirectory(dir=place) as made:
                words = [str(folder), made, json.dumps(write_record(METHODS[name])), str(ROWS)]
                done = subprocess.run(
                    [sys.executable, "-c", _QUANTIZE, *words], capture_output=True, text=True, check=False
                )
            if done.returncode:
                raise InputError(f"{name} does not quantize a graph of more than 2 GB: {done.stderr.strip()[-500:]}")
            peak = median_interval([float(done.stdout.split()[-1])])
            figures.append(
                Figure(
                    bar="over 2 GB",
                    compared=f"{name} (GB of memory)",
                    ratio=peak,
                    limit=LIMIT_GB,
                    verdict=verdict(peak, LIMIT_GB),
                )
            )
    return figures


def _write(folder: Path) -> None:
    """The graph in parts, so that it is never in memory as a whole."""
    import onnx_ir

    random = np.random.default_rng(0)
    weights = folder / WEIGHTS_FOLDER
    weights.mkdir(parents=True)
    piece = (random.standard_normal((11_000, WIDTH)) * 0.1).astype(np.float32)
    with (weights / WEIGHTS_FILE).open("wb") as file:
        for index in range(ROWS // len(piece)):
            file.write((piece * (1 + index % 7)).tobytes())
    kind = onnx_ir.DataType.FLOAT
    embedding = onnx_ir.ExternalTensor(
        WEIGHTS_FILE, 0, 4 * ROWS * WIDTH, kind, shape=onnx_ir.Shape([ROWS, WIDTH]), name="E", base_dir=weights
    )
    last = onnx_ir.tensor((random.standard_normal((WIDTH, 16)) * 0.3).astype(np.float32), name="W")
    held = [onnx_ir.Value(name=tensor.name, const_value=tensor) for tensor in (embedding, last)]
    ids = onnx_ir.Value(name="ids", shape=onnx_ir.Shape([1, 12]), type=onnx_ir.TensorType(onnx_ir.DataType.INT64))
    gather = onnx_ir.node("Gather", [held[0], ids], name="gather")
    product = onnx_ir.node("MatMul", [gather.outputs[0], held[1]], name="product")
    out = product.outputs[0]
    out.name, out.shape, out.type = "y", onnx_ir.Shape([1, 12, 16]), onnx_ir.TensorType(kind)
    graph = onnx_ir.Graph([ids], [out], nodes=[gather, product], initializers=held, opset_imports={"": 21}, name="over")
    onnx_ir.save(onnx_ir.Model(graph, ir_version=10), folder / GRAPH_FILE)


if __name__ == "__main__":
    sys.exit(main(__doc__, [measure], add_arguments))
