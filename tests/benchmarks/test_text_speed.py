"""How fast texts come: which prompts, figures of raw seconds, reports and the gate."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.report_fixtures import CHOSEN, bench_result
from edgewright_benchmarks.costs import UnknownFigure
from edgewright_benchmarks.gate.stored import compare_results
from edgewright_benchmarks.measuring.text_speed import prompt_lengths, text_speeds_of
from edgewright_benchmarks.report import render_html, render_markdown
from edgewright_benchmarks.result import Result
from edgewright_benchmarks.result_files import read_result, write_result
from edgewright_runtime import Package
from edgewright_runtime.manifest import Manifest, PipelineSpec, StepSpec
from edgewright_runtime.responses import TokenTimes
from edgewright_targets import InputError

PACKAGE = Path(__file__).parents[1] / "data" / "format-1"


def manifest(reads: int, positions: int, *, encoder: bool = False) -> Manifest:
    """Of a package that generates texts: what its tokenizer and its positions allow."""
    loop = {"tokens": "decoder_input_ids" if encoder else "input_ids"}
    steps = (
        StepSpec("tokenize", {"outputs": ["input_ids", "attention_mask"], "max_length": reads}),
        StepSpec("generate", {"loop": loop, "max_length": positions}),
    )
    plain = Package.open(PACKAGE).manifest
    return replace(plain, pipeline=PipelineSpec("text", "generated_text", steps))


@pytest.mark.parametrize(
    ("package", "asked", "found"),
    [
        (manifest(0, 2048), None, (16, 64, 256)),
        # 16 new tokens need room behind the prompt, where one graph reads both.
        (manifest(0, 80), None, (16, 64)),
        (manifest(0, 79), None, (16,)),
        (manifest(0, 20), None, (4,)),
        (manifest(0, 16), None, ()),
        (manifest(64, 20, encoder=True), None, (16, 64)),
        (manifest(0, 2048), (8, 300, 8), (8, 300)),
        (manifest(0, 2048), (), ()),
        (Package.open(PACKAGE).manifest, None, ()),
    ],
)
def test_prompts_are_as_long_as_the_model_takes(
    package: Manifest, asked: tuple[int, ...] | None, found: tuple[int, ...]
) -> None:
    assert prompt_lengths(package, asked) == found


def test_prompts_that_no_model_takes_are_refused() -> None:
    with pytest.raises(InputError, match="at most 64 tokens, and 65 were asked for"):
        prompt_lengths(manifest(0, 80), (16, 65))
    with pytest.raises(InputError, match="do not generate texts from texts"):
        prompt_lengths(Package.open(PACKAGE).manifest, (16,))


def times(length: int, *firsts: float) -> list[TokenTimes]:
    return [
        TokenTimes(prompt_tokens=length, new_tokens=16, first_token=first, following=10 * first) for first in firsts
    ]


def with_speeds(*readings: TokenTimes) -> Result:
    result = bench_result()
    engines = [
        replace(engine, text_speed=text_speeds_of(readings, 0.95)) if engine.name == CHOSEN else engine
        for engine in result.engines
    ]
    return replace(result, engines=tuple(engines))


def test_figures_are_of_the_raw_seconds(tmp_path: Path) -> None:
    result = with_speeds(*times(16, 0.01, 0.02, 0.03), *times(64, 0.5))
    short, long = result.engine(CHOSEN).text_speed
    assert (short.prompt_tokens, long.prompt_tokens) == (16, 64)
    assert (short.first_token.value, short.first_token.low, short.first_token.high) == (0.02, 0.01, 0.03)
    # 15 tokens after the first, in ten times its seconds.
    assert short.tokens_per_second.value == pytest.approx(15 / 0.2)
    assert long.tokens_per_second.value == pytest.approx(3)
    path = tmp_path / "result.json"
    write_result(result, path)
    assert read_result(path) == result
    write_result(bench_result(), path)
    assert not {"text_speed", "unknown"} & set(path.read_text(encoding="utf-8").split('"'))


def test_reports_show_each_length_and_what_is_unknown() -> None:
    result = with_speeds(*times(16, *[0.01] * 6), *times(64, 0.5, 0.6))
    engine = replace(result.engine(CHOSEN), unknown=(UnknownFigure("text_speed", "No such prompt."),))
    result = replace(result, engines=tuple(engine if one.name == CHOSEN else one for one in result.engines))
    for shown in (render_html(result), render_markdown(result)):
        assert "from the tokens of a prompt to the first new token" in shown
        assert "10.0 ms (10.0 to 10.0)" in shown
        assert "150 /s (150 to 150)" in shown
        assert "550 ms (500 to 600, 50 %)" in shown
        assert "text speed is unknown: No such prompt." in shown
    assert "Generated texts" not in render_html(bench_result())


def test_the_gate_has_rules_for_each_length() -> None:
    base, slow = (with_speeds(*times(64, *[factor * one for one in (1.0, 1.01, 1.02)])) for factor in (1.0, 1.5))
    for rule in ("first_token.64 > +10%", "tokens_per_second.64 < -10%"):
        assert compare_results(base, slow, (rule,)).verdict == "fail"
        assert compare_results(base, base, (rule,)).verdict == "pass"
    with pytest.raises(InputError, match=r"has no 'first_token.16'"):
        compare_results(base, slow, ("first_token.16 > +10%",))
    with pytest.raises(InputError, match=r"has no 'first_token.64'"):
        compare_results(base, bench_result(), ("first_token.64 > +10%",))
