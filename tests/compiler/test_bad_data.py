"""Data files that are wrong: the message has the line, the column, the sample or the byte."""

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tiny_images
import tiny_models
from command import Command


class _RunsCode:
    """Unpickling this makes a file: proof that a reader ran code from the data."""

    def __init__(self, proof: Path) -> None:
        self._proof = proof

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self._proof,)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", ["no column 'text'; it is empty", "text,label"]),
        (b"sentence,label\nplay,PlayMusic\n", ["no column 'text'; its columns are: sentence, label"]),
        (b"text,label,text\nplay,PlayMusic,stop\n", ["has 2 columns named 'text'"]),
        (b"text,label, label\nplay,PlayMusic,PlayMusic\n", ["has 2 columns named 'label'"]),
        (",".join(f"c{i}" for i in range(10**5)).encode() + b"\n", ["c19 and 99980 more"]),
        (b"x" * 100 + b",label\nplay,PlayMusic\n", ["columns are: " + "x" * 60 + "..., label"]),
        (b"text,label\n", ["has no samples"]),
        (b"text,label\nplay music,PlayMusik\n", ["line 2: unknown label 'PlayMusik'", "Did you mean 'PlayMusic'"]),
        (b"text,label\nplay,PlayMusic\nstop\n", ["line 3: 1 cells; the header has 2"]),
        (b"text,label\nplay,PlayMusic\nplay it, now,PlayMusic\n", ["line 3: 3 cells; the header has 2"]),
        (b"text,label\n  ,PlayMusic\n", ["line 2: the text is empty"]),
        (b'text,label\n"play,PlayMusic\nstop,PlayMusic\n', ["line 3: not valid CSV"]),
        (b"text,label\ncaf\xe9,PlayMusic\n", ["is not UTF-8: byte 14", "iconv -f latin1"]),
        (b"\xff\xfet\x00e\x00x\x00t\x00,", ["is not UTF-16: byte 10"]),
        (b"text,label\nplay\x00music,PlayMusik\n", ["line 2"]),
    ],
)
def test_csv(command: Command, checkpoint: Path, tmp_path: Path, content: bytes, says: list[str]) -> None:
    path = tmp_path / "data.csv"
    path.write_bytes(content)
    for option in ("--calibration", "--evaluation"):
        command.refuses_build(checkpoint, option, path, says=[f"'{path}'", *says])


def test_data_that_is_no_file(command: Command, checkpoint: Path, sources: Path, tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    command.refuses_build(
        checkpoint, "--evaluation", tmp_path / "folder.csv", says=["is a folder; expected a data file"]
    )
    command.refuses_build(checkpoint, "--evaluation", "missing.csv", says=["no data file 'missing.csv'"])
    command.refuses_build(checkpoint, "--evaluation", "data.xlsx", says=["unknown kind of data file", ".csv"])
    command.refuses_build(checkpoint, "--evaluation", "data.parquet", says=["no data file 'data.parquet'"])
    says = ["this model takes text, so its data is a .csv, .jsonl or .parquet file"]
    command.refuses_build(checkpoint, "--evaluation", sources / "inputs.npz", says=says)
    says = ["this model takes named arrays, so its data is a .npz file"]
    command.refuses_build(sources / "perceptron.onnx", "--evaluation", sources / "train.csv", says=says)


def _npz(folder: Path, name: str) -> Path:
    pixels = np.zeros((24, 8), np.float32)
    spoiled = pixels.copy()
    spoiled[[3, 9], 2] = np.nan
    endless = pixels.copy()
    endless[5, 0] = np.inf
    arrays: dict[str, dict[str, np.ndarray[Any, Any]]] = {
        "nan": {"pixels": spoiled},
        "inf": {"pixels": endless},
        "name": {"images": pixels},
        "width": {"pixels": np.zeros((24, 9), np.float32)},
        "rank": {"pixels": np.zeros((24, 8, 1), np.float32)},
        "type": {"pixels": np.zeros((24, 8), np.float64)},
        "counts": {"pixels": pixels, "label": np.zeros(23, np.int64)},
        "label-range": {"pixels": pixels, "label": np.array([4] * 24)},
        "label-negative": {"pixels": pixels, "label": np.array([-1] * 24)},
        "label-kind": {"pixels": pixels, "label": np.array(["cat"] * 24)},
        "label-only": {"label": np.zeros(24, np.int64)},
        "scalar": {"pixels": np.float32(1)},  # type: ignore[dict-item] # a value without axes
        "none": {"pixels": np.zeros((0, 8), np.float32)},
    }
    path = folder / f"{name}.npz"
    if name in arrays:
        np.savez(path, **arrays[name])  # type: ignore[arg-type]
    elif name == "text":
        path.write_text("pixels\n1,2,3\n", encoding="utf-8")
    elif name == "empty":
        path.touch()
    elif name == "npy":
        with path.open("wb") as file:
            np.save(file, pixels)
    elif name == "other-zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("pixels.txt", "1 2 3")
    elif name == "cut":
        path.write_bytes(tiny_models.write_arrays(path).read_bytes()[:-60])
    elif name == "scrambled":
        np.savez_compressed(path, pixels=np.random.default_rng(0).normal(size=(24, 8)))
        content = bytearray(path.read_bytes())
        content[300:340] = b"\xff" * 40
        path.write_bytes(content)
    elif name == "huge":
        # The header promises 10^15 values; nothing may be reserved for them without being asked.
        head = b"{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000000,), }"
        head = head.ljust(117) + b"\n"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("pixels.npy", b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head)
    return path


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("nan", ["the array 'pixels' has NaN or infinite values in 2 of 24 samples (the first: 3, 9)"]),
        ("inf", ["the array 'pixels' has NaN or infinite values in 1 of 24 samples (the first: 5)"]),
        ("name", ["lacks the input 'pixels'. It holds 'images', which the model does not take"]),
        ("width", ["sample 1 does not fit the model", "'pixels' has the shape [1, 9]; the model takes ['n', 8]"]),
        ("rank", ["'pixels' has the shape [1, 8, 1]; the model takes ['n', 8]"]),
        ("type", ["'pixels' is float64; the model takes tensor(float)"]),
        ("counts", ["different numbers of samples", "'pixels': 24", "'label': 23", "a folder of .npz files"]),
        ("label-range", ["'label' has indices from 4 to 4; the model has 4 labels"]),
        ("label-negative", ["'label' has indices from -1 to -1"]),
        ("label-kind", ["'label' must hold a class index or a number for each sample"]),
        ("label-only", ["holds no input arrays"]),
        ("scalar", ["'pixels' is a single value; samples lie along its first axis"]),
        ("none", ["has no samples"]),
        ("text", ["not a readable .npz file", "numpy.savez"]),
        ("empty", ["not a readable .npz file"]),
        ("npy", ["not a readable .npz file"]),
        ("other-zip", ["is not an array"]),
        ("cut", ["not a readable .npz file"]),
        ("scrambled", ["not a readable .npz file"]),
        ("huge", ["not a readable .npz file"]),
    ],
)
def test_npz(command: Command, sources: Path, tmp_path: Path, name: str, says: list[str]) -> None:
    path = _npz(tmp_path, name)
    labels = ("--labels", sources / "labels.txt")
    command.refuses_build(sources / "perceptron.onnx", *labels, "--calibration", path, says=[path.name, *says])


def test_pickles_are_not_read(command: Command, sources: Path, built_arrays: Path, tmp_path: Path) -> None:
    proof = tmp_path / "was-run"
    path = tmp_path / "objects.npz"
    np.savez(path, pixels=np.array([_RunsCode(proof)], dtype=object))
    says = ["not a readable .npz file", "Python objects, which are not read"]
    command.refuses_build(sources / "perceptron.onnx", "--calibration", path, says=says)
    command.refuses("run", built_arrays, path, says=says)
    command.refuses("bench", built_arrays, "--data", path, says=says)
    assert not proof.exists()


def test_evaluation_data_that_does_not_fit(command: Command, sources: Path, tmp_path: Path) -> None:
    """Only calibration data goes through the check of the export; this is found by the float baseline."""
    path = _npz(tmp_path, "width")
    data = ("--calibration", sources / "inputs.npz", "--evaluation", path)
    says = ["The float baseline 'tiny-cpu-fp32' cannot run on the data", "'pixels' has the shape [1, 9]"]
    for _ in range(2):
        command.refuses_build(sources / "perceptron.onnx", *data, says=says)


def test_bench_data(command: Command, built_text: Path, built_arrays: Path, tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("text,label\nplay,PlayMusik\n", encoding="utf-8")
    command.refuses("bench", built_text, "--data", path, says=["line 2: unknown label 'PlayMusik'"])
    wrong = _npz(tmp_path, "width")
    command.refuses("bench", built_arrays, "--data", wrong, "--rounds", 2, says=["cannot run here", "[1, 9]"])


def test_pictures_for_a_model_of_texts(command: Command, checkpoint: Path, built_text: Path, tmp_path: Path) -> None:
    pictures = tiny_images.write_pictures(tmp_path / "pictures", each=1)
    picture = next(pictures.rglob("*.png"))
    command.refuses("run", built_text, picture, says=["This model takes a text (text)", ".png' is a picture"])
    # What is no file is a text.
    assert command("run", built_text, "red.png").code == 0
    says = ["is a folder; expected a data file, as this model takes text", ".csv, .jsonl or .parquet"]
    command.refuses_build(checkpoint, "--evaluation", pictures, says=says)
    command.refuses_build(checkpoint, "--evaluation", picture, says=["unknown kind of data file", ".csv"])
    table = tiny_images.write_table(tmp_path / "pictures.csv", pictures)
    command.refuses_build(checkpoint, "--evaluation", table, says=["no column 'text'; its columns are: path, label"])
