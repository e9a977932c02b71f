"""Answers of an emulated engine beside this machine's own: what counts as a difference, and how it is said."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.report_fixtures import build_result, engine
from edgewright_benchmarks.engine_result import NativeAnswers
from edgewright_benchmarks.judging.native_comparison import compare_with_native, native_sentence
from edgewright_benchmarks.predictions import Prediction
from edgewright_benchmarks.report import render_html, render_markdown
from scoring import prediction_with

HERE = np.array([[0.1, 0.7, 0.2]], dtype=np.float32)


def compare(*there: np.ndarray) -> NativeAnswers:
    here = Prediction({"scores": HERE})
    return compare_with_native([Prediction({"scores": one}) for one in there], [here] * len(there), "x86_64")


def test_the_same_answers_have_no_difference() -> None:
    found = compare(HERE.copy(), HERE.copy())
    assert (found.samples, found.differing, found.changed, found.largest) == (2, 0, 0, 0.0)


def test_differences_are_kept_for_each_sample() -> None:
    nudged, turned = HERE + np.float32(0.0012), np.array([[0.7, 0.1, 0.2]], dtype=np.float32)
    found = compare(HERE.copy(), nudged, turned)
    assert list(found.differences) == pytest.approx([0.0, 0.0012, 0.6], rel=1e-2)
    assert found.largest == pytest.approx(0.6, rel=1e-2)
    assert (found.differing, found.changed) == (2, 1)


@pytest.mark.parametrize("odd", [np.full_like(HERE, np.nan), np.full_like(HERE, np.inf), HERE[:, :2]])
def test_what_is_no_number_counts_as_another_answer(odd: np.ndarray) -> None:
    found = compare(odd, HERE.copy())
    assert found.differences == (None, 0.0)
    assert (found.differing, found.changed) == (1, 1)


def test_whole_numbers_are_answers_themselves() -> None:
    tokens = [Prediction({"tokens": np.array([3, 9, last])}) for last in (2, 4)]
    found = compare_with_native(tokens, [tokens[0], tokens[0]], "x86_64")
    assert (found.differing, found.changed, found.largest) == (1, 1, 2.0)


def test_it_is_said_in_a_line() -> None:
    found = compare(HERE.copy(), HERE + np.float32(0.0012))
    sentence = native_sentence(replace(engine("e"), native=found))
    assert sentence == "1 of 2 samples differ from x86_64 (by 0.0012 at most); none changes the prediction."
    assert native_sentence(replace(engine("e"), native=compare(HERE))) == (
        "All 1 samples give the same outputs as on x86_64."
    )
    assert native_sentence(engine("e")) == ""


def test_reports_hold_the_line() -> None:
    result = build_result()
    found = compare(HERE.copy(), HERE + np.float32(0.0012))
    emulated = tuple(replace(one, rung="emulated", latency=None, native=found) for one in result.engines)
    shown = replace(result, engines=emulated)
    line = "1 of 2 samples differ from x86_64"
    assert line in render_html(shown)
    assert line in render_markdown(shown)


@pytest.mark.parametrize(
    ("there", "here", "changed"),
    [
        ("two cats", "two cats", 0),
        ("two cats", "a cat", 1),
        ([{"label": "cat", "score": 0.9, "shown": True}], [{"label": "cat", "score": 0.8, "shown": True}], 0),
        ([{"label": "cat", "score": 0.9, "shown": True}], [{"label": "cat", "score": 0.9, "shown": False}], 1),
        ({"mask": np.array([[1, 2]], np.uint8)}, {"mask": np.array([[1, 2]], np.uint8)}, 0),
        ({"mask": np.array([[1, 2]], np.uint8)}, {"mask": np.array([[1, 1]], np.uint8)}, 1),
        # Nothing but scores: the outputs tell.
        ({"score": 0.5}, {"score": 0.4}, 1),
    ],
)
def test_an_answer_is_what_a_person_gets(there: object, here: object, changed: int) -> None:
    turned = np.array([[0.7, 0.1, 0.2]], dtype=np.float32)
    found = compare_with_native(
        [prediction_with({"scores": turned}, there)], [prediction_with({"scores": HERE}, here)], "x86_64"
    )
    assert (found.differing, found.changed) == (1, changed)
