"""Bar: Whisper writes the words of transformers in float, and the chosen engine is 1.5 times as fast as float.

On real recordings: the float engine's transcripts are compared with those of transformers' `generate`, to the word, and
those of recordings joined to minutes, with pauses, to the token and the time of each segment; then the engine that runs
here is timed against the float engine, both calls whole, in a process each, in turns.

    python benchmarks/bars/whisper.py --whisper whisper.ortpackage --source whisper-tiny.en --data prompts/test.csv
"""

from __future__ import annotations

import argparse
import sys
import warnings
from typing import Any

from _bars import Figure, figure, main
from _package import running_engine
from edgewright_benchmarks.accuracy._transcripts import count_errors
from edgewright_benchmarks.bench import build_evidence
from edgewright_benchmarks.data import read_dataset
from edgewright_benchmarks.engine_result import Interval
from edgewright_benchmarks.measuring.meter import read_engines
from edgewright_benchmarks.measuring.meter_settings import MeterSettings
from edgewright_benchmarks.progress import Quiet
from edgewright_runtime import Package, load
from edgewright_runtime.errors import AudioWarning
from edgewright_targets import CheckFailedError, InputError

FASTER = 1.5
RECORDINGS = 100
ROUNDS = 12
# Joined recordings: how many, how long each is, and the pauses in them, in seconds.
JOINED, JOINED_SECONDS, PAUSES, SEED = 4, 90, (0.3, 3.0), 7


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What this bar takes beside the package."""
    parser.add_argument("--whisper", help="package of a Whisper; without it this bar has no figures")
    parser.add_argument("--source", help="checkpoint folder of the Whisper in the package")
    parser.add_argument("--data", help="table of recordings with transcripts")


def measure(options: argparse.Namespace) -> list[Figure]:
    """The figures of this bar; none where its package is not given."""
    if not options.whisper:
        return []
    if not options.source or not options.data:
        raise InputError("The bar of Whisper takes --source and --data beside --whisper.")
    package = Package.open(options.whisper)
    task = package.manifest.task
    if task != "automatic-speech-recognition":
        raise InputError(f"'{options.whisper}' is not a Whisper: its task is {task}.")
    data = read_dataset(options.data, task=task, input_name="audio")
    samples, truth = list(data.samples)[:RECORDINGS], list(data.labels or ())[:RECORDINGS]
    chosen = running_engine(package)
    baseline = package.manifest.baselines[chosen.target]
    figures = [
        _words(package, baseline, options.source, samples, truth),
        _segments(package, baseline, options.source, samples),
    ]
    if chosen.name == baseline:
        evidence = build_evidence(package, chosen.target)
        reasons = " ".join(reason for engine in evidence.engines for reason in engine.reasons)
        print(f"whisper: no candidate was accepted. {evidence.reason} {reasons}", file=sys.stderr)
        return figures
    settings = MeterSettings(rounds=options.rounds or ROUNDS, calls=4, loads=1)
    readings, _ = read_engines(package.root, [baseline, chosen.name], samples[:16], settings, Quiet())
    for name, found in readings.items():
        if found.failure is not None:
            raise CheckFailedError(f"'{name}' could not be measured here: {found.failure}")
    ours, theirs = ([list(one) for one in readings[name].seconds] for name in (chosen.name, baseline))
    return [*figures, figure("whisper", f"{chosen.name} / {baseline}", ours, theirs, 1 / FASTER)]


def _words(package: Package, engine: str, source: str, samples: list[Any], truth: list[str]) -> Figure:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AudioWarning)
        with load(package, engine=engine) as model:
            mine = [model(sample) for sample in samples]
            waveforms = [model.run(sample, max_new_tokens=1)["waveform"] for sample in samples]
    theirs = _by_transformers(source, waveforms)
    others = sum(one.split() != other.split() for one, other in zip(mine, theirs, strict=True))
    errors = [count_errors(truth, texts) for texts in (mine, theirs)]
    rates = [float(found.words.sum() / found.reference_words.sum()) for found in errors]
    value = float(others)
    note = f"WER {rates[0]:.4f}, transformers {rates[1]:.4f}, {len(samples)} recordings"
    exact = Interval(value, value, value)
    return Figure(
        bar="whisper",
        compared="transcripts unlike transformers'",
        ratio=exact,
        limit=0.0,
        verdict="FAIL" if others else "pass",
        note=note,
    )


def _segments(package: Package, engine: str, source: str, samples: list[Any]) -> Figure:
    import numpy as np
    import torch

    extractor, tokenizer, network = _loaded(source)
    random = np.random.default_rng(SEED)
    others = count = 0
    with warnings.catch_warnings(), torch.no_grad(), load(package, engine=engine) as model:
        warnings.simplefilter("ignore", AudioWarning)
        clips = [model.run(sample, max_new_tokens=1)["waveform"] for sample in samples]
        for _ in range(JOINED):
            parts: list[Any] = []
            while sum(map(len, parts)) < JOINED_SECONDS * extractor.sampling_rate:
                pause = np.zeros(int(random.uniform(*PAUSES) * extractor.sampling_rate), dtype=np.float32)
                parts += [clips[random.integers(len(clips))], pause]
            audio = np.concatenate(parts)
            made = extractor(
                audio,
                sampling_rate=extractor.sampling_rate,
                truncation=False,
                padding="longest",
                return_attention_mask=True,
                return_tensors="pt",
            )
            asked = {"return_timestamps": True, "return_segments": True}
            answer = network.generate(made.input_features, attention_mask=made.attention_mask, **asked)
            theirs = [
                (round(float(one["start"]), 2), round(float(one["end"]), 2), _text(tokenizer, one["tokens"]))
                for one in answer["segments"][0]
            ]
            values = model.run(audio, timestamps=True)
            mine = [(one["start"], one["end"], one["text"]) for one in values["segments"]]
            same = mine == theirs and values["generation"]["tokens"] == answer["sequences"][0].tolist()
            others, count = others + (not same), count + len(theirs)
    value = float(others)
    note = f"{JOINED} recordings of {JOINED_SECONDS} s or more, {count} segments"
    exact = Interval(value, value, value)
    return Figure(
        bar="whisper",
        compared="long transcripts unlike transformers'",
        ratio=exact,
        limit=0.0,
        verdict="FAIL" if others else "pass",
        note=note,
    )


def _text(tokenizer: Any, tokens: Any) -> str:
    return str(tokenizer.decode(tokens, skip_special_tokens=True)).strip()


def _loaded(source: str) -> tuple[Any, Any, Any]:
    from transformers import AutoFeatureExtractor, AutoTokenizer, WhisperForConditionalGeneration

    extractor: Any = AutoFeatureExtractor.from_pretrained(source)  # type: ignore[no-untyped-call]
    tokenizer: Any = AutoTokenizer.from_pretrained(source)
    loader: Any = WhisperForConditionalGeneration
    return extractor, tokenizer, loader.from_pretrained(source).eval()


def _by_transformers(source: str, waveforms: list[Any]) -> list[str]:
    import torch

    extractor, tokenizer, network = _loaded(source)
    found = []
    with torch.no_grad():
        for waveform in waveforms:
            features = extractor(waveform, sampling_rate=extractor.sampling_rate, return_tensors="pt").input_features
            (tokens,) = network.generate(features)
            found.append(_text(tokenizer, tokens))
    return found


if __name__ == "__main__":
    sys.exit(main(__doc__, [measure], add_arguments))
