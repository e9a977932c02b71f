"""Retrieval in an application: texts that it brings along, the nearest of them, and steps that run once."""

from collections import Counter
from typing import Any

import numpy as np
import pytest

from edgewright_runtime.applications.checks import CheckedFlow, check_flow
from edgewright_runtime.applications.declaration import Flow, FlowStep, ModelUse
from edgewright_runtime.applications.nodes import make_node
from edgewright_runtime.applications.running import Call, run_flow
from edgewright_runtime.applications.step_types import Signature
from edgewright_runtime.errors import SampleError
from edgewright_runtime.steps.values import NamedValues, Values
from edgewright_targets.record import RecordError

# A stand-in for a model of sentences: what is tested lies behind it.
VECTORS = {"hours": (2.0, 0.0), "place": (0.0, 3.0), "when": (1.0, 0.2), "nothing": (-1.0, -1.0)}
SENTENCES = {"sentences": Signature({"text": "text"}, "vector")}
STEPS = {
    "questions": FlowStep(do="texts", options={"texts": ["hours", "place"]}),
    "answers": FlowStep(do="texts", options={"texts": ["From nine to five.", "In the town."]}),
    "known": FlowStep(model="sentences", each="questions", input={"text": "questions"}),
    "asked": FlowStep(model="sentences", input={"text": "question"}),
    "best": FlowStep(do="nearest", input={"vector": "asked", "vectors": "known", "texts": "answers"}),
    "found": FlowStep(
        do="template", input={"answer": "best.text"}, options={"text": "{answer}"}, when="best.score > 0.5"
    ),
    "unknown": FlowStep(do="template", options={"text": "I do not know."}),
    "reply": FlowStep(do="first", input={"found": "found", "unknown": "unknown"}),
}


def checked_flow() -> CheckedFlow:
    flow = Flow(input={"question": "text"}, answer=("reply",), model={"sentences": ModelUse("none")}, step=STEPS)
    return check_flow(flow, SENTENCES, "flow")


def calls_of(asked: Counter[str]) -> dict[str, Call]:
    def embed(values: NamedValues) -> np.ndarray[Any, Any]:
        asked[values["text"]] += 1
        return np.array(VECTORS[values["text"]], dtype=np.float32)

    return {
        name: embed if step.model is not None else make_node(step.do or "", step.options)
        for name, step in STEPS.items()
    }


def test_what_depends_on_no_input_runs_once() -> None:
    checked, asked, kept = checked_flow(), Counter[str](), Values()
    assert checked.constant == {"questions", "answers", "known", "unknown"}
    assert checked.types["best"] == "passage"
    calls = calls_of(asked)
    runs = [run_flow(checked, calls, {"question": text}, kept) for text in ("when", "nothing", "place")]
    assert [run.values["reply"] for run in runs] == ["From nine to five.", "I do not know.", "In the town."]
    assert asked == {"hours": 1, "place": 2, "when": 1, "nothing": 1}
    assert runs[0].calls["known"] == 2
    assert "known" not in runs[1].calls
    assert "known" not in runs[1].seconds


def test_what_runs_once_is_tried_again_where_one_of_it_failed() -> None:
    checked, asked, kept = checked_flow(), Counter[str](), Values()
    calls = calls_of(asked)
    embed, broken = calls["known"], ["place"]

    def fails_once(values: NamedValues) -> Any:
        if values["text"] in broken:
            broken.clear()
            raise SampleError("The graph failed.")
        return embed(values)

    calls["known"] = fails_once
    first, second, third = (run_flow(checked, calls, {"question": text}, kept) for text in ("when", "place", "place"))
    assert first.failures == [("known", 1, "The graph failed.")]
    assert (second.failures, second.values["reply"]) == ([], "In the town.")
    assert "known" not in third.calls


def test_what_comes_behind_a_failed_step_is_tried_again_too() -> None:
    steps = {
        "parts": FlowStep(do="texts", options={"texts": ["kitchen", "hall"]}),
        "named": FlowStep(do="template", each="parts", input={"part": "parts"}, options={"text": "{part}"}),
        "shown": FlowStep(do="template", each="named", input={"name": "named"}, options={"text": "The {name}."}),
        "apart": FlowStep(do="texts", options={"texts": ["apart"]}),
        "reply": FlowStep(do="template", input={"text": "question"}, options={"text": "{text}"}),
    }
    checked = check_flow(Flow(input={"question": "text"}, answer=("shown", "reply"), model={}, step=steps), {}, "flow")
    calls: dict[str, Call] = {name: make_node(step.do or "", step.options) for name, step in steps.items()}
    name_it, broken, kept = calls["named"], ["hall"], Values()

    def fails_once(values: NamedValues) -> Any:
        if values["part"] in broken:
            broken.clear()
            raise SampleError("The graph failed.")
        return name_it(values)

    calls["named"] = fails_once
    first, second, third = (run_flow(checked, calls, {"question": "which"}, kept) for _ in range(3))
    assert first.values["shown"] == ["The kitchen.", None]
    assert second.values["shown"] == ["The kitchen.", "The hall."]
    # What does not come behind it ran once, and all is kept in the end.
    assert set(second.calls) == {"named", "shown", "reply"}
    assert set(third.calls) == {"reply"}


def test_the_nearest_is_that_of_the_largest_cosine() -> None:
    node = make_node("nearest", {})
    vectors = [None, np.array([10.0, 0.0]), np.array([1.0, 1.0])]
    texts = ["missing", "along", "between"]
    found = node({"vector": np.array([[0.0, 2.0]]), "vectors": vectors, "texts": texts})
    assert found == {"index": 2, "score": pytest.approx(2**-0.5), "text": "between"}
    assert node({"vector": np.array([1.0, -1.0]), "vectors": vectors, "texts": texts})["text"] == "along"
    # Another list is not taken for the one before.
    assert node({"vector": np.array([1.0, -1.0]), "vectors": vectors[::-1], "texts": texts})["index"] == 1


@pytest.mark.parametrize(
    ("vector", "vectors", "says"),
    [
        ([1.0], [None], "found no vector"),
        ([1.0], [[1.0], [2.0]], "2 vectors and 1 texts"),
        ([1.0, 2.0], [[1.0]], "has 2 numbers, and those in the list have 1"),
        ([float("nan")], [[1.0]], "All-NaN"),
    ],
)
def test_vectors_that_cannot_be_compared(vector: list[float], vectors: list[Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        make_node("nearest", {})({"vector": np.array(vector), "vectors": vectors, "texts": ["one"]})


def test_vectors_of_other_sizes_are_a_matter_of_the_sample() -> None:
    checked = checked_flow()
    calls = calls_of(Counter())

    def longer(_: NamedValues) -> np.ndarray[Any, Any]:
        return np.ones(3, dtype=np.float32)

    with pytest.raises(SampleError, match="In the step 'best': the vector has 3 numbers"):
        run_flow(checked, {**calls, "asked": longer}, {"question": "when"})


@pytest.mark.parametrize("texts", [[], ["one", " "], "one", [1]])
def test_texts_are_a_list_of_texts(texts: object) -> None:
    with pytest.raises(ValueError, match="texts"):
        make_node("texts", {"texts": texts})


def test_a_list_of_texts_takes_nothing() -> None:
    step = {"known": FlowStep(do="texts", input={"text": "question"}, options={"texts": ["a"]})}
    flow = Flow(input={"question": "text"}, answer=("known",), step=step)
    with pytest.raises(RecordError, match="'texts' has no input 'text'") as refused:
        check_flow(flow, {}, "flow")
    assert refused.value.hint == "It takes no inputs."
