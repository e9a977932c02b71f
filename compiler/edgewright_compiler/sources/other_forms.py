"""Forms of models that are not built, told by their files alone: what each is, and what to build in its place."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from edgewright_compiler.checkpoints.checkpoint import read_json
from edgewright_targets import InputError
from edgewright_targets.errors import first_few
from edgewright_targets.git_lfs import refuse_pointer

_ADAPTER = "adapter_config.json"
_INDEX = "model.safetensors.index.json"
_WEIGHTS = ("*.safetensors", "pytorch_model*.bin")
_EXPORT = "Export it to ONNX with its own framework, and build the .onnx file."
_LOADED = "Load it with torch and save it with save_pretrained of transformers, or build package.module:function."
_WEIGHTS_ALONE = "weights alone"
# What libraries that quantize write beside the weights, where config.json does not say it -> their method.
_QUANTIZED = {"quantize_config.json": "gptq", "quant_config.json": "awq"}
# Ending of a file -> what it is, and what to do.
_FILES = {
    ".pt": ("weights or a program of PyTorch", _LOADED),
    ".pth": ("weights or a program of PyTorch", _LOADED),
    ".ckpt": ("a checkpoint of a training run", _LOADED),
    ".bin": (_WEIGHTS_ALONE, "Build the folder with config.json that it lies in."),
    ".safetensors": (_WEIGHTS_ALONE, "Build the folder with config.json that it lies in."),
    ".gguf": ("a model of llama.cpp, quantized already", "Build the float checkpoint that it was made from."),
    ".tflite": ("a model of LiteRT (TensorFlow Lite)", _EXPORT),
    ".h5": ("a model of Keras or TensorFlow", _EXPORT),
    ".keras": ("a model of Keras", _EXPORT),
    ".pb": ("a graph of TensorFlow", _EXPORT),
    ".msgpack": ("weights of Flax", _EXPORT),
    ".mlmodel": ("a model of Core ML", "Build what it was made from."),
    ".engine": ("an engine of TensorRT, for one GPU", "Build what it was made from."),
    ".plan": ("an engine of TensorRT, for one GPU", "Build what it was made from."),
    ".ort": ("a model in ONNX Runtime's own format", "Build the .onnx file that it was made from."),
}
# A header of safetensors has at most so many bytes (its documentation, "Format").
_HEADER_BYTES = 100_000_000
# Names that a message shows.
_SHOWN = 3


def refuse_file(path: Path) -> None:
    """Raise where a file that should be a graph is of another kind, by its ending, or a pointer to one.

    Raises:
        InputError: It is.
    """
    refuse_pointer(path)
    kind, advice = _FILES.get(path.suffix.lower(), ("", ""))
    if kind and path.is_file():
        raise InputError(f"'{path}' is {kind}, not an ONNX file.", hint=advice)


def refuse_folder(folder: Path) -> None:
    """Raise where a folder has another form than a whole float checkpoint.

    Raises:
        InputError: It has.
    """
    for path in sorted(folder.iterdir()):
        if path.suffix in (".json", ".safetensors", ".bin", ".onnx", ".model", ".txt"):
            refuse_pointer(path)
    if (folder / _ADAPTER).is_file():
        raise InputError(_adapter(folder), hint="Merge it with peft: merge_and_unload(), then save_pretrained.")
    for name, method in _QUANTIZED.items():
        if (folder / name).is_file():
            raise _quantized(folder, method)
    if (folder / "model_index.json").is_file():
        from edgewright_compiler.sources.diffusers_part import parts_of

        parts = [f"edgewright build {folder / name}" for name in parts_of(folder)]
        raise InputError(
            f"'{folder}' is a diffusers pipeline, which consists of several models.",
            hint=f"Build its parts, each for named arrays: {'; '.join(parts)}."
            if parts
            else "Build its networks as package.module:function.",
        )
    if not (folder / "config.json").is_file():
        _refuse_others(folder)


def refuse_weights(folder: Path, config: Mapping[str, object]) -> None:
    """Raise where the weights of a checkpoint are quantized, missing, cut off, or of another framework.

    Raises:
        InputError: They are.
    """
    quantization = config.get("quantization_config")
    if isinstance(quantization, dict):
        raise _quantized(folder, str(quantization.get("quant_method") or "a method that config.json does not name"))
    _refuse_missing_shards(folder)
    weights = sorted(path for pattern in _WEIGHTS for path in folder.glob(pattern))
    for path in weights:
        if path.suffix == ".safetensors":
            _refuse_cut(path)
    if weights:
        return
    graphs = sorted(path.relative_to(folder) for path in folder.rglob("*.onnx"))
    if graphs:
        shown = first_few(graphs, shown=_SHOWN)
        raise InputError(
            f"'{folder}' is not a checkpoint: it has exported graphs ({shown}) and no weights.",
            hint=f"Build the graph: edgewright build {folder / graphs[0]} --task TASK ...",
        )
    _refuse_others(folder)
    raise InputError(f"'{folder}' is not a checkpoint: it has config.json and no weights (*.safetensors).")


def _quantized(folder: Path, method: str) -> InputError:
    return InputError(
        f"'{folder}' is already quantized, by {method}. Its weights run only in that library.",
        hint="Build the original float checkpoint. Edgewright quantizes it and compares both.",
    )


def _refuse_others(folder: Path) -> None:
    """Raise where a file in the folder is a model in a form of its own.

    Raises:
        InputError: One is.
    """
    # Of weights alone, what is missing is said elsewhere.
    own = {ending for ending, (kind, _) in _FILES.items() if kind != _WEIGHTS_ALONE}
    others = sorted(path.relative_to(folder) for path in folder.iterdir() if path.suffix.lower() in own)
    if others:
        kind, advice = _FILES[others[0].suffix.lower()]
        raise InputError(f"'{folder}' is not a checkpoint: '{others[0]}' is {kind}.", hint=advice)


def _adapter(folder: Path) -> str:
    about = read_json(folder / _ADAPTER)
    base, kind = about.get("base_model_name_or_path"), about.get("peft_type")
    of = f" of '{base}'" if base else ""
    return f"'{folder}' is an adapter ({kind or 'of an unnamed kind'}){of}, not a complete model."


def _refuse_missing_shards(folder: Path) -> None:
    if not (folder / _INDEX).is_file():
        return
    table = read_json(folder / _INDEX).get("weight_map")
    if not isinstance(table, dict):
        raise InputError(f"'{folder / _INDEX}' names no weights.", hint="Copy the checkpoint again.")
    missing = sorted({str(name) for name in table.values() if not (folder / str(name)).is_file()})
    if missing:
        raise InputError(
            f"'{folder}' lacks {len(missing)} files of its weights: {first_few(missing, shown=_SHOWN)}.",
            hint="Copy them beside the others.",
        )


def _refuse_cut(path: Path) -> None:
    """Raise where a file of safetensors does not hold what its header says."""
    if not path.is_file():
        raise InputError(f"'{path}' is not a regular file, so it cannot hold weights.")
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if size < 8 or not 2 <= length <= min(_HEADER_BYTES, size - 8):
            raise _damaged(path, f"its header does not fit in its {size:,} bytes")
        try:
            header = json.loads(file.read(length))
            ends = [entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"]
            expected = 8 + length + max(ends, default=0)
        except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError):
            raise _damaged(path, "its header cannot be read") from None
    if not ends:
        raise _damaged(path, "it holds no weights")
    if size != expected:
        raise _damaged(path, f"it has {size:,} bytes, but its header announces {expected:,}")


def _damaged(path: Path, reason: str) -> InputError:
    return InputError(
        f"'{path}' is not a complete file of weights: {reason}.", hint="Copy it again; it may be cut off."
    )
