"""What the feature extractors of transformers for audio do: samples as they are, Whisper's and Kaldi's spectra.

A kind of extractor is a function in `FRONTS`, which gives the steps that do the same on a device.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from edgewright_runtime.manifest import StepSpec
from edgewright_runtime.steps.audio.filter_bank import HOP, SHORTEST

# Attention grows with the square of the length: in a model of 12 heads each layer holds 0.4 GB at a minute.
_LONGEST_SECONDS = 60
# The sizes of Kaldi's frames are for this rate.
_KALDI_RATE = 16_000
# The input of graphs that take samples as they are.
WAVEFORM = "input_values"


@dataclass(frozen=True, kw_only=True)
class Front:
    """What a feature extractor does, declared.

    Attributes:
        input: Name of the graph's input.
        sampling_rate: Samples a second.
        shortest: Samples from which on the graph answers.
        longest: The most samples that it is given.
        cut: Whether the source itself leaves out what is longer.
        dynamic: Whether the length of the input is free.
        steps: From the waveform on, by the name of the graph's input.
    """

    input: str
    sampling_rate: int
    shortest: int
    longest: int
    cut: bool
    dynamic: bool
    steps: Callable[[str], tuple[StepSpec, ...]]

    @property
    def rank(self) -> int:
        """Axes of the graph's input: [batch, samples], or three of a spectrum."""
        return 2 if self.input == WAVEFORM else 3


def _samples(extractor: Any, config: Mapping[str, Any]) -> Front:
    rate = int(extractor.sampling_rate)
    options = {"normalize": bool(extractor.do_normalize)}
    return Front(
        input=WAVEFORM,
        sampling_rate=rate,
        # SEW joins so many frames before its first layer.
        shortest=_samples_for(config, int(config.get("squeeze_factor") or 1)),
        longest=_LONGEST_SECONDS * rate,
        cut=False,
        dynamic=True,
        steps=lambda name: (StepSpec("waveform", {"output": name, **options}),),
    )


def _whisper(extractor: Any, config: Mapping[str, object]) -> Front:
    if extractor.dither:
        raise ValueError(f"dither {extractor.dither} adds noise")
    if extractor.padding_side != "right":
        raise ValueError(f"padding on the {extractor.padding_side}")
    rate, samples = int(extractor.sampling_rate), int(extractor.n_samples)
    options = {
        "sampling_rate": rate,
        "samples": samples,
        "mels": int(extractor.feature_size),
        "n_fft": int(extractor.n_fft),
        "hop_length": int(extractor.hop_length),
    }
    if extractor.padding_value or config.get("num_mel_bins", options["mels"]) != options["mels"]:
        raise ValueError(f"padding with {extractor.padding_value}, {options['mels']} bands")
    if options["n_fft"] % 2:
        raise ValueError(f"frames of {options['n_fft']} samples")
    return Front(
        input="input_features",
        sampling_rate=rate,
        shortest=1,
        longest=samples,
        cut=True,
        dynamic=False,
        steps=lambda name: (StepSpec("log_mel", {"output": name, **options}),),
    )


def _filter_banks(extractor: Any, config: Mapping[str, Any]) -> Front:
    rate, bands = int(extractor.sampling_rate), int(extractor.num_mel_bins)
    if extractor.dither:
        raise ValueError(f"dither {extractor.dither} adds noise")
    if rate != _KALDI_RATE:
        raise ValueError(f"{rate:,} samples a second")
    if config.get("input_feat_per_channel", bands) != bands or extractor.feature_size != bands:
        raise ValueError(f"{bands} bands")
    normalize = bool(extractor.do_ceptral_normalize)
    options = {
        "sampling_rate": rate,
        "bands": bands,
        "normalize_means": normalize and bool(extractor.normalize_means),
        "normalize_variances": normalize and bool(extractor.normalize_vars),
    }
    # Each convolution halves the frames, and there are positions for so many.
    frames = int(config.get("max_source_positions") or 6000) * 2 ** int(config.get("num_conv_layers") or 2)
    return Front(
        input="input_features",
        sampling_rate=rate,
        shortest=SHORTEST,
        longest=min(_LONGEST_SECONDS * rate, SHORTEST + (frames - 2) * HOP),
        cut=False,
        dynamic=True,
        steps=lambda name: (StepSpec("filter_bank", {"output": name, **options}),),
    )


# Class of transformers -> what it does.
FRONTS: dict[str, Callable[[Any, Mapping[str, object]], Front]] = {
    "Wav2Vec2FeatureExtractor": _samples,
    "WhisperFeatureExtractor": _whisper,
    "Speech2TextFeatureExtractor": _filter_banks,
}


def _samples_for(config: Mapping[str, Any], frames: int) -> int:
    """Samples that the convolutions in front of a model need for so many frames."""
    needed = frames
    layers = zip(config.get("conv_kernel") or (), config.get("conv_stride") or (), strict=True)
    for kernel, stride in reversed(list(layers)):
        needed = (needed - 1) * stride + kernel
    return int(needed)
