"""The part of `edgewright run` that models which generate text have: their settings, and text as it comes."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from edgewright_cli.console import print_json
from edgewright_cli.options import positive
from edgewright_targets import InputError

if TYPE_CHECKING:
    from edgewright_runtime import Model

# Argument -> how argparse reads it; names are those of `GenerationSettings`.
_ARGUMENTS: dict[str, dict[str, Any]] = {
    "max_new_tokens": {"type": positive, "metavar": "N", "help": "tokens of an answer at most"},
    "prompt": {"metavar": "TEXT", "help": "for captions: the words that it begins with"},
    "temperature": {"type": float, "metavar": "T", "help": "sample; below 1 is more certain, 0 takes the best token"},
    "top_p": {"type": float, "metavar": "P", "help": "sample from the tokens that together have this probability"},
    "seed": {"type": int, "metavar": "N", "help": "sample; the same seed gives the same answer"},
    "num_beams": {"type": positive, "metavar": "N", "help": "search with so many beams"},
    "repetition_penalty": {"type": float, "metavar": "F", "help": "above 1 makes tokens that occurred less probable"},
    "language": {
        "metavar": "CODE",
        "help": "of what is said, for speech models of several languages, such as de (default: it is detected)",
    },
    "task": {"metavar": "TASK", "help": "of these: transcribe, or translate into English"},
    "timestamps": {
        "action": argparse.BooleanOptionalAction,
        "help": "for speech: the text in segments, with their start and end in seconds; with --no-timestamps only "
        "what the model hears at once is written (default: as long as the recording is)",
    },
    "stop": {"action": "append", "metavar": "TEXT", "help": "end before this text; may be given several times"},
}


def add_generation(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of generation."""
    group = parser.add_argument_group("generated text", "by default as the model's source says")
    for name, how in _ARGUMENTS.items():
        group.add_argument(f"--{name.replace('_', '-')}", **how)


def generation_options(options: argparse.Namespace) -> dict[str, Any]:
    """What was asked for, by the names of `GenerationSettings`; `--top-k` is one of them for a generator."""
    values = {name: getattr(options, name) for name in (*_ARGUMENTS, "top_k")}
    return {name: value for name, value in values.items() if value is not None}


def run_generator(model: Model, samples: Sequence[tuple[str, Any]], options: argparse.Namespace) -> int:
    """Answer samples; for people each piece is printed when it is made."""
    answers = []
    for name, sample in samples:
        if len(samples) > 1 and not options.json:
            _show(f"{name}  ->  ")
        start = time.perf_counter()
        pieces: list[str] = []
        stream = model.stream(sample, **generation_options(options))
        shown = 0
        while (piece := next(stream, None)) is not None:
            pieces.append(piece)
            if options.json:
                continue
            if not options.timestamps:
                _show(piece)
            for segment in stream.segments[shown:] if options.timestamps else ():
                _show(("\n" if shown else "") + f"[{segment['start']:.2f} -> {segment['end']:.2f}]  {segment['text']}")
                shown += 1
        seconds = time.perf_counter() - start
        answers.append(
            {"input": name, model.manifest.pipeline.output: "".join(pieces), "seconds": seconds, **stream.facts}
        )
        if not options.json:
            _show("\n")
            if not options.quiet:
                print(_facts(model, answers[-1]), file=sys.stderr)
    if options.json:
        engine = {"name": model.engine.name, "provider": model.engine.provider, "reason": model.engine.reason}
        print_json({"engine": engine, "answers": answers})
    return 0


def _show(piece: str) -> None:
    try:
        print(piece, end="", flush=True)
    except UnicodeEncodeError as error:
        raise InputError(
            f"This terminal cannot show the answer: its encoding is {sys.stdout.encoding}.",
            hint="Set PYTHONIOENCODING=utf-8, or use --json.",
        ) from error


def _facts(model: Model, answer: dict[str, Any]) -> str:
    count = len(answer["tokens"])
    known = {"limit": f"the limit of {answer['limit']}", "end of the recording": "the end of the recording"}
    ended = known.get(answer["ended_by"], f"its {answer['ended_by']}")
    seed = f", seed {answer['seed']}" if "seed" in answer else ""
    engine = f"{model.engine.name}, {model.engine.provider}, {model.engine.threads} threads"
    language = f", language {answer['language']}" if "language" in answer else ""
    return f"[{engine}; {count} tokens, {count / answer['seconds']:.1f} a second, ended by {ended}{language}{seed}]"
