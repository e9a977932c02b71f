"""A build whose float model is wrong on the data itself stops, and goes on where that is accepted."""

import json
from pathlib import Path

import numpy as np
import pytest

import tiny_models
from command import QUICK, Command, leftovers


@pytest.fixture
def shuffled(sources: Path, tmp_path: Path) -> Path:
    """Samples of the perceptron whose labels are those of the next class, as of a list in another order."""
    import onnxruntime as ort

    with np.load(sources / "inputs.npz") as file:
        pixels = file["pixels"]
    session = ort.InferenceSession(sources / "perceptron.onnx", providers=["CPUExecutionProvider"])
    (scores,) = session.run(None, {"pixels": pixels})
    return tiny_models.write_arrays(tmp_path / "shuffled.npz", label=(scores.argmax(axis=1) + 1) % 4)


def test_a_float_model_that_is_wrong_is_not_packaged_unless_accepted(
    command: Command, sources: Path, shuffled: Path
) -> None:
    model = sources / "perceptron.onnx"
    data = ("--calibration", sources / "inputs.npz", "--evaluation", shuffled)

    says = ["wrong on shuffled.npz", "Its Accuracy is 0.00% on 24 samples", "Nothing was built",
            "Check the order of the labels", "--accept-baseline"]  # fmt: skip
    package = command.folder / "accepted.ortpackage"
    target = ("--target", command.target, *QUICK)
    refused = command("build", model, *data, "-o", package, *target)
    refused.check_refusal(says, code=1)
    # It was told by the answers of the float engine alone, before anything was timed.
    assert "Measuring 2 engines" in refused.err_line
    assert "Measured" not in refused.err_line
    assert list(command.folder.iterdir()) == []
    assert leftovers(command.cache) == []

    accepted = command("build", model, *data, "-o", package, *target, "--accept-baseline", "--json")
    assert accepted.code == 0
    (outcome,) = json.loads(accepted.out)["targets"]
    assert "It was accepted with --accept-baseline" in outcome["warnings"][0]
    # A bench says what it finds itself, and its report what was accepted, whatever its data.
    benched = json.loads(command("bench", package, "--data", shuffled, *QUICK, "--json").out)
    assert "The float model itself is wrong on this data" in benched["warnings"][0]
    report = command.folder / "report.md"
    bench = command("bench", package, "--data", sources / "inputs.npz", *QUICK, "-q", "--report", report)
    assert bench.code == 0
    assert "When it was built: The float model itself is wrong" in report.read_text(encoding="utf-8")

    # Without the word, what was accepted before is doubted again, and stays as it is.
    again = command("build", model, *data, "-o", package, *target)
    assert again.code == 1
    assert "wrong on shuffled.npz" in again.err_line
    assert package.exists()
