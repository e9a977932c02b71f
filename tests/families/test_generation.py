"""Generation gives the tokens of transformers' `generate`, in batches, streams and pieces as well."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tiny_models
import tiny_targets
from edgewright_benchmarks.progress import Quiet
from edgewright_compiler import BuildOptions
from edgewright_compiler.building.read_jobs import read_jobs
from edgewright_compiler.building.unmeasured_package import draft_package
from edgewright_compiler.cache import StageCache
from edgewright_runtime import Model, SampleError, load
from edgewright_runtime.errors import SampleCutWarning
from edgewright_runtime.generation.pieces import Pieces
from edgewright_runtime.generation.scores import narrow
from edgewright_runtime.generation.settings import GenerationSettings
from edgewright_runtime.probabilities import softmax
from edgewright_runtime.probe import Probe

PROMPTS = ("turn on the hall light", "play", "set a timer for ten minutes and then switch it off")
ENDS = tuple(range(0, 300, 23))


class Pair:
    """A checkpoint in transformers, and its draft package in the runtime."""

    def __init__(self, folder: Path, kind: str) -> None:
        from transformers import AutoModelForCausalLM, AutoTokenizer

        checkpoint = tiny_models.write_causal(folder / kind, kind)
        # Several tokens that end: random weights hardly ever put a certain one first.
        settings = checkpoint / "generation_config.json"
        settings.write_text(json.dumps({**json.loads(settings.read_text()), "eos_token_id": list(ENDS)}))
        options = BuildOptions(
            output=folder / "unused",
            targets=(str(tiny_targets.write_target(folder / "tiny.toml")),),
            evaluation=tiny_models.write_csv(folder / "texts.csv"),
        )
        (job,) = read_jobs(str(checkpoint), options)
        draft_package(job, folder / f"{kind}.ortpackage", StageCache(folder / "cache"), Quiet())
        self.source: Any = AutoModelForCausalLM.from_pretrained(checkpoint)
        self.tokenizer: Any = AutoTokenizer.from_pretrained(checkpoint)
        self.model = load(folder / f"{kind}.ortpackage", engine="tiny-cpu-fp32", threads=1)

    def expected(self, prompt: str, **settings: Any) -> list[int]:
        """New tokens by transformers."""
        tokens = self.tokenizer(prompt, return_tensors="pt", return_token_type_ids=False)
        made = self.source.generate(**tokens, **settings, pad_token_id=0)
        return [int(token) for token in made[0, tokens["input_ids"].shape[1] :]]

    def made(self, prompt: str, **settings: Any) -> list[int]:
        """New tokens by the runtime."""
        return list(self.model.run(prompt, **settings)["generation"]["tokens"])


@pytest.fixture(scope="module", params=["gpt2", "gemma3"])
def shape(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return Pair(tmp_path_factory.mktemp(request.param), request.param)


@pytest.fixture(scope="module")
def gpt(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return Pair(tmp_path_factory.mktemp("gpt"), "gpt2")


@pytest.fixture(scope="module")
def model(gpt: Pair) -> Iterator[Model]:
    with gpt.model as model:
        yield model


@pytest.mark.parametrize(
    "settings",
    [
        {"max_new_tokens": 20},
        {"max_new_tokens": 20, "repetition_penalty": 1.4},
        {"max_new_tokens": 12, "no_repeat_ngram_size": 2, "min_new_tokens": 6},
        {"max_new_tokens": 8, "num_beams": 3},
    ],
)
def test_every_shape_gives_the_tokens_of_transformers(shape: Pair, settings: dict[str, Any]) -> None:
    for prompt in PROMPTS:
        assert shape.made(prompt, **settings) == shape.expected(prompt, **settings)


@pytest.mark.parametrize("early_stopping", [True, False, "never"])
@pytest.mark.parametrize("length_penalty", [-0.5, 0.0, 2.0])
def test_beam_search_ends_where_transformers_ends(gpt: Pair, early_stopping: bool | str, length_penalty: float) -> None:
    for beams in (2, 4):
        settings = {"num_beams": beams, "early_stopping": early_stopping, "length_penalty": length_penalty}
        assert gpt.made(PROMPTS[0], max_new_tokens=10, **settings) == gpt.expected(
            PROMPTS[0], max_new_tokens=10, **settings
        )


@pytest.mark.parametrize("settings", [{}, {"num_beams": 3}])
def test_a_batch_of_unequal_prompts_answers_as_each_alone(gpt: Pair, settings: dict[str, Any]) -> None:
    alone = [gpt.model(prompt, max_new_tokens=10, **settings) for prompt in PROMPTS]
    assert gpt.model(list(PROMPTS), batch_size=2, max_new_tokens=10, **settings) == alone


def test_each_row_of_a_batch_draws_numbers_of_its_own(gpt: Pair) -> None:
    settings: dict[str, Any] = {"max_new_tokens": 10, "temperature": 1.5, "seed": 5}
    first, second, third = (gpt.model(prompt, **settings) for prompt in PROMPTS)
    together = gpt.model(list(PROMPTS), batch_size=2, **settings)
    # The first row of a batch draws the numbers of a prompt alone; the second prompt is the second row of the first.
    assert (together[0], together[2]) == (first, third)
    assert together[1] != second
    same = gpt.model([PROMPTS[0], PROMPTS[0]], batch_size=2, **settings)
    assert same[0] == first
    assert same[1] != first


def test_narrowed_scores_are_those_of_transformers() -> None:
    import torch
    from transformers import TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

    scores = np.random.default_rng(7).normal(size=(4, 300)).astype(np.float32) * 3
    chain = (TemperatureLogitsWarper(0.7), TopKLogitsWarper(40), TopPLogitsWarper(0.8))
    expected = torch.from_numpy(scores.copy())
    for one in chain:
        expected = one(None, expected)
    narrow(scores, GenerationSettings(do_sample=True, temperature=0.7, top_k=40, top_p=0.8))
    np.testing.assert_allclose(softmax(scores), torch.softmax(expected, dim=-1).numpy(), atol=1e-6)


def test_sampling_draws_by_probability_and_a_seed_repeats_it(model: Model) -> None:
    first = [model.run("play", max_new_tokens=1, seed=seed)["generation"]["tokens"][0] for seed in range(300)]
    again = [model.run("play", max_new_tokens=1, seed=seed)["generation"]["tokens"][0] for seed in range(20)]
    assert first[:20] == again
    step: Any = model.pipeline.steps[1]
    step.loop.start(1)
    scores = step.loop.step(np.array([step.tokenizer.encode("play").ids]))[:, -1]
    narrow(scores, GenerationSettings(do_sample=True))
    shares = softmax(scores)[0]
    counts = np.bincount(first, minlength=shares.size)
    assert not counts[shares == 0].any()
    # The most probable tokens come as often as they should, within four standard deviations.
    for token in np.argsort(-shares)[:3]:
        spread = np.sqrt(300 * shares[token] * (1 - shares[token]))
        assert abs(counts[token] - 300 * shares[token]) < 4 * spread


def test_a_stream_is_the_answer_in_pieces(model: Model) -> None:
    # Beams may still change their minds about all that was made: their text comes in one piece, at the end.
    for settings, least, most in (({}, 6, 30), ({"seed": 3}, 6, 30), ({"num_beams": 2}, 1, 1)):
        stream = model.stream(PROMPTS[0], max_new_tokens=30, min_new_tokens=30, **settings)
        pieces = list(stream)
        whole = model.run(PROMPTS[0], max_new_tokens=30, min_new_tokens=30, **settings)
        assert "".join(pieces) == whole["generated_text"]
        assert stream.facts == whole["generation"]
        assert least <= len(pieces) <= most


def test_pieces_never_break_a_character(model: Model) -> None:
    tokenizer = model.pipeline.steps[1].tokenizer  # type: ignore[attr-defined]
    text = "Grüße 🎉 from 東京"
    tokens = tokenizer.encode(text).ids
    assert len(tokens) > len(text)
    whole = Pieces(tokenizer, [])
    pieces = [whole.add(token) for token in tokens]
    assert "".join(pieces) + whole.rest() == text
    assert not any("\N{REPLACEMENT CHARACTER}" in piece for piece in pieces)
    # Cut in the middle of a character, what is left is shown as what it is: no character.
    cut = Pieces(tokenizer, [])
    start = "".join(cut.add(token) for token in tokens[:3])
    assert start == "Gr"
    assert cut.rest() in ("", "\N{REPLACEMENT CHARACTER}", "ü")


def test_a_stop_text_ends_the_answer_before_it(model: Model) -> None:
    tokenizer = model.pipeline.steps[1].tokenizer  # type: ignore[attr-defined]
    for stop, expected in (("lig", "turn on the "), ("e l", "turn on th"), ("xyz", "turn on the light")):
        text = Pieces(tokenizer, [], ("never", stop))
        given = ""
        for token in tokenizer.encode("turn on the light").ids:
            given += text.add(token)
            assert stop not in given
        assert given + text.rest() == expected
        assert text.stopped == (stop != "xyz")
    whole = model(PROMPTS[0], max_new_tokens=20, min_new_tokens=20)
    stop = whole[4:6]
    for settings in ({}, {"num_beams": 1}):
        values = model.run(PROMPTS[0], max_new_tokens=20, min_new_tokens=20, stop=stop, **settings)
        assert values["generated_text"] == whole[: whole.index(stop)]
        assert values["generation"]["ended_by"] == "stop text"


def test_generation_always_ends(model: Model) -> None:
    facts = model.run(PROMPTS[0], min_new_tokens=1000)["generation"]
    prompt = len(Probe(model).feeds(PROMPTS[0])["input_ids"][0])
    assert facts["ended_by"] == "limit"
    assert prompt + len(facts["tokens"]) == prompt + facts["limit"] == tiny_models.CAUSAL_POSITIONS


def test_a_prompt_that_is_too_long_is_cut_and_it_is_said(model: Model) -> None:
    long = "turn on the light " * 40
    with pytest.warns(SampleCutWarning, match="the last 59 of them were used"):
        facts = model.run(long, max_new_tokens=5)["generation"]
    assert facts["limit"] == 5
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model(PROMPTS[0], max_new_tokens=5)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"temperature": -1.0}, "temperature is -1.0; expected above 0"),
        ({"top_p": 1.5}, "top_p is 1.5"),
        ({"num_beams": 0}, "num_beams is 0"),
        ({"max_new_tokens": 0}, "max_new_tokens is 0"),
        ({"max_new_tokens": "many"}, "expected int"),
        ({"num_beams": 2, "do_sample": True}, "both were requested"),
        ({"stop": ""}, "not empty"),
        ({"temprature": 1.0}, "no option 'temprature'"),
        ({"seed": -1}, "seed is -1"),
    ],
)
def test_settings_that_mean_nothing_are_refused(model: Model, settings: dict[str, Any], words: str) -> None:
    with pytest.raises(SampleError, match=words):
        model("turn on", **settings)


def test_a_temperature_of_zero_is_the_best_token(model: Model) -> None:
    assert model("turn on", max_new_tokens=6, temperature=0) == model("turn on", max_new_tokens=6)


def test_caches_stay_where_the_provider_keeps_them(model: Model) -> None:
    loop = model.pipeline.steps[1].loop  # type: ignore[attr-defined]
    model("turn on", max_new_tokens=3, min_new_tokens=3)
    assert len(loop._carried) == 4
    for value in loop._carried:
        # What one step made is what the next was given: not copied through numpy.
        assert type(value).__name__ == "OrtValue"
        assert loop._binding._bound_inputs[next(iter(loop._state))] is loop._carried[0]
