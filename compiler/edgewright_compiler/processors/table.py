"""Rows of tables for graphs of ONNX files, as converters of scikit-learn, XGBoost and LightGBM write them.

Columns are the inputs of the graph by name; of an input of several columns their names are in `columns.txt` beside the
file, one a line, or the values are taken in their order.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from edgewright_compiler.graphs.read_graph import read_whole
from edgewright_compiler.processors import ProcessorKind
from edgewright_runtime.manifest import StepSpec
from edgewright_runtime.samples import ROW_INPUT
from edgewright_runtime.steps import make_free_step
from edgewright_targets import InputError
from edgewright_targets.errors import first_few

if TYPE_CHECKING:
    import onnx_ir

    from edgewright_runtime.wire import Arrays

# Beside an .onnx file: the names of the columns, one a line.
COLUMNS_FILE = "columns.txt"
_TYPES = {"BOOL": "bool", "FLOAT": "float32", "DOUBLE": "float64", "INT32": "int32", "INT64": "int64", "STRING": "text"}
# Operators that have an answer where numbers are missing.
_TAKE_MISSING = ("Imputer", "IsNaN", "TreeEnsemble", "TreeEnsembleClassifier", "TreeEnsembleRegressor")
# Attributes of operators of ai.onnx.ml that name classes.
_CLASSES = ("classlabels_strings", "classlabels_int64s", "classlabels_ints")
_FLOATS = ("FLOAT", "DOUBLE", "FLOAT16")


class RowProcessor:
    """From a row to the inputs of a graph, and from its outputs to a class or a number.

    Attributes:
        labels: What the classes are called, where the graph names them.
    """

    def __init__(self, path: Path, task: str) -> None:
        read = read_whole(path)
        self._path, self._task = path, task
        self._outputs = {str(value.name): value for value in read.model.graph.outputs}
        nodes = list(read.model.graph)
        missing = any(node.op_type in _TAKE_MISSING for node in nodes)
        self._read = StepSpec("read_row", {"inputs": self._inputs(read.model), "missing": missing})
        self._step = make_free_step(self._read)
        own = [tuple(map(str, one.classes)) for one in read.maps]
        own += [_values(node.attributes[name]) for node in nodes for name in _CLASSES if name in node.attributes]
        self.labels = next((names for names in own if names), ()) if task == _CLASSIFICATION else ()

    def _inputs(self, model: onnx_ir.Model) -> dict[str, object]:
        file = self._path.parent / COLUMNS_FILE
        names = [line.strip() for line in file.read_text("utf-8-sig").splitlines()] if file.is_file() else []
        names = [name for name in names if name]
        widths = {str(value.name): self._width(value) for value in model.graph.inputs}
        if names and (len(names) != sum(widths.values()) or len(set(names)) != len(names)):
            raise InputError(
                f"'{file}' names {len(set(names))} columns; the graph takes {sum(widths.values())}: "
                f"{first_few(f'{count} as {name}' for name, count in widths.items())}."
            )
        several = [name for name, count in widths.items() if count > 1]
        if several and len(widths) > 1 and not names:
            raise InputError(
                f"'{self._path}': nothing names the columns of the inputs {first_few(widths)}.",
                hint=f"Write the names into {COLUMNS_FILE} beside the file, one per line, in the order of the inputs.",
            )
        found: dict[str, object] = {}
        for value in model.graph.inputs:
            name, count = str(value.name), widths[str(value.name)]
            columns, names = (names[:count], names[count:]) if names else ([name] if count == 1 else [], names)
            found[name] = {"type": _TYPES[value.dtype.name if value.dtype else ""], "columns": columns, "count": count}
        return found

    def _width(self, value: onnx_ir.Value) -> int:
        """How many columns an input takes."""
        shape = list(value.shape) if value.shape is not None else []
        size = shape[1] if len(shape) == 2 else None
        if value.dtype is None or value.dtype.name not in _TYPES or not isinstance(size, int) or size < 1:
            raise InputError(
                f"'{self._path}': the input '{value.name}' is {value.dtype} {[str(one) for one in shape]}; for "
                f"{self._task} an input is numbers or texts of the shape [rows, columns].",
                hint="Build it without --task: it then takes named arrays.",
            )
        return size

    def feeds(self, sample: Any) -> Arrays:
        """The inputs of a row, made by the step: a converted model has no other way from a row."""
        return {**self._step({ROW_INPUT: sample})}

    def check_sample(self, sample: Any) -> None:
        """Raise where a row lacks what the model takes.

        Raises:
            SampleError: It does.
        """
        self._step({ROW_INPUT: sample})

    def steps(self, inputs: Sequence[str]) -> tuple[StepSpec, ...]:
        """The step from a row to the graph's inputs."""
        own = self._read.options["inputs"]
        if set(inputs) != set(own):
            raise InputError(f"The graph has the inputs {', '.join(inputs)}; its file has {', '.join(own)}.")
        return (self._read,)

    def answer(self, outputs: Sequence[str]) -> tuple[StepSpec, ...]:
        """From the scores to a class, or the number."""
        floats = [name for name in outputs if (kind := self._outputs[name].dtype) is not None and kind.name in _FLOATS]
        if len(floats) != 1:
            raise InputError(
                f"'{self._path}': the outputs are {first_few(outputs)}; {self._task} needs one output of "
                f"{'scores' if self._task == _CLASSIFICATION else 'numbers'}."
            )
        if self._task == _CLASSIFICATION:
            return (StepSpec("classify", {"logits": floats[0], "function": "none"}),)
        return (StepSpec("give_number", {"output": floats[0]}),)

    def keep(self, folder: Path) -> None:
        """Nothing: the step needs no files."""


_CLASSIFICATION = "tabular-classification"


def _values(attribute: Any) -> tuple[str, ...]:
    return tuple(one.decode() if isinstance(one, bytes) else str(one) for one in attribute.value)


def _no_checkpoint(folder: Path) -> NoReturn:
    raise InputError(
        f"'{folder}': models of tables are built from an .onnx file.",
        hint="Convert the pipeline with skl2onnx (scikit-learn) or onnxmltools (XGBoost, LightGBM).",
    )


TABLE = ProcessorKind(
    input_name=ROW_INPUT,
    tools=("numpy",),
    check=_no_checkpoint,
    from_checkpoint=lambda checkpoint: _no_checkpoint(checkpoint.folder),
    beside=RowProcessor,
    files=(COLUMNS_FILE,),
)
