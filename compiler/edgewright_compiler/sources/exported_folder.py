"""Folders of exported graphs, as optimum and others write them: which file is the model."""

from __future__ import annotations

from pathlib import Path

from edgewright_compiler.sources.exported_names import DECODERS, ENCODER, FIRST, NEXT, WHOLE
from edgewright_targets import InputError
from edgewright_targets.errors import first_few

_WEIGHTS = ("*.safetensors", "pytorch_model*.bin")
# Names that a message shows.
_SHOWN = 4
# Graphs that an encoder-decoder is built from.
_NEEDED = (ENCODER, FIRST, NEXT)


def exported_parts(folder: Path) -> dict[str, Path]:
    """The graphs of an encoder-decoder in a folder without weights, by name; empty where not all that are needed."""
    if any(any(folder.glob(pattern)) for pattern in _WEIGHTS):
        return {}
    for place in (folder, folder / "onnx"):
        found = {name: place / f"{name}.onnx" for name in _NEEDED}
        if all(path.is_file() for path in found.values()):
            return found
    return {}


def exported_graph(folder: Path) -> Path | None:
    """The graph in a folder without weights, at its top or in `onnx`; None where there is none.

    Of several, `model.onnx` is the model, and the others are its quantized forms.

    Raises:
        InputError: There are several models, or one in several graphs.
    """
    if any(any(folder.glob(pattern)) for pattern in _WEIGHTS):
        return None
    graphs = sorted(folder.glob("*.onnx")) or sorted(folder.glob("onnx/*.onnx"))
    if len(graphs) <= 1:
        return graphs[0] if graphs else None
    named = {graph.stem: graph for graph in graphs}
    if exported_parts(folder):
        return None
    parts = [graph.name for stem, graph in named.items() if stem == ENCODER or stem in DECODERS]
    if parts:
        writes = "an encoder and a decoder" if ENCODER in named else "decoders with and without caches"
        raise InputError(
            f"'{folder}' holds one model as {writes} ({first_few(parts, shown=_SHOWN)}), exported so that a program "
            f"joins them; of such graphs {', '.join(f'{name}.onnx' for name in _NEEDED)} are needed.",
            hint="Build the checkpoint that they were exported from: its folder, or its id on the hub with --fetch. Or "
            "export it again so that the decoder is written with and without caches: optimum-cli export onnx "
            "--no-post-process.",
        )
    forms = [graph for graph in graphs if not graph.stem.startswith(f"{WHOLE}_")]
    if WHOLE in named and forms == [named[WHOLE]]:
        return named[WHOLE]
    raise InputError(
        f"'{folder}' holds several models: {first_few([graph.name for graph in graphs], shown=_SHOWN)}.",
        hint=f"Build one of them by its file: edgewright build {graphs[0]} ...",
    )
