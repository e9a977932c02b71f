"""Models in forms that are not built are told by their files alone, with what to build in their place."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import tiny_models
from command import Command

POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 331300\n"
ADAPTER = {"peft_type": "LORA", "base_model_name_or_path": "someone/base"}


def _safetensors(header: bytes, rest: bytes = b"") -> bytes:
    return len(header).to_bytes(8, "little") + header + rest


def _write(folder: Path, name: str, content: bytes | str) -> None:
    data = content.encode() if isinstance(content, str) else content
    (folder / name).write_bytes(data)


def _quantized(method: object) -> Callable[[Path], None]:
    return lambda folder: tiny_models.edit_config(folder, quantization_config=method)


def _weights(content: bytes | str, name: str = "model.safetensors") -> Callable[[Path], None]:
    return lambda folder: _write(folder, name, content)


def _instead(*names: str, content: bytes | str = b"x") -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        (folder / "model.safetensors").unlink()
        for name in names:
            (folder / name).parent.mkdir(exist_ok=True)
            _write(folder, name, content)

    return spoil


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (_weights(json.dumps(ADAPTER), "adapter_config.json"), ["is an adapter (LORA) of 'someone/base'", "peft"]),
        (_weights("{}", "adapter_config.json"), ["is an adapter (of an unnamed kind), not a complete model"]),
        (_weights("[", "adapter_config.json"), ["adapter_config.json' cannot be read"]),
        (_weights("{}", "model_index.json"), ["is a diffusers pipeline", "package.module:function"]),
        (_quantized({"quant_method": "gptq", "bits": 4}), ["already quantized, by gptq", "float checkpoint"]),
        (_quantized({"quant_method": "bitsandbytes"}), ["already quantized, by bitsandbytes"]),
        (_quantized({"quant_method": "awq"}), ["already quantized, by awq"]),
        (_quantized({}), ["already quantized, by a method that config.json does not name"]),
        (_weights(POINTER), ["model.safetensors' is a Git LFS pointer", "git lfs pull"]),
        (_weights(POINTER, "tokenizer.json"), ["tokenizer.json' is a Git LFS pointer"]),
        (_weights(POINTER, "config.json"), ["config.json' is a Git LFS pointer"]),
        (_weights(b""), ["not a complete file of weights: its header does not fit in its 0 bytes"]),
        (_weights(b"\xff" * 40), ["its header does not fit"]),
        (_weights(_safetensors(b"[]")), ["its header cannot be read"]),
        (_weights(_safetensors(b'{"a": {}}')), ["its header cannot be read"]),
        (_weights(_safetensors(b"[" * 100_000)), ["its header cannot be read"]),
        (_weights(_safetensors(b"{}")), ["it holds no weights"]),
        (_weights(_safetensors(b'{"a": {"data_offsets": [0, 9]}}', b"1234")), ["has 43 bytes", "announces 48"]),
        (
            _weights('{"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}}',
                     "model.safetensors.index.json"),
            ["lacks 2 files of its weights: model-1.safetensors, model-2.safetensors"],
        ),
        (_weights('{"weight_map": 1}', "model.safetensors.index.json"), ["names no weights"]),
        (_instead("model.onnx"), ["intents/model.onnx' is not a readable ONNX file"]),
        (_instead("a.onnx", "b.onnx"), ["holds several models: a.onnx, b.onnx", "build ", "intents/a.onnx"]),
        (_instead("onnx/a.onnx", "onnx/b.onnx"), ["holds several models: a.onnx, b.onnx"]),
        (_instead("model.onnx", "other.onnx"), ["holds several models: model.onnx, other.onnx"]),
        (_instead("onnx/model.onnx", "onnx/model_q4.onnx"), ["onnx/model.onnx' is not a readable ONNX file"]),
        (_instead("encoder_model.onnx", "decoder_model.onnx"),
         ["one model as an encoder and a decoder (decoder_model.onnx, encoder_model.onnx)", "--fetch"]),
        (_instead("encoder_model.onnx", "decoder_model_merged.onnx"),
         ["the graphs encoder_model, decoder_model_merged are built for translation, summarization",
          "and this is text-classification"]),
        (_instead("decoder_model.onnx", "decoder_with_past_model.onnx"),
         ["decoder_with_past_model.onnx' is not a readable ONNX file"]),
        (_weights("{}", "quantize_config.json"), ["already quantized, by gptq"]),
        (_weights("{}", "quant_config.json"), ["already quantized, by awq"]),
        (_instead("tf_model.h5"), ["'tf_model.h5' is a model of Keras or TensorFlow"]),
        (_instead("flax_model.msgpack"), ["'flax_model.msgpack' is weights of Flax"]),
        (_instead("intents.Q4_0.gguf"), ["'intents.Q4_0.gguf' is a model of llama.cpp"]),
        (_instead("notes.md"), ["it has config.json and no weights (*.safetensors)"]),
    ],
)  # fmt: skip
def test_folders(
    command: Command, checkpoint: Path, sources: Path, tmp_path: Path, spoil: Callable[[Path], None], says: list[str]
) -> None:
    folder = Path(shutil.copytree(checkpoint, tmp_path / "intents"))
    spoil(folder)
    command.refuses_build(folder, "--evaluation", sources / "validation.csv", says=says)


def test_a_folder_of_llama_cpp(command: Command, tmp_path: Path) -> None:
    folder = tmp_path / "llama"
    folder.mkdir()
    _write(folder, "tiny.Q4_K_M.gguf", b"GGUF")
    says = ["'tiny.Q4_K_M.gguf' is a model of llama.cpp, quantized already", "float checkpoint"]
    command.refuses_build(folder, says=says)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("model.pt", "is weights or a program of PyTorch"),
        ("model.pth", "is weights or a program of PyTorch"),
        ("last.ckpt", "is a checkpoint of a training"),
        ("pytorch_model.bin", "Build the folder with config.json"),
        ("model.safetensors", "Build the folder with config.json"),
        ("model.GGUF", "is a model of llama.cpp"),
        ("model.tflite", "is a model of LiteRT"),
        ("model.keras", "is a model of Keras"),
        ("saved_model.pb", "is a graph of TensorFlow"),
        ("model.engine", "is an engine of TensorRT"),
        ("model.ort", "ONNX Runtime's own format"),
    ],
)
def test_files(command: Command, tmp_path: Path, name: str, says: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"\x00" * 64)
    command.refuses_build(path, says=[f"'{path}' is ", "not an ONNX file", says])


def test_pointers_in_the_place_of_files(command: Command, sources: Path, built_text: Path, tmp_path: Path) -> None:
    for name in ("model.onnx", "data.csv", "data.npz", "data.parquet", "labels.txt"):
        _write(tmp_path, name, POINTER)
    command.refuses_build(tmp_path / "model.onnx", says=["model.onnx' is a Git LFS pointer", "git lfs pull"])
    for name in ("data.csv", "data.parquet"):
        command.refuses("bench", built_text, "--data", tmp_path / name, says=[f"{name}' is a Git LFS pointer"])
    labels = ("--labels", tmp_path / "labels.txt")
    command.refuses_build(sources / "perceptron.onnx", *labels, says=["labels.txt' is a Git LFS pointer"])
    arrays = (sources / "perceptron.onnx", "--calibration")
    command.refuses_build(*arrays, tmp_path / "data.npz", says=["data.npz' is a Git LFS pointer"])


def test_a_class_name_for_two_classes(command: Command, checkpoint: Path, sources: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(checkpoint, tmp_path / "twice"))
    tiny_models.edit_config(folder, id2label={"0": "a", "1": "b", "2": "a", "3": "c"})
    says = ["in config.json 2 classes have the name 'a'", "--labels FILE"]
    command.refuses_build(folder, "--evaluation", sources / "validation.csv", says=says)
