"""Older graphs in a newer opset, with ONNX's own converter: what they compute stays the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

# DequantizeLinear takes a scale for each channel from here on.
CHANNEL_SCALES = 13


class OpsetError(Exception):
    """The graph cannot be written in the newer opset; the text says why, for people."""


def raise_opset(graph: Path, model: Any, least: int) -> Path:
    """A file beside `graph` with the same graph in the opset `least`; `graph` itself where its own is no older.

    Args:
        graph: ONNX file, its weights beside it.
        model: The same, as `onnx_ir` has it.
        least: An opset of ONNX.

    Raises:
        OpsetError: An operator cannot be converted.
    """
    import onnx
    from onnx import version_converter

    opset = model.opset_imports.get("", least)
    if opset >= least:
        return graph
    try:
        converted = version_converter.convert_version(onnx.load(graph), least)
    except Exception as error:  # what the converter throws has no common base
        raise OpsetError(f"Its opset {opset} cannot be raised to {least}: {error}") from error
    made = graph.with_name("raised.onnx")
    onnx.save(converted, made, save_as_external_data=True, location="raised.bin", size_threshold=1024)
    return made
