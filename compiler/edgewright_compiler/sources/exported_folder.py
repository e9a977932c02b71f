"""Folders of exported graphs, as optimum and others write them: which file is the model."""

from __future__ import annotations

from pathlib import Path

from edgewright_compiler.checkpoints.checkpoint import folder_beside
from edgewright_compiler.checkpoints.exported_names import (
    DECODERS,
    ENCODER,
    ENCODER_DECODERS,
    FIRST,
    GRAPHS,
    MERGED,
    NEXT,
    PROMPTED,
    WHOLE,
)
from edgewright_targets import InputError
from edgewright_targets.errors import first_few

_WEIGHTS = ("*.safetensors", "pytorch_model*.bin")
# Names that a message shows.
_SHOWN = 4
# Of several files of a model of one graph, which is it: one that has caches, where there is one.
_ONE_GRAPH = (WHOLE, MERGED, NEXT, FIRST)


def exported_parts(folder: Path) -> dict[str, Path]:
    """The graphs of one model in a folder without weights, by name; empty where not all that are needed are there."""
    if any(any(folder.glob(pattern)) for pattern in _WEIGHTS):
        return {}
    for place in (folder, folder / "onnx"):
        for needed in (*ENCODER_DECODERS, PROMPTED):
            found = {name: place / f"{name}.onnx" for name in needed}
            if all(path.is_file() for path in found.values()):
                return found
    return {}


def exported_graph(folder: Path) -> Path | None:
    """The graph in a folder without weights, at its top or in `onnx`; None where there is none.

    Of several, `model.onnx` is the model, or of a language model the decoder with caches. The others are its quantized
    forms, and the decoder without caches.

    Raises:
        InputError: There are several models, or one in several graphs that are not all there.
    """
    if any(any(folder.glob(pattern)) for pattern in _WEIGHTS):
        return None
    graphs = sorted(folder.glob("*.onnx")) or sorted(folder.glob("onnx/*.onnx"))
    if len(graphs) <= 1:
        return graphs[0] if graphs else None
    named = {graph.stem: graph for graph in graphs}
    if exported_parts(folder):
        return None
    if any(map(_is_encoder, named)):
        parts = [graph.name for stem, graph in named.items() if _is_encoder(stem) or stem in DECODERS]
        needed = ", or ".join(_listing(names) for names in ENCODER_DECODERS)
        raise InputError(
            f"'{folder}' holds one model as an encoder and a decoder ({first_few(parts, shown=_SHOWN)}), exported so "
            f"that a program joins them; of such graphs {needed} are needed.",
            hint="Build the checkpoint that they were exported from: its folder, or its id on the hub with --fetch. Or "
            "export it again with optimum-cli export onnx.",
        )
    found = next((named[name] for name in _ONE_GRAPH if name in named), None)
    if found is not None and all(map(_is_form, named)):
        return found
    raise InputError(
        f"'{folder}' holds several models: {first_few([graph.name for graph in graphs], shown=_SHOWN)}.",
        hint=f"Build one of them by its file: edgewright build {graphs[0]} ...",
    )


def whole_of(path: Path) -> Path | None:
    """The folder of the model that a file is only a part of: the encoder or the decoder of two; None of another file.

    Args:
        path: An `.onnx` file.
    """
    beside = path.with_name(f"{ENCODER}.onnx").is_file()
    is_part = _is_encoder(path.stem) or (beside and path.stem.startswith(DECODERS))
    return folder_beside(path) if is_part else None


def _is_form(stem: str) -> bool:
    """Whether a file is called as a model of one graph, or a quantized form of it."""
    return any(stem == name or stem.startswith(f"{name}_") for name in GRAPHS)


def _is_encoder(stem: str) -> bool:
    return stem == ENCODER or stem.startswith(f"{ENCODER}_")


def _listing(names: tuple[str, ...]) -> str:
    *before, last = (f"{name}.onnx" for name in names)
    return f"{', '.join(before)} and {last}"
