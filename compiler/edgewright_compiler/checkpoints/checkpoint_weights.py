"""Weights of a checkpoint against those of the class that loads it: none missing, none of another class.

transformers fills what is not in the file with random numbers and goes on with a warning; what comes out of such a
model is noise.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from edgewright_targets import InputError
from edgewright_targets.errors import first_few

# Parts of a name that wrappers of torch put in wherever they are (torch.compile, FSDP, recomputed activations) ...
_WRAPPERS = ("_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module")
# ... and the one that DataParallel and DistributedDataParallel put before all names.
_PARALLEL = "module"
# Learnt in training for what is masked there; nothing masks inputs of a trained model.
_TRAINING_ONLY = r"(^|\.)(masked_spec_embed|mask_token)$"
# Computed from the configuration, as all buffers of whole numbers are; means of batch norm, for one, are learnt.
_COMPUTED = r"(^|\.)inv_freq$"
# Modules of the models of transformers that only a task's own class has. Heads of language models are not among them:
# many an encoder was cut out of such a model, and answers as it should.
_HEADS = r"^(pre_)?(classifier|classification_head|score|qa_outputs|class_labels_classifier|bbox_predictor)\."
_NUMBER = re.compile(r"(?<=\.)\d+(?=\.)")
# Names that a message shows.
_SHOWN = 4


@dataclass(frozen=True)
class LoadedWeights:
    """A model as transformers loaded it, and how its file compares with it.

    Attributes:
        model: The torch model.
        missing: Names that the class has and the file lacks; tied weights are not among them.
        unused: Names that the file has and the class lacks.
        shapes: Name to the shapes in the file and in the class, where they differ.
    """

    model: Any
    missing: tuple[str, ...]
    unused: tuple[str, ...]
    shapes: dict[str, tuple[tuple[int, ...], tuple[int, ...]]]

    @property
    def title(self) -> str:
        """The class that was loaded."""
        return type(self.model).__name__


def load_whole(
    load: Callable[[Mapping[str, str]], tuple[Any, Mapping[str, object]]],
    place: str,
    architectures: Sequence[str],
    needless: Sequence[str] = (),
) -> tuple[Any, str]:
    """A model all of whose weights come from its checkpoint.

    Args:
        load: Takes patterns of names with what to put in their place, and loads; gives the model and what
            `from_pretrained(..., output_loading_info=True, ignore_mismatched_sizes=True)` says of it.
        place: What messages call the checkpoint.
        architectures: The classes that the checkpoint says it was saved by.
        needless: Patterns of weights that the answer does not depend on.

    Returns:
        The model, and a sentence about weights of the file that it does not use; empty where there are none.

    Raises:
        InputError: Weights are missing, have other shapes, are not numbers, or show that another class was trained.
    """
    loaded = _loaded(load, {}, needless)
    if loaded.missing and (wrappers := _wrappers(loaded)):
        loaded = _loaded(load, wrappers, needless)
    _refuse_shapes(loaded, place)
    _refuse_missing(loaded, place)
    refuse_no_numbers(loaded.model, f"'{place}'")
    # Asked for another class than the checkpoint names, a person wants a part of it: the encoder of a classifier.
    _refuse_other_class(loaded, place, own=loaded.title in architectures)
    if not loaded.unused:
        return loaded.model, ""
    return loaded.model, (
        f"The checkpoint holds {len(loaded.unused)} weights that {loaded.title} does not use: {_names(loaded.unused)}."
    )


def _loaded(
    load: Callable[[Mapping[str, str]], tuple[Any, Mapping[str, Any]]],
    renamed: Mapping[str, str],
    needless: Sequence[str],
) -> LoadedWeights:
    model, report = load(renamed)
    excused = re.compile("|".join((_TRAINING_ONLY, _COMPUTED, *needless)))
    whole = {name for name, value in model.named_buffers() if not value.is_floating_point()}
    missing = [name for name in report["missing_keys"] if name not in whole and not excused.search(name)]
    unused = [name for name in report["unexpected_keys"] if not excused.search(name)]
    shapes = {name: (tuple(there), tuple(wanted)) for name, there, wanted in sorted(report["mismatched_keys"])}
    return LoadedWeights(model, tuple(sorted(missing)), tuple(sorted(unused)), shapes)


def _wrappers(loaded: LoadedWeights) -> dict[str, str]:
    """What to take off the names in the file; nothing where no wrapper is known by them."""
    found = {rf"{name}\.": "" for name in _WRAPPERS if any(f".{name}." in f".{unused}" for unused in loaded.unused)}
    plain = [_without_wrappers(name) for name in loaded.unused]
    if all(name.startswith(f"{_PARALLEL}.") for name in plain):
        found[rf"^{_PARALLEL}\."] = ""
    if found:
        return found
    # A wrapper of the user's own, such as a LightningModule: all that is missing is there behind one prefix.
    first = loaded.missing[0]
    prefixes = [name.removesuffix(first) for name in loaded.unused if name.endswith(f".{first}")]
    if len(prefixes) == 1 and {f"{prefixes[0]}{name}" for name in loaded.missing} <= set(loaded.unused):
        return {f"^{re.escape(prefixes[0])}": ""}
    return {}


def _without_wrappers(name: str) -> str:
    return re.sub("|".join(rf"\b{wrapper}\." for wrapper in _WRAPPERS), "", name)


def _refuse_missing(loaded: LoadedWeights, place: str) -> None:
    if not loaded.missing:
        return
    others = f" It has other weights, which this class does not use: {_names(loaded.unused)}." if loaded.unused else ""
    raise InputError(
        f"'{place}' lacks {len(loaded.missing)} weights of {loaded.title}: {_names(loaded.missing)}.{others}",
        hint="The missing weights would be random numbers. Save the complete trained model with save_pretrained of "
        "its class. Is 'architectures' in config.json, or --task, the one that was trained?",
    )


def _refuse_shapes(loaded: LoadedWeights, place: str) -> None:
    if not loaded.shapes:
        return
    told = [f"{name} is {_shape(there)}, expected {_shape(wanted)}" for name, (there, wanted) in loaded.shapes.items()]
    raise InputError(
        f"'{place}' has {len(told)} weights whose shapes differ from {loaded.title} with its config.json: "
        f"{first_few(told, shown=_SHOWN)}.",
        hint="Check that this config.json was saved with the weights, above all its labels and sizes.",
    )


def refuse_no_numbers(model: Any, title: str) -> None:
    """Refuse weights without values, or whose values are not numbers, as a training that diverged leaves them.

    Every answer would be NaN, of the source as of the package, so that no comparison finds it.

    Args:
        model: A torch module.
        title: What messages call it.

    Raises:
        InputError: It has such weights.
    """
    from torch.nn.parameter import is_lazy

    parameters = dict(model.named_parameters())
    empty = [name for name, value in parameters.items() if is_lazy(value) or value.is_meta]
    if empty:
        raise InputError(
            f"{title} has no values in {len(empty)} weights: {_names(empty)}.",
            hint="Call lazy modules once. Load the weights of modules that were created on the device 'meta'.",
        )
    broken = [name for name, value in parameters.items() if value.is_floating_point() and bool(value.isnan().any())]
    if broken:
        raise InputError(
            f"{title} has NaN in {len(broken)} weights: {_names(broken)}.",
            hint="Did the training diverge? Use an earlier checkpoint.",
        )


def _refuse_other_class(loaded: LoadedWeights, place: str, *, own: bool) -> None:
    """Refuse unused weights that show that the class computes something else than what was trained."""
    names = loaded.model.state_dict().keys()
    patterns = {_NUMBER.sub("*", name) for name in names}
    layers = [name for name in loaded.unused if _NUMBER.sub("*", name) in patterns]
    if layers:
        raise InputError(
            f"'{place}' has more layers than {loaded.title} with its config.json: {_names(layers)}.",
            hint="Check that this config.json was saved with the weights, above all its numbers of layers.",
        )
    leaves = {name for name, module in loaded.model.named_modules() if name and not any(module.children())}
    holders = {name.rpartition(".")[0] for name in names} & leaves
    parts = [name for name in loaded.unused if name.rpartition(".")[0] in holders and not _counts(name)]
    if parts:
        raise InputError(
            f"'{place}' has weights that the modules of {loaded.title} with its config.json do not have: "
            f"{_names(parts)}.",
            hint="Check that this config.json was saved with the weights, and that the weights are float.",
        )
    heads = [name for name in loaded.unused if re.search(_HEADS, name)]
    if heads and own:
        raise InputError(
            f"'{place}' is a {loaded.title} by its config.json, but holds weights of another class: {_names(heads)}.",
            hint="Name the trained class in 'architectures' of config.json, or pass --task to build this part anyway.",
        )


def _counts(name: str) -> bool:
    return name.endswith("num_batches_tracked")


def _names(names: Iterable[str]) -> str:
    return first_few(names, shown=_SHOWN)


def _shape(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape)) or "a single number"
