"""Which files of a repository of the hub a build needs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

from edgewright_compiler.checkpoints.exported_names import GRAPHS
from edgewright_targets import InputError
from edgewright_targets.errors import first_few

# What configurations, tokenizers and processors are written as, at the top or one folder below (modules of
# sentence-transformers). Weights are chosen apart.
_SMALL = (".json", ".txt", ".model", ".spm", ".vocab", ".jinja")
# Weights of the whole model once more, in the form of another library.
_AGAIN = ("consolidated", "original")
# Names that a message shows.
_SHOWN = 4


def needed_files(title: str, names: Sequence[str]) -> list[str]:
    """Of the files of a repository, those that a build needs.

    Args:
        title: What messages call the repository.
        names: Paths in it.

    Raises:
        InputError: It holds no weights that are read, or several models.
    """
    paths = {name: PurePosixPath(name) for name in names}
    if "model_index.json" in paths:
        raise InputError(
            f"'{title}' is a diffusers pipeline, which consists of several models.",
            hint="Download it (hf download), and build the folders of its parts: unet, vae, text_encoder.",
        )
    again = {name for name, path in paths.items() if path.name.startswith(_AGAIN) or path.parts[0] in _AGAIN}
    small = [
        name for name, path in paths.items() if path.suffix in _SMALL and len(path.parts) <= 2 and name not in again
    ]
    weights = [name for name, path in paths.items() if path.suffix == ".safetensors" and name not in again]
    if any(len(paths[name].parts) == 1 for name in weights):
        # Of a variant in half precision the other file is the whole one.
        plain = [name for name in weights if ".fp16." not in name]
        return sorted({*small, *(plain or weights)})
    graphs = [name for name, path in paths.items() if path.suffix == ".onnx" and path.parts[:-1] in ((), ("onnx",))]
    chosen = [name for name in graphs if paths[name].stem in GRAPHS] or graphs
    if len(chosen) > 1 and any(paths[name].stem not in GRAPHS for name in chosen):
        raise InputError(
            f"'{title}' holds several ONNX files: {first_few(sorted(chosen), shown=_SHOWN)}.",
            hint="Download the one you want (hf download), and build that file.",
        )
    if chosen:
        data = tuple(f"{graph}{ending}" for graph in chosen for ending in ("_data", ".data"))
        beside = [name for name in names if name.startswith(data)]
        return sorted({*small, *chosen, *beside})
    pickled = [name for name, path in paths.items() if path.suffix in (".bin", ".pt", ".pth", ".ckpt")]
    if pickled:
        raise InputError(
            f"'{title}' holds its weights in pickled files alone ({first_few(sorted(pickled), shown=_SHOWN)}), which "
            "can run code when they are read. They are not fetched.",
            hint="Look for a revision with safetensors (organization/name@refs/pr/N), or save the model again with "
            "save_pretrained of a current transformers.",
        )
    listing = first_few(sorted(names), shown=_SHOWN) if names else "nothing"
    raise InputError(
        f"'{title}' holds no weights that can be built: neither .safetensors nor .onnx (it holds: {listing}).",
        hint="GGUF files and those of other frameworks are not read: look for the float checkpoint that they were made "
        "from.",
    )
