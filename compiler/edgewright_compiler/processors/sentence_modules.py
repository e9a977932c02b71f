"""What sentence-transformers writes beside a model: the modules that make one vector of a text's tokens."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgewright_compiler.checkpoints.checkpoint import read_json
from edgewright_targets import InputError

MODULES_FILE = "modules.json"
PROMPTS_FILE = "config_sentence_transformers.json"
# Names that versions before 3 gave to the settings of a transformer, by its family.
SETTINGS_FILES = tuple(
    f"sentence_{family}_config.json"
    for family in ("bert", "roberta", "distilbert", "camembert", "albert", "xlm-roberta", "xlnet")
)
_CONFIG = "config.json"
# Folders of a model that was saved without a list of its modules.
_POOLING, _NORMALIZE = "1_Pooling", "2_Normalize"
_SWITCH = "pooling_mode_"
_POOLINGS = ("cls", "max", "mean", "mean_sqrt_len_tokens", "weightedmean", "lasttoken")
# Classes of torch by their last name -> what the step calls them.
_ACTIVATIONS = {"Identity": "identity", "Tanh": "tanh", "ReLU": "relu", "GELU": "gelu", "Sigmoid": "sigmoid"}
_TOKENS, _SENTENCE = "token_embeddings", "sentence_embedding"
# Settings of a transformer that say nothing else than what is done here, and with which value.
_SETTINGS: dict[str, tuple[Any, ...]] = {
    "max_seq_length": (),
    "do_lower_case": (),
    # How it computes, and not what.
    "unpad_inputs": (),
    "transformer_task": ("feature-extraction",),
    "module_output_name": (_TOKENS, None),
    "modality_config": ({"text": {"method": "forward", "method_output_name": "last_hidden_state"}}, None),
    "processing_kwargs": ({}, None),
    "query_length": (None,),
    "document_length": (None,),
    "query_expansion": (None,),
}


@dataclass(frozen=True)
class DenseModule:
    """A layer behind the pooling.

    Attributes:
        folder: Where its weights lie.
        activation: As the step `dense` calls it.
        residual: What it is given is added to what it makes.
        normalize: Its vector is given the length 1.
    """

    folder: Path
    activation: str
    residual: bool = False
    normalize: bool = False


@dataclass(frozen=True, kw_only=True)
class SentenceModules:
    """How the vectors of tokens become one.

    Attributes:
        method: How tokens are pooled; several names are joined by `+`, and their vectors then stand one after another.
        normalize: The pooled vector is given the length 1.
        layers: What follows.
        max_length: Tokens that a text is cut to, in the place of what the tokenizer says; None where it says it.
        lower: Texts are in small letters.
        prompts: Name to the words in front of a text.
        prompt: The prompt of a call that names none; empty means no prompt.
    """

    method: str = "mean"
    normalize: bool = False
    layers: tuple[DenseModule, ...] = ()
    max_length: int | None = None
    lower: bool = False
    prompts: Mapping[str, str] | None = None
    prompt: str = ""


def read_modules(folder: Path) -> SentenceModules:
    """What a folder says; without a file of sentence-transformers, the mean of all tokens.

    Raises:
        InputError: It asks for what a package cannot do, which is named.
    """
    max_length, lower = _read_settings(folder)
    prompts, prompt = _read_prompts(folder)
    method, normalize, layers = "mean", False, list[DenseModule]()
    pooled = False
    for kind, path in _listed(folder):
        if kind == "Pooling":
            method, pooled = _read_pooling(path, prompted=bool(prompts)), True
        elif kind == "Dense" and pooled:
            layers.append(_read_dense(path))
        elif kind == "Normalize" and layers:
            layers[-1] = DenseModule(layers[-1].folder, layers[-1].activation, layers[-1].residual, normalize=True)
        elif kind == "Normalize":
            normalize = True
        elif kind not in ("Transformer", "Dropout"):
            raise InputError(
                f"'{folder}': its module '{kind}' cannot be built"
                + (" before the pooling." if kind == "Dense" else "."),
                hint="Supported modules of sentence-transformers: Transformer, Pooling, Dense, Normalize, Dropout.",
            )
    return SentenceModules(
        method=method,
        normalize=normalize,
        layers=tuple(layers),
        max_length=max_length,
        lower=lower,
        prompts=prompts,
        prompt=prompt,
    )


def module_files(folder: Path) -> list[Path]:
    """Files below a folder that decide what its modules make."""
    found = [path for _, path in _listed(folder) if path != folder]
    return sorted(file for path in found if path.is_dir() for file in path.iterdir() if file.is_file())


def has_pooling(folder: Path) -> bool:
    """Whether a folder lists modules that make one vector of a text, whatever its model was before."""
    return (folder / MODULES_FILE).is_file() and any(kind == "Pooling" for kind, _ in _listed(folder))


def _listed(folder: Path) -> list[tuple[str, Path]]:
    """Class and folder of each module, in their order. Git keeps no empty folder, so one need not be there."""
    if not (folder / MODULES_FILE).is_file():
        found = [("Pooling", folder / _POOLING)] if (folder / _POOLING / _CONFIG).is_file() else []
        return [*found, *([("Normalize", folder / _NORMALIZE)] if (folder / _NORMALIZE).is_dir() else [])]
    path = folder / MODULES_FILE
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        listed = sorted(entries, key=lambda entry: int(entry["idx"]))
        modules = [(str(entry["type"]).rpartition(".")[2], str(entry["path"])) for entry in listed]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(f"'{path}' is not a list of modules of sentence-transformers: {error!r}.") from error
    for kind, name in modules:
        if Path(name).is_absolute() or ".." in Path(name).parts:
            raise InputError(f"'{path}': the module '{kind}' is outside the folder, in '{name}'.")
        if kind == "Transformer" and name not in ("", "."):
            raise InputError(
                f"'{folder}': its transformer is in the folder '{name}', a layout of older versions of "
                "sentence-transformers.",
                hint="Load it with sentence-transformers and save it again: SentenceTransformer(folder).save(other).",
            )
    return [(kind, folder / name) for kind, name in modules]


def _read_settings(folder: Path) -> tuple[int | None, bool]:
    path = next((folder / name for name in SETTINGS_FILES if (folder / name).is_file()), None)
    settings = read_json(path) if path else {}
    for name, value in settings.items():
        allowed = _SETTINGS.get(name)
        if allowed is None or (allowed and value not in allowed):
            raise InputError(f"'{path}': {name} is {json.dumps(value)[:200]}, which a package cannot do.")
    length = settings.get("max_seq_length")
    if length is not None and (not isinstance(length, int) or isinstance(length, bool) or length < 1):
        raise InputError(f"'{path}': max_seq_length is {json.dumps(length)[:60]}; expected a number of tokens.")
    return length, bool(settings.get("do_lower_case"))


def _read_prompts(folder: Path) -> tuple[dict[str, str] | None, str]:
    path = folder / PROMPTS_FILE
    settings = read_json(path) if path.is_file() else {}
    prompts = settings.get("prompts") or {}
    default = settings.get("default_prompt_name") or ""
    if not isinstance(prompts, dict) or not isinstance(default, str) or (default and default not in prompts):
        raise InputError(f"'{path}': its default prompt '{default}' is not one of its prompts.")
    if settings.get("truncate_dim") is not None:
        raise InputError(f"'{path}': truncate_dim is {settings['truncate_dim']}, which a package cannot do.")
    if not any(prompts.values()):
        return None, ""
    return {str(name): str(words) for name, words in prompts.items()}, str(default)


def _read_pooling(folder: Path, *, prompted: bool) -> str:
    config = read_json(folder / _CONFIG)
    if prompted and config.get("include_prompt") is False:
        raise InputError(
            f"'{folder}': include_prompt is false (the prompt is not pooled), which is not supported in a package."
        )
    declared = config.get("pooling_mode")
    # Newer versions write names, older ones a switch for each way.
    switched = [
        key.removeprefix(_SWITCH).removesuffix("_tokens").removesuffix("_token")
        for key, value in config.items()
        if key.startswith(_SWITCH) and value
    ]
    # The switch for the mean over a root ends as the others do, and is called so.
    switched = ["mean_sqrt_len_tokens" if mode == "mean_sqrt_len" else mode for mode in switched]
    modes = [declared] if isinstance(declared, str) or not isinstance(declared, list | None) else declared
    modes = modes or sorted(switched, key=_order)
    if not modes or not all(mode in _POOLINGS for mode in modes):
        raise InputError(
            f"'{folder}': its pooling is {' and '.join(map(str, modes)) or 'not given'}; supported: "
            f"{', '.join(_POOLINGS)}."
        )
    return "+".join(modes)


def _order(mode: str) -> int:
    return _POOLINGS.index(mode) if mode in _POOLINGS else len(_POOLINGS)


def _read_dense(folder: Path) -> DenseModule:
    config = read_json(folder / _CONFIG)
    # torch.nn.modules.activation.Tanh; without one, the library's own default.
    whole = str(config.get("activation_function", "torch.nn.modules.activation.Tanh"))
    activation = _ACTIVATIONS.get(whole.rpartition(".")[2]) if whole.startswith("torch.") else None
    if activation is None:
        raise InputError(f"'{folder}': its activation is {whole}; supported: {', '.join(_ACTIVATIONS)} of torch.")
    for name in ("module_input_name", "module_output_name"):
        if (config.get(name) or _SENTENCE) != _SENTENCE:
            raise InputError(f"'{folder}': {name} is {config[name]}; layers are supported only after the pooling.")
    return DenseModule(folder, activation, bool(config.get("use_residual")))
