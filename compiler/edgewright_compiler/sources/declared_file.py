"""The file that declares a model of several graphs: what it says, read strictly and told with its lines."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from edgewright_runtime.steps.audio.stream_windows import LONGEST_WINDOW
from edgewright_targets import InputError
from edgewright_targets.declared import declared_text, read_declared
from edgewright_targets.errors import nearest
from edgewright_targets.toml_lines import line_of

# What a person gives; a component cannot be called so.
AUDIO = "audio"
COMPONENT_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")


@dataclass(frozen=True, kw_only=True)
class InputFile:
    """An input that is windows of a stream: `audio`, `COMPONENT`, or `COMPONENT.OUTPUT` where it has several.

    See `edgewright_runtime.steps.audio.stream_windows.WindowSpec` for the rest.
    """

    stream: str
    window: int
    hop: int
    axis: int = 1
    first: int = 0
    before: int = 0
    fill: float = 0.0
    scale: float = 1.0
    offset: float = 0.0


@dataclass(frozen=True, kw_only=True)
class ComponentFile:
    """A graph.

    Attributes:
        file: Its `.onnx` file, in the folder of the declaration or below.
        inputs: Inputs that are windows of streams.
        outputs: Outputs that are streams, and the axis of each along which its frames lie; by default the only output
            that is not a state, along its first.
        state: Output to the input that takes it with the next window.
        constants: Inputs that are the same whole number always.
        keep_float: It is not quantized, as what computes a spectrogram.
    """

    file: str
    inputs: dict[str, InputFile]
    outputs: dict[str, int] = field(default_factory=dict)
    state: dict[str, str] = field(default_factory=dict)
    constants: dict[str, int] = field(default_factory=dict)
    keep_float: bool = False


@dataclass(frozen=True, kw_only=True)
class DeclarationFile:
    """A model.

    Attributes:
        task: Name of its task.
        sampling_rate: Samples a second.
        labels: Names of the scores.
        scores: Streams of scores, in the order of the labels.
        component: The graphs by name.
        threshold: Score from which on a label counts as found.
        cooldown: Seconds after a detection without another one of the same label.
        settle: Seconds at the beginning of which no score counts.
    """

    task: str
    sampling_rate: int
    labels: tuple[str, ...]
    scores: tuple[str, ...]
    component: dict[str, ComponentFile]
    threshold: float = 0.5
    cooldown: float = 2.0
    settle: float = 0.0


@dataclass(frozen=True)
class Declaration:
    """What a file says, with its text for messages."""

    path: Path
    text: str
    file: DeclarationFile

    def problem(self, message: str, *keys: str, hint: str = "") -> InputError:
        """That something in it is wrong, with the line at which `keys` lead to it."""
        line = line_of(self.text, keys)
        return InputError(f"{self.path}{'' if line is None else f':{line}'}: {message}", hint=hint)

    def graph_path(self, component: str) -> Path:
        """The file of a component.

        Raises:
            InputError: The file is missing, or outside the folder.
        """

        def wrong(message: str, hint: str) -> InputError:
            return self.problem(message, "component", component, "file", hint=hint)

        return graph_beside(self.path, self.file.component[component].file, wrong)

    def order(self) -> tuple[str, ...]:
        """The components, each after those whose streams it takes.

        Raises:
            InputError: They wait for one another in a ring, or a stream is of no component.
        """
        needed = {
            name: {self._component_of(name, given, window) for given, window in part.inputs.items()} - {AUDIO}
            for name, part in self.file.component.items()
        }
        order: list[str] = []
        while len(order) < len(needed):
            ready = [name for name in needed if name not in order and needed[name] <= set(order)]
            if not ready:
                ring = _ring({name: parts for name, parts in needed.items() if name not in order})
                raise self.problem(
                    f"the components form a cycle: {' -> '.join((*ring, ring[0]))}.",
                    "component",
                    ring[0],
                    hint="For what a graph passes to its own next window, use 'state'.",
                )
            order += ready
        return tuple(order)

    def _component_of(self, name: str, given: str, window: InputFile) -> str:
        component = window.stream.partition(".")[0]
        if component != AUDIO and component not in self.file.component:
            raise self.problem(
                f"no component gives the stream '{window.stream}'.",
                *("component", name, "inputs", given, "stream"),
                hint=nearest(component, (AUDIO, *self.file.component)),
            )
        return component


def graph_beside(declaration: Path, name: str, wrong: Callable[[str, str], InputError]) -> Path:
    """The file called `name` in the folder of a declaration; `wrong` makes an error of a message and a hint.

    Raises:
        InputError: The file is missing, or outside the folder.
    """
    pure, folder = PurePosixPath(name), declaration.parent
    path = folder / name
    inside = not pure.is_absolute() and ".." not in pure.parts and "\\" not in name
    try:
        inside = inside and path.resolve().is_relative_to(folder.resolve())
        is_file = inside and path.is_file()
    except (OSError, ValueError) as error:
        # Too long, or with a character that no name has.
        reason = error.strerror if isinstance(error, OSError) else error
        raise wrong(f"'{name[:60]}' cannot be the name of a file: {reason}.", "") from error
    if not inside:
        raise wrong(
            f"'{name}' is outside the folder of this file. It is not read.", "Put the file beside the declaration."
        )
    if not is_file:
        there = sorted(entry.name for entry in folder.glob("*.onnx"))
        raise wrong(f"there is no file '{name}' beside it.", nearest(name, there))
    return path


def _ring(needed: Mapping[str, set[str]]) -> list[str]:
    """Of components that all wait, those that wait for one another."""
    way = [next(iter(needed))]
    while (following := min(name for name in needed[way[-1]] if name in needed)) not in way:
        way.append(following)
    return way[way.index(following) :][::-1]


def read_declaration(path: Path) -> Declaration:
    """Read a declaration.

    Raises:
        InputError: There is no such file, or it is wrong; the message begins with the file and the line.
    """
    text = declared_text(path, "declaration")
    file = read_declared(DeclarationFile, "model", text, str(path))
    found = Declaration(path, text, file)
    _check(found)
    return found


def _check(found: Declaration) -> None:
    file = found.file
    if not file.component or not file.scores:
        raise found.problem("a declaration needs components, and scores that name their streams.", "scores")
    if not 0 < file.sampling_rate <= 768_000:
        raise found.problem(f"sampling_rate is {file.sampling_rate}.", "sampling_rate")
    seconds = (file.cooldown, file.settle)
    if not 0 < file.threshold < 1 or not all(0 <= value < float("inf") for value in seconds):
        raise found.problem(
            "threshold must be between 0 and 1; cooldown and settle must be 0 seconds or more.", "threshold"
        )
    if len(set(file.labels)) != len(file.labels) or not all(label.strip() for label in file.labels):
        raise found.problem("labels must be names, each different.", "labels")
    if len(set(file.scores)) != len(file.scores):
        raise found.problem("scores names a stream twice.", "scores")
    for name, part in file.component.items():
        if not COMPONENT_NAME.fullmatch(name) or name == AUDIO:
            raise found.problem(
                f"'{name}' is not a name for a component.",
                *("component", name),
                hint="Use letters, digits, '-' and '_'; 'audio' is reserved for the model's input.",
            )
        if not part.inputs:
            raise found.problem(f"component '{name}' has no inputs.", "component", name)
        for given, window in part.inputs.items():
            _check_window(found, name, given, window)


def _check_window(found: Declaration, name: str, given: str, window: InputFile) -> None:
    sizes = {"window": window.window, "hop": window.hop}
    others = {"first": window.first, "before": window.before, "axis": window.axis}
    for key, value in {**sizes, **others}.items():
        if value < (1 if key in sizes else 0) or value > LONGEST_WINDOW:
            raise found.problem(f"{key} is {value}.", "component", name, "inputs", given, key)
    if window.first > window.window:
        raise found.problem(
            f"the first window has {window.first} frames, more than the others ({window.window}).",
            *("component", name, "inputs", given, "first"),
        )
