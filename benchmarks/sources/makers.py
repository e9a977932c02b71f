"""Code of makers of models out of their own files, where the whole package would need many libraries."""

from __future__ import annotations

import ast
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch


def taken_out(file: Path, names: tuple[str, ...], **known: Any) -> dict[str, Any]:
    """Functions and classes of a file, by name, without the rest of it; `known` are other names that they use."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    chosen = [node for node in ast.walk(tree) if getattr(node, "name", None) in names]
    code = compile(ast.Module(body=chosen, type_ignores=[]), str(file), "exec")  # type: ignore[arg-type]
    space: dict[str, Any] = {"torch": torch, "nn": torch.nn, "np": np, "time": time, "sys": sys, **known}
    exec(code, space)
    return {name: space[name] for name in names}
