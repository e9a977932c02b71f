"""Bar: a new token through the runtime takes at most 1.1 times a step of the bare session called by hand.

By hand is what a person writes with ONNX Runtime alone: the same graph with its outputs bound to the next step's
inputs, the best token of each step, and no text. Through the runtime there are the settings, the search, and text in
pieces as well. Both make the same tokens from the same prompts, the prompt included.

Both sides call one session in turn, because two would disturb one another, and the session is timed as well. It is the
same code on the same input for both, so each pair of calls is given the mean of its two times: what is left is what the
runtime adds, and a machine that is busy with something else does not blur it.

    python benchmarks/bars/token_time.py --package demo/gpt.ortpackage
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from onnxruntime import OrtValue

from _bars import Figure, Rounds, figure, main
from _package import texts
from edgewright_benchmarks.devices.here import machine_to_itself
from edgewright_benchmarks.progress import Quiet
from edgewright_runtime import Model, load
from edgewright_runtime.probe import Probe
from edgewright_targets import InputError

LIMIT = 1.1
ROUNDS = 20
TOKENS = 32


class TimedSession:
    """A session that adds up the seconds of its steps."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self.seconds = 0.0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    def run_with_iobinding(self, binding: Any) -> None:
        """As the session does."""
        start = time.perf_counter()
        self._session.run_with_iobinding(binding)
        self.seconds += time.perf_counter() - start


class ByHand:
    """The loop of a causal language model, written for one graph."""

    def __init__(self, session: Any, loop: dict[str, Any]) -> None:
        self._session = session
        self._loop = loop
        self._shapes = {
            entry.name: [1, *(size if isinstance(size, int) else 0 for size in entry.shape[1:])]
            for entry in session.get_inputs()
        }

    def __call__(self, prompt: list[int], count: int) -> list[int]:
        """The `count` most probable tokens after `prompt`."""
        loop = self._loop
        binding = self._session.io_binding()
        for name in loop["state"].values():
            empty = np.zeros(self._shapes[name], dtype=np.float32)
            binding.bind_ortvalue_input(name, OrtValue.ortvalue_from_numpy(empty))
        tokens, made = np.array([prompt], dtype=np.int64), []
        past = 0
        for _ in range(count):
            new = tokens.shape[1]
            feeds = {
                loop["tokens"]: tokens,
                loop.get("mask"): np.ones((1, past + new), dtype=np.int64),
                loop.get("positions"): np.arange(past, past + new, dtype=np.int64)[None],
                loop.get("kept"): np.array([new - 1], dtype=np.int64),
            }
            for name, value in feeds.items():
                if name:
                    binding.bind_cpu_input(name, value)
            for name in (loop["logits"], *loop["state"]):
                binding.bind_output(name)
            self._session.run_with_iobinding(binding)
            logits, *state = binding.get_outputs()
            for name, value in zip(loop["state"].values(), state, strict=True):
                binding.bind_ortvalue_input(name, value)
            best = int(logits.numpy()[0, -1].argmax())
            made.append(best)
            past += new
            tokens = np.array([[best]], dtype=np.int64)
        return made


def measure(options: argparse.Namespace) -> list[Figure]:
    """The figures of this bar."""
    with load(options.package) as model:
        steps = {step.step: step.options for step in model.manifest.pipeline.steps}
        if "generate" not in steps:
            raise InputError(f"'{options.package}' generates no text: its steps are {', '.join(steps)}.")
        generate: Any = next(step for step in model.pipeline.steps if hasattr(step, "stream"))
        session = TimedSession(model._engine.graph("model").session)  # noqa: SLF001 - one session for both
        generate.loop._session = session  # noqa: SLF001
        by_hand = ByHand(session, steps["generate"]["loop"])
        prompts = [Probe(model).feeds(text)["input_ids"][0].tolist()[:8] for text in texts(options.package)]
        starts = [(_text(model, tokens), tokens) for tokens in prompts if len(tokens) > 1]
        _check_alike(model, by_hand, starts)
        ours, theirs = _in_turns(model, by_hand, session, starts, options.rounds or ROUNDS)
    per_token = float(np.median([value for one in ours for value in one])) / TOKENS
    note = f"{per_token * 1e3:.2f} ms a token, {TOKENS} tokens a call, {model.engine.name}"
    return [figure("token", "model.stream / by hand, one session, call by call", ours, theirs, LIMIT, note)]


def _in_turns(
    model: Model, by_hand: ByHand, session: TimedSession, starts: list[tuple[str, list[int]]], rounds: int
) -> tuple[Rounds, Rounds]:
    ours: Rounds = []
    theirs: Rounds = []
    with machine_to_itself(Quiet()):
        for number in range(rounds + 1):
            pairs = []
            for index, (text, tokens) in enumerate(starts):
                calls = {
                    "ours": lambda text=text: _stream(model, text),
                    "by hand": lambda tokens=tokens: by_hand(tokens, TOKENS),
                }
                # Who is first changes from call to call and from round to round.
                order = sorted(calls, reverse=bool((index + number) % 2))
                found = {side: _around(calls[side], session) for side in order}
                inside = sum(engine for _, engine in found.values()) / 2
                pairs.append((found["ours"][0] + inside, found["by hand"][0] + inside))
            # The first round fills caches and is not counted.
            if number:
                ours.append([mine for mine, _ in pairs])
                theirs.append([hand for _, hand in pairs])
    return ours, theirs


def _around(call: Callable[[], Any], session: TimedSession) -> tuple[float, float]:
    """Seconds of a call outside the session and inside."""
    before, start = session.seconds, time.perf_counter()
    call()
    whole, inside = time.perf_counter() - start, session.seconds - before
    return whole - inside, inside


def _text(model: Model, tokens: list[int]) -> str:
    tokenizer = next(step._tokenizer for step in model.pipeline.steps if hasattr(step, "_tokenizer"))  # noqa: SLF001
    return str(tokenizer.decode(tokens))


def _stream(model: Model, text: str) -> list[int]:
    # Never the end: both sides make the same number of tokens.
    stream = model.stream(text, max_new_tokens=TOKENS, min_new_tokens=TOKENS, do_sample=False, num_beams=1)
    for _ in stream:
        pass
    return list(stream.facts["tokens"])


def _check_alike(model: Model, by_hand: ByHand, starts: list[tuple[str, list[int]]]) -> None:
    """Both sides have to do the same work: the same tokens, up to the end that by hand is not avoided."""
    for text, tokens in starts:
        if Probe(model).feeds(text)["input_ids"][0].tolist() != tokens:
            raise InputError(f"The prompt {text!r} does not have the tokens that it was made of.")
        ours, theirs = _stream(model, text), by_hand(tokens, TOKENS)
        same = next((at for at, pair in enumerate(zip(ours, theirs, strict=True)) if pair[0] != pair[1]), TOKENS)
        ends = next(s.options["settings"] for s in model.manifest.pipeline.steps if s.step == "generate")
        if same < TOKENS and theirs[same] not in ends.get("eos_token_ids", ()):
            raise InputError(f"By hand other tokens come after {text!r}: {theirs} and not {ours}.")


if __name__ == "__main__":
    sys.exit(main(__doc__, [measure]))
