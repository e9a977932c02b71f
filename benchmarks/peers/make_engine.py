"""What a person writes to have an engine of a library: run in its environment, with what the row brings in a JSON file.

    python make_engine.py MAKER JOB.json

The job has `model` (a float ONNX file), `calibration` and `evaluation` (folders of feeds), `labels` (the right class
of each sample of the evaluation, or null), `transformer`, `max_drop` and `out`, the folder for the engine. The
functions are what the documentation of each library shows first, with its defaults.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

# Beyond so many, no default of these libraries reads calibration samples.
CALIBRATION_SAMPLES = 300


def samples(folder: str, most: int | None = None) -> Iterator[dict[str, Any]]:
    """The feeds in a folder, in their order."""
    count = len(list(Path(folder).glob("*.npz")))
    for index in range(min(count, most or count)):
        with np.load(Path(folder) / f"{index}.npz", allow_pickle=False) as file:
            yield dict(file)


def onnxruntime_static(job: dict[str, Any]) -> str:
    """`quantize_static` as it comes, after the preparation that its documentation asks for."""
    from onnxruntime.quantization import CalibrationDataReader, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self.left = samples(job["calibration"], CALIBRATION_SAMPLES)

        def get_next(self) -> dict[str, Any] | None:
            return next(self.left, None)

    out = Path(job["out"])
    try:
        quant_pre_process(job["model"], out / "prepared.onnx")
    except Exception as error:  # noqa: BLE001 - what it raises where it cannot infer shapes
        print(f"again without symbolic shapes, as its message advises: {error}", file=sys.stderr)
        quant_pre_process(job["model"], out / "prepared.onnx", skip_symbolic_shape=True)
    quantize_static(out / "prepared.onnx", out / "model.onnx", Reader())
    (out / "prepared.onnx").unlink()
    return "model.onnx"


def onnxruntime_dynamic(job: dict[str, Any]) -> str:
    """`quantize_dynamic` as it comes."""
    from onnxruntime.quantization import quantize_dynamic

    quantize_dynamic(job["model"], Path(job["out"]) / "model.onnx")
    return "model.onnx"


def onnxruntime_float(job: dict[str, Any]) -> str:
    """The float graph as it is."""
    (Path(job["out"]) / "model.onnx").write_bytes(Path(job["model"]).read_bytes())
    return "model.onnx"


def _openvino(*, nncf: bool = True) -> tuple[Any, Any]:
    return importlib.import_module("nncf") if nncf else None, importlib.import_module("openvino")


def openvino_float(job: dict[str, Any]) -> str:
    """The float graph in OpenVINO's form, weights as it writes them by default."""
    _, openvino = _openvino(nncf=False)
    openvino.save_model(openvino.convert_model(job["model"]), str(Path(job["out"]) / "model.xml"))
    return "model.xml"


def openvino_nncf(job: dict[str, Any]) -> str:
    """`nncf.quantize` on OpenVINO's form."""
    nncf, openvino = _openvino()
    kind = nncf.ModelType.TRANSFORMER if job["transformer"] else None
    data = nncf.Dataset(list(samples(job["calibration"], CALIBRATION_SAMPLES)))
    model = nncf.quantize(openvino.convert_model(job["model"]), data, model_type=kind)
    openvino.save_model(model, str(Path(job["out"]) / "model.xml"))
    return "model.xml"


def openvino_nncf_accuracy(job: dict[str, Any]) -> str:
    """`nncf.quantize_with_accuracy_control`, which asks for a metric: the share of right classes."""
    nncf, openvino = _openvino()
    if job["labels"] is None:
        raise SystemExit("Accuracy control asks for a metric in Python; this row has one for classes alone.")
    labels = job["labels"]

    def validate(model: Any, items: Iterable[tuple[int, dict[str, Any]]]) -> tuple[float, list[float]]:
        right = [float(np.argmax(model(feeds)[0]) == labels[index]) for index, feeds in items]
        return float(np.mean(right)), right

    def transform(item: Any) -> dict[str, Any]:
        feeds: dict[str, Any] = item[1] if isinstance(item, tuple) else item
        return feeds

    kind = nncf.ModelType.TRANSFORMER if job["transformer"] else None
    model = nncf.quantize_with_accuracy_control(
        openvino.convert_model(job["model"]),
        calibration_dataset=nncf.Dataset(list(samples(job["calibration"], CALIBRATION_SAMPLES)), transform),
        validation_dataset=nncf.Dataset(list(enumerate(samples(job["evaluation"])))),
        validation_fn=validate,
        max_drop=job["max_drop"],
        model_type=kind,
    )
    openvino.save_model(model, str(Path(job["out"]) / "model.xml"))
    return "model.xml"


MAKERS = {
    one.__name__: one
    for one in (
        onnxruntime_float,
        onnxruntime_static,
        onnxruntime_dynamic,
        openvino_float,
        openvino_nncf,
        openvino_nncf_accuracy,
    )
}


def main() -> None:
    """Make one engine; its file is written into `made.json` of the folder."""
    job = json.loads(Path(sys.argv[2]).read_text(encoding="utf-8"))
    made = MAKERS[sys.argv[1]](job)
    (Path(job["out"]) / "made.json").write_text(json.dumps(made), encoding="utf-8")


if __name__ == "__main__":
    main()
