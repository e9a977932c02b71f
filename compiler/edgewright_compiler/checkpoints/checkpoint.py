"""A Hugging Face checkpoint folder as files: its configuration, and loading what is in it. Nothing is downloaded."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from edgewright_compiler.checkpoints.checkpoint_weights import load_whole
from edgewright_targets import InputError
from edgewright_targets.errors import first_few, first_line
from edgewright_targets.git_lfs import refuse_pointer
from edgewright_targets.installed import needs

# What configurations call the numbers of parts that each become a module, of all kinds and of each stage, and what says
# that a key of such a name is a size or a place. Doge has 16,384 experts; others have some hundred of anything.
_PARTS = ("layer", "depth", "block", "stage", "expert", "repeat", "level", "codebook", "quantizers")
_NO_COUNTS = ("size", "dim", "vocab", "capacity", "_id", "bins", "max_depth", "min_depth")
_MOST_PARTS = 16_384
# The largest that transformers writes, vocabularies of a quarter of a million tokens, have some MiB.
_JSON_LIMIT_BYTES = 64 * 2**20
# Folders that a message shows.
_SHOWN = 4
_CONFIG = "config.json"
SENTENCES_FILE = "config_sentence_transformers.json"
# What shows that a folder holds the files of a model.
_BESIDE = (_CONFIG, "tokenizer.json", "preprocessor_config.json")
# Code that comes with a checkpoint is not run; left open, transformers would ask on the terminal.
OFFLINE = {"local_files_only": True, "trust_remote_code": False}


@dataclass(frozen=True)
class Checkpoint:
    """A folder with `config.json`, weights, and the files of a processor.

    Attributes:
        folder: The folder.
        config: What config.json says.
        labels: Class names by index; empty where the task has none.
        title: What messages call it; by default its folder.
        notes: What was found when it was loaded, as sentences for the evidence.
        graphs: Graphs that were exported, by the names of their files without the ending, in the place of weights.
    """

    folder: Path
    config: dict[str, Any]
    labels: tuple[str, ...]
    title: str = ""
    _: KW_ONLY
    notes: list[str] = field(default_factory=list)
    graphs: Mapping[str, Path] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The name of the checkpoint in messages: its title, or its folder."""
        return self.title or str(self.folder)

    def load_model(self, class_name: str, needless: Sequence[str] = ()) -> Any:
        """The torch model in float32, ready to answer, as the class of transformers called `class_name` loads it.

        Args:
            class_name: Class of transformers.
            needless: Patterns of weights that may be missing, because the answer does not depend on them.

        Raises:
            InputError: It cannot be loaded, lacks weights of that class, or has those of another.
        """
        with needs("compiler"):
            import torch
            import transformers
        # Only the answer: a configuration may ask for hidden states and attentions as well.
        lean = {"output_hidden_states": False, "output_attentions": False}
        loader = getattr(transformers, class_name)
        # Shapes that differ are told with all else that is wrong, in words.
        told = {"output_loading_info": True, "ignore_mismatched_sizes": True}

        def load(renamed: Mapping[str, str]) -> tuple[Any, Mapping[str, object]]:
            mapping = {"key_mapping": dict(renamed)} if renamed else {}
            found: tuple[Any, Mapping[str, object]] = self.loaded(
                lambda: loader.from_pretrained(self.folder, dtype=torch.float32, **OFFLINE, **lean, **told, **mapping)
            )
            return found

        architectures = [str(name) for name in self.config.get("architectures") or []]
        model, note = load_whole(load, self.name, architectures, needless)
        if note:
            self.notes.append(note)
        model.eval()
        _settle(model)
        return model

    def loaded(self, load: Callable[[], Any], kind: str = "") -> Any:
        """What `load` gives, transformers' chatter kept off the terminal and its errors in words for people.

        Args:
            load: Loads a part of the folder.
            kind: The class that the folder says this part is of, where it says one.

        Raises:
            InputError: It cannot be loaded.
        """
        with needs("compiler"):
            from transformers.utils import logging
        logging.set_verbosity_error()  # type: ignore[no-untyped-call]
        logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        try:
            return load()
        except Exception as error:
            # transformers raises OSError, ValueError, SafetensorError, ... for files that it cannot read.
            reason = first_line(error)
            if kind and reason.startswith("Unrecognized"):
                # It goes on with all that it knows, and does not say what was asked for.
                reason = f"there is no '{kind}' in transformers {version('transformers')}."
            own = "auto_map" in self.config and "does not recognize this architecture" in reason
            if own or "custom code" in reason:
                reason = "it needs Python code from the checkpoint, which Edgewright never runs."
            raise InputError(
                f"'{self.name}' cannot be loaded as a checkpoint: {reason}",
                hint="A checkpoint folder is written by save_pretrained of transformers, for the model and its "
                "processor.",
            ) from error


def _settle(model: Any) -> None:
    """Make plain weights of those that are computed from others, such as by weight norm.

    Trained they never change; a graph would compute them in each call, and quantizers refuse weights that are computed.
    """
    from torch.nn.utils import parametrize

    for module in model.modules():
        if parametrize.is_parametrized(module):
            for name in list(module.parametrizations):
                parametrize.remove_parametrizations(module, name)


def folder_beside(path: Path) -> Path:
    """Where the files of an ONNX file's model lie: beside it, or above a folder `onnx`, as repositories have it."""
    above = path.parent.parent
    inside, outside = (any((folder / name).is_file() for name in _BESIDE) for folder in (path.parent, above))
    return above if path.parent.name == "onnx" and outside and not inside else path.parent


def checkpoint_beside(path: Path) -> Checkpoint:
    """The files of a checkpoint beside an ONNX file, without weights.

    Raises:
        InputError: Its config.json cannot be read.
    """
    folder = folder_beside(path)
    config = read_json(folder / _CONFIG) if (folder / _CONFIG).is_file() else {}
    _check_names(config, folder / _CONFIG)
    return Checkpoint(folder, _with_cross_encoder(folder, config), (), str(path))


def read_config(folder: Path) -> dict[str, Any]:
    """The configuration in a checkpoint folder.

    Raises:
        InputError: The file is missing, or cannot be read.
    """
    path = folder / _CONFIG
    if not path.is_file():
        models = sorted(found.parent for found in folder.glob(f"*/{_CONFIG}"))
        if len(models) > 1:
            raise InputError(
                f"'{folder}' is not a checkpoint: it has no config.json, but folders that have one "
                f"({first_few([model.name for model in models], shown=_SHOWN)}).",
                hint=f"Build one model by its own folder: edgewright build {models[0]} ...",
            )
        names = sorted(entry.name for entry in folder.iterdir())[:6]
        raise InputError(
            f"'{folder}' is not a checkpoint: it has no config.json (it has: {', '.join(names) or 'nothing'}).",
            hint="A checkpoint folder is written by save_pretrained of transformers, for the model and its processor.",
        )
    config = read_json(path)
    _check_names(config, path)
    _check_counts(config, str(path))
    return _with_cross_encoder(folder, config)


def _with_cross_encoder(folder: Path, config: dict[str, object]) -> dict[str, object]:
    """A configuration with what sentence-transformers says of a cross-encoder, which is in a file of its own today."""
    path = folder / SENTENCES_FILE
    written = read_json(path) if path.is_file() else {}
    return {**config, "sentence_transformers": written} if written.get("model_type") == "CrossEncoder" else config


def _check_names(config: Mapping[str, object], path: Path) -> None:
    """Refuse architectures that are not names.

    Raises:
        InputError: They are of another type.
    """
    names = config.get("architectures")
    if names is not None and not (isinstance(names, list) and all(isinstance(name, str) for name in names)):
        raise InputError(f"'{path}': 'architectures' is {str(names)[:60]}; expected a list of class names.")


def _check_counts(config: Mapping[str, object], place: str) -> None:
    """Refuse numbers of parts that no weights are for: modules of all of them would be made before any is missed.

    Raises:
        InputError: A number is too large.
    """
    for key, value in config.items():
        if isinstance(value, Mapping):
            _check_counts(value, f"{place}: {key}")
        counts = value if isinstance(value, list) else [value]
        is_count = any(word in key for word in _PARTS) and not any(word in key for word in _NO_COUNTS)
        if is_count and any(isinstance(number, int) and number > _MOST_PARTS for number in counts):
            raise InputError(
                f"{place}: '{key}' is {str(value)[:60]}; at most {_MOST_PARTS:,} are supported.",
                hint="Check that this config.json was saved with the weights.",
            )


def read_json(path: Path) -> dict[str, Any]:
    """The named values in a JSON file.

    Raises:
        InputError: It cannot be read, or holds something else.
    """
    # A pipe would be waited for.
    if path.exists() and not path.is_file():
        raise InputError(f"'{path}' is not a regular file, so it cannot be read.")
    refuse_pointer(path)
    try:
        if path.stat().st_size > _JSON_LIMIT_BYTES:
            raise InputError(f"'{path}' has {path.stat().st_size:,} bytes; the limit for a configuration is 64 MiB.")
        data = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError, RecursionError) as error:
        raise InputError(f"'{path}' cannot be read: {error}.") from error
    if not isinstance(data, dict):
        raise InputError(f"'{path}' is not a configuration: it is not a JSON object.")
    return data


def config_labels(config: dict[str, object], folder: Path) -> tuple[str, ...]:
    """The class names in a configuration, by index.

    Raises:
        InputError: It has none.
    """
    table = config.get("id2label")
    if isinstance(table, dict) and table:
        try:
            by_index = {int(key): str(value) for key, value in table.items()}
        except ValueError:
            by_index = {}
        names = tuple(by_index.get(index, "") for index in range(len(by_index)))
        if names and sorted(by_index) == list(range(len(names))):
            ((name, count),) = Counter(names).most_common(1)
            if count > 1:
                raise InputError(
                    f"'{folder}': in config.json {count} classes have the name '{name}'.",
                    hint="Pass different names with --labels FILE.",
                )
            return names
    raise InputError(f"'{folder}': config.json has no usable id2label.", hint="Pass the labels with --labels FILE.")
