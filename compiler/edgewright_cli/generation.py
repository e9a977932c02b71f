"""The part of `edgewright run` that models which generate text have: their settings, and text as it comes."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from edgewright_cli.call_options import asked_options
from edgewright_cli.console import print_json
from edgewright_runtime.steps.call_options import GENERATION
from edgewright_targets import InputError

if TYPE_CHECKING:
    from edgewright_runtime import Model


def generation_options(options: argparse.Namespace) -> dict[str, object]:
    """What was asked for, by the names of `GenerationSettings`; `--top-k` is one of them for a generator."""
    asked = asked_options(options, GENERATION)
    return asked if options.top_k is None else asked | {"top_k": options.top_k}


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
            f"This terminal cannot show the text: its encoding is {sys.stdout.encoding}.",
            hint="Set PYTHONIOENCODING=utf-8, or use --json.",
        ) from error


def _facts(model: Model, answer: dict[str, Any]) -> str:
    count = len(answer["tokens"])
    known = {"limit": f"the limit of {answer['limit']}", "end of the recording": "the end of the recording"}
    ended = known.get(answer["ended_by"], f"its {answer['ended_by']}")
    seed = f", seed {answer['seed']}" if "seed" in answer else ""
    engine = f"{model.engine.name}, {model.engine.provider}, {model.engine.threads} threads"
    language = f", language {answer['language']}" if "language" in answer else ""
    return f"[{engine}; {count} tokens, {count / answer['seconds']:.1f} per second, ended by {ended}{language}{seed}]"
