"""Recordings to what a graph takes, as the feature extractor of a checkpoint makes it."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from edgewright_compiler.checkpoints.checkpoint import OFFLINE, Checkpoint, checkpoint_beside, read_json
from edgewright_compiler.processors import ProcessorKind
from edgewright_compiler.processors._audio_fronts import FRONTS
from edgewright_compiler.processors._known_settings import known_settings, refuse_unknown_settings
from edgewright_runtime.errors import AudioWarning
from edgewright_runtime.manifest import StepSpec
from edgewright_runtime.steps.audio.file import AudioReader
from edgewright_targets import InputError
from edgewright_targets.installed import needs

if TYPE_CHECKING:
    from edgewright_runtime.wire import Arrays

PREPROCESSOR_FILE, PROCESSOR_FILE = "preprocessor_config.json", "processor_config.json"
_EXAMPLE_SECONDS = 1.0
# Hours are 1 GB of samples and half as much of spectrogram.
_LONGEST_IN_WINDOWS = 4 * 3600
# The value with all frames of a spectrogram, where the graph hears a window of it at a time.
WHOLE = "spectrogram"


class CheckpointAudio:
    """The feature extractor of a checkpoint.

    Args:
        checkpoint: Its files.
        windows: Keep all of audio that is longer than the graph hears, for a step that goes through it in windows.

    Raises:
        InputError: It cannot be loaded, or does what no step reproduces.
    """

    def __init__(self, checkpoint: Checkpoint, *, windows: bool = False) -> None:
        with needs("compiler"):
            from transformers import AutoFeatureExtractor
        self._extractor = checkpoint.loaded(
            lambda: AutoFeatureExtractor.from_pretrained(checkpoint.folder, **OFFLINE)  # type: ignore[no-untyped-call]
        )
        kind = type(self._extractor).__name__
        place = f"'{checkpoint.name}': the step '{kind}' of its processor cannot be reproduced on a device"
        if kind not in FRONTS:
            raise InputError(f"{place}.", hint=f"Supported: {', '.join(FRONTS)}.")
        settings = _settings(checkpoint.folder)
        refuse_unknown_settings(settings, known_settings(self._extractor), kind, checkpoint.name)
        try:
            self.front = FRONTS[kind](self._extractor, checkpoint.config)
        except (TypeError, ValueError) as error:
            raise InputError(f"{place}: {error}.") from error
        self._name = checkpoint.name
        self._windows = windows
        self._heard = self.front.longest
        if windows:
            self.front = replace(self.front, longest=_LONGEST_IN_WINDOWS * self.front.sampling_rate, cut=False)

    @property
    def frames(self) -> int:
        """Frames of a spectrogram that the graph hears."""
        return self._heard // int(self._extractor.hop_length)

    def example(self) -> dict[str, Any]:
        """A second of noise, twice."""
        import torch

        count = max(int(_EXAMPLE_SECONDS * self.front.sampling_rate), 2 * self.front.shortest)
        noise = np.random.default_rng(0).normal(scale=0.1, size=(2, count)).astype(np.float32)
        made = self._made(list(noise))[self.front.input]
        return {self.front.input: torch.from_numpy(made)}

    def axes(self, feeds: Mapping[str, object]) -> dict[str, dict[int, Any]]:
        """Input name to axis to `torch.export.Dim`: the dynamic axes."""
        import torch

        axes: dict[int, Any] = {0: torch.export.Dim("batch")}
        if self.front.dynamic:
            # Without bounds of ours: each family has others, which torch finds for itself.
            axes[1] = torch.export.Dim.DYNAMIC
        return {name: dict(axes) for name in feeds}

    def feeds(self, sample: Any) -> Arrays:
        """What the feature extractor makes of a file. The runtime decodes the file: feature extractors take arrays."""
        return self._made([self._waveform(sample)])

    def steps(self, inputs: Sequence[str]) -> tuple[StepSpec, ...]:
        """The steps from a sample to the graph's inputs."""
        if list(inputs) != [self.front.input]:
            raise InputError(
                f"'{self._name}': the graph has the inputs {', '.join(inputs)}; only '{self.front.input}' is "
                "computed from audio."
            )
        made = self.front.steps(self.front.input)
        if self._windows:
            made = tuple(replace(step, options={**step.options, "whole": WHOLE}) for step in made)
        return (StepSpec("load_audio", self._loading()), *made)

    def keep(self, folder: Path) -> None:
        """Nothing: the steps need no files."""

    def _loading(self) -> dict[str, Any]:
        front = self.front
        options: dict[str, object] = {
            "sampling_rate": front.sampling_rate,
            "shortest": front.shortest,
            "longest": front.longest,
        }
        return options | ({"cut": True} if front.cut else {})

    def _waveform(self, sample: Any) -> Any:
        with warnings.catch_warnings():
            # The engine that is compared with says the same.
            warnings.simplefilter("ignore", AudioWarning)
            return AudioReader(**self._loading())(sample)

    def _made(self, waveforms: list[Any]) -> Arrays:
        long = self._windows and len(waveforms[0]) > self._heard
        options = {"truncation": False, "padding": "longest"} if long else {}
        made = self._extractor(waveforms, sampling_rate=self.front.sampling_rate, return_tensors="np", **options)
        # Not its attention mask, which is all ones where nothing is padded.
        features = np.asarray(made[self.front.input], dtype=np.float32)
        if long:
            features = features[:, :, : self.frames]
        return {self.front.input: features}


def check_audio(folder: Path) -> None:
    """Raise unless the folder has the configuration of a feature extractor."""
    if not any((folder / name).is_file() for name in (PREPROCESSOR_FILE, PROCESSOR_FILE)):
        raise InputError(
            f"'{folder}' is not a checkpoint for audio: it has no feature extractor ({PREPROCESSOR_FILE}).",
            hint="Save it into the same folder: feature_extractor.save_pretrained(folder).",
        )


def _settings(folder: Path) -> Mapping[str, object]:
    """Those of a feature extractor, which processors of several parts have under a name."""
    joined = read_json(folder / PROCESSOR_FILE) if (folder / PROCESSOR_FILE).is_file() else {}
    found = joined.get("feature_extractor")
    if isinstance(found, dict):
        return found
    return read_json(folder / PREPROCESSOR_FILE) if (folder / PREPROCESSOR_FILE).is_file() else {}


def beside(path: Path) -> Checkpoint:
    """The files beside an ONNX file; its configuration is empty where there is none.

    Raises:
        InputError: There is no feature extractor.
    """
    found = checkpoint_beside(path)
    check_audio(found.folder)
    return found


AUDIO_FILES = (PREPROCESSOR_FILE, PROCESSOR_FILE, "config.json")
AUDIO = ProcessorKind(
    input_name="audio",
    tools=("numpy", "soundfile", "soxr"),
    check=check_audio,
    from_checkpoint=CheckpointAudio,
    beside=lambda path, _: CheckpointAudio(beside(path)),
    files=AUDIO_FILES,
)
