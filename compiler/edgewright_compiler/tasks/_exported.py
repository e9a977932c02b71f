"""transformers' own exporter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from edgewright_compiler.failures import export_failures

if TYPE_CHECKING:
    import onnx_ir


def exported(model: Any, feeds: Mapping[str, object], title: str, **settings: Any) -> onnx_ir.Model:
    """The graph of a torch module.

    Args:
        model: Of transformers, or one around such a model.
        feeds: An example of its inputs.
        title: What messages call it.
        settings: The fields of `OnnxConfig`.

    Raises:
        InputError: It cannot be exported.
    """
    from transformers.exporters import OnnxConfig  # type: ignore[attr-defined]
    from transformers.exporters.exporter_onnx import OnnxExporter

    exporter: Any = OnnxExporter
    with export_failures(title):
        program: onnx_ir.Model = exporter().export(model, dict(feeds), OnnxConfig(**settings)).program
    return program
