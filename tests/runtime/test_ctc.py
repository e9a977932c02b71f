"""CTC decoding against the sum over all paths; `test_speech_processors.py` has transformers' own tokenizer."""

import itertools
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from edgewright_runtime.errors import PackageError, SampleError
from edgewright_runtime.steps.audio.ctc import CtcDecode, log_softmax, prefix_beam_search
from edgewright_runtime.steps.call import CallOptions
from edgewright_runtime.steps.values import Values
from tiny_speech import TOKENS


def exhaustive(log_probabilities: np.ndarray[Any, Any], blank: int) -> dict[tuple[int, ...], float]:
    """The probability of every text, summed over all paths that spell it."""
    frames, tokens = log_probabilities.shape
    found: dict[tuple[int, ...], float] = {}
    for path in itertools.product(range(tokens), repeat=frames):
        text = tuple(token for token, _ in itertools.groupby(path) if token != blank)
        score = float(np.exp(sum(log_probabilities[frame, token] for frame, token in enumerate(path))))
        found[text] = found.get(text, 0.0) + score
    return found


@pytest.mark.parametrize("seed", range(40))
def test_with_beams_enough_the_likeliest_text_is_found(seed: int) -> None:
    random = np.random.default_rng(seed)
    frames, tokens = int(random.integers(1, 6)), int(random.integers(2, 5))
    scores = log_softmax(random.normal(scale=2, size=(frames, tokens)))
    blank = int(random.integers(tokens))
    best = exhaustive(scores, blank)
    found = tuple(prefix_beam_search(scores, blank, 10_000, unlikely=np.inf))
    assert best[found] == pytest.approx(max(best.values()))


def test_the_likeliest_text_need_not_have_the_likeliest_path() -> None:
    # Blank twice is the likeliest path with 0.36; 'a' has three paths that together have 0.64.
    scores = np.log([[0.6, 0.4], [0.6, 0.4]])
    assert scores.argmax(axis=1).tolist() == [0, 0]
    assert prefix_beam_search(scores, 0, 4) == [1]
    assert prefix_beam_search(scores, 0, 1) == []


def test_a_long_recording_takes_no_recursion_and_few_beams() -> None:
    random = np.random.default_rng(0)
    scores = log_softmax(random.normal(scale=3, size=(3000, 32)))
    ids = prefix_beam_search(scores, 0, 4)
    assert 1000 < len(ids) < 3000


def decoder(folder: Path, **changes: Any) -> CtcDecode:
    vocabulary = {
        "tokens": list(TOKENS), "blank": "<pad>", "delimiter": "|", "space": " ", "lower": False, "replacements": [],
    }  # fmt: skip
    path = folder / "ctc.json"
    path.write_text(json.dumps(vocabulary | changes), encoding="utf-8")
    package: Any = SimpleNamespace(root=folder, asset=lambda uri: path)
    return CtcDecode(package, logits="logits", vocabulary="sha256:0/ctc.json")


def logits_of(ids: list[int]) -> np.ndarray[Any, Any]:
    return 9 * np.eye(len(TOKENS), dtype=np.float32)[None, ids]


def test_beams_of_a_call_come_before_those_of_the_package(tmp_path: Path) -> None:
    scores = np.full((1, 2, len(TOKENS)), -30.0)
    scores[0, :, 0], scores[0, :, 5] = np.log(0.6), np.log(0.4)
    step = decoder(tmp_path)
    assert step({"logits": scores})["text"] == ""
    assert step(Values.for_call({"logits": scores}, CallOptions(options={"num_beams": 4})))["text"] == "E"


@pytest.mark.parametrize("beams", [0, -1, 10**9, 2.5, "many"])
def test_beams_that_are_no_number_of_beams_are_refused(beams: Any, tmp_path: Path) -> None:
    with pytest.raises(SampleError, match="beams must be from 1 to 1,000"):
        decoder(tmp_path)(Values.for_call({"logits": logits_of([5])}, CallOptions(options={"num_beams": beams})))


def test_scores_that_are_not_finite_say_nothing(tmp_path: Path) -> None:
    scores = logits_of([5, 0, 6])
    scores[0, 1, 2] = np.nan
    assert decoder(tmp_path)({"logits": scores})["text"] == ""


@pytest.mark.parametrize(
    "changes", [{"blank": "<no such>"}, {"tokens": 5}, {"replacements": [1]}, {"lower": None, "tokens": None}]
)
def test_a_vocabulary_that_is_none_is_refused(changes: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(PackageError, match="vocabulary cannot be read"):
        decoder(tmp_path, **changes)
