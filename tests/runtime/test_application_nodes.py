"""Nodes and conditions of applications, and what happens where a value is missing or one of many fails."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from edgewright_runtime.applications.application import Application, ApplicationPackage
from edgewright_runtime.applications.checks import check_flow
from edgewright_runtime.applications.conditions import read_condition
from edgewright_runtime.applications.declaration import Flow, FlowStep, ModelUse
from edgewright_runtime.applications.nodes import NODES, make_node
from edgewright_runtime.applications.running import FlowRun, run_flow
from edgewright_runtime.applications.step_types import Signature
from edgewright_runtime.errors import SampleError
from edgewright_runtime.steps.values import NamedValues
from edgewright_targets.record import RecordError

BOXES = [
    {"label": "cat", "score": 0.9, "box": {"xmin": 2.0, "ymin": 1.0, "xmax": 6.0, "ymax": 4.0}},
    {"label": "gone", "score": 0.8, "box": {"xmin": 90.0, "ymin": 90.0, "xmax": 99.0, "ymax": 99.0}},
    {"label": "dog", "score": 0.2, "box": {"xmin": -3.0, "ymin": 5.0, "xmax": 4.0, "ymax": 50.0}},
]


def picture() -> np.ndarray[Any, Any]:
    return np.arange(8 * 10 * 3, dtype=np.uint8).reshape(8, 10, 3)


def boxes_flow(*, when: str | None = None) -> FlowRun:
    """A run whose detector gives `BOXES`: a stand-in, because what is tested lies behind it."""
    flow = Flow(
        input={"photo": "image"},
        answer=("crops",),
        model={"detector": ModelUse("none")},
        step={
            "crops": FlowStep(do="crop", input={"image": "photo", "box": "boxes"}, each="boxes", when=when),
            "boxes": FlowStep(model="detector", input={"image": "photo"}),
        },
    )
    checked = check_flow(flow, {"detector": Signature({"image": "image"}, "box[]")}, "flow")
    assert checked.order == ("boxes", "crops")
    assert checked.types["crops"] == "image[]"

    def detector(_: NamedValues) -> list[dict[str, Any]]:
        return BOXES

    return run_flow(checked, {"boxes": detector, "crops": make_node("crop", {})}, {"photo": picture()})


def test_crops_of_boxes_are_the_pixels_inside() -> None:
    run = boxes_flow()
    first, second, third = run.values["crops"]
    assert np.array_equal(np.asarray(first), picture()[1:4, 2:6])
    assert np.array_equal(np.asarray(third), picture()[5:8, 0:4])
    assert second is None
    assert run.failures == [("crops", 1, "A box has no pixel inside the picture.")]


def test_a_condition_decides_for_each() -> None:
    run = boxes_flow(when="boxes.score >= 0.5")
    assert [crop is not None for crop in run.values["crops"]] == [True, False, False]
    assert [index for _, index, _ in run.failures] == [1]


def test_a_margin_is_a_share_of_the_shorter_side() -> None:
    node = make_node("crop", {"margin": 1 / 3})
    assert node({"image": picture(), "box": BOXES[0]}).size == (6, 5)


@pytest.mark.parametrize("form", ["path", "bytes", "array"])
def test_clips_are_the_samples_inside(tmp_path: Path, form: str) -> None:
    samples = np.linspace(-0.5, 0.5, 1600, dtype=np.float32)
    path = tmp_path / "one.wav"
    soundfile.write(path, np.stack([samples, samples], axis=1), 800, subtype="FLOAT")
    audio: object = {"path": path, "bytes": path.read_bytes(), "array": {"array": samples, "sampling_rate": 800}}[form]
    found = make_node("clip", {"margin": 0.125})({"audio": audio, "segment": {"start": 0.5, "end": 1.0}})
    assert found["sampling_rate"] == 800
    np.testing.assert_array_equal(found["array"], samples[300:900])
    with pytest.raises(SampleError, match=r"nothing from 3\.00 s"):
        make_node("clip", {})({"audio": audio, "segment": {"start": 3.0, "end": 4.0}})


def labels(**scores: float) -> list[dict[str, object]]:
    return [{"label": name, "score": score} for name, score in scores.items()]


def test_fusion_by_hand() -> None:
    values = {"picture": labels(a=0.8, b=0.2), "words": labels(b=0.9, a=0.1)}
    mean = make_node("fuse", {"weights": {"picture": 3.0}})(values)
    assert mean == [{"label": "a", "score": pytest.approx(0.625)}, {"label": "b", "score": pytest.approx(0.375)}]
    product = make_node("fuse", {"method": "product", "weights": {"picture": 0.5, "words": 0.5}})(values)
    a, b = (0.8 * 0.1) ** 0.5, (0.2 * 0.9) ** 0.5
    assert product == [
        {"label": "b", "score": pytest.approx(b / (a + b))},
        {"label": "a", "score": pytest.approx(a / (a + b))},
    ]
    by_context = make_node("fuse", {"by_context": {"blurred": {"picture": 0.0}}})
    assert by_context({"context": "blurred", **values})[0] == {"label": "b", "score": pytest.approx(0.9)}
    assert by_context({"context": "sharp", **values})[0] == {"label": "b", "score": pytest.approx(0.55)}


def test_all_labels_come_through_steps_that_hand_them_on() -> None:
    flow = Flow(
        input={"command": "text"},
        answer=("both", "alone"),
        model={"judge": ModelUse("none")},
        step={
            name: FlowStep(model="judge", input={"text": "command"}) for name in ("quick", "thorough", "other", "alone")
        }
        | {
            "one": FlowStep(do="first", input={"thorough": "thorough", "quick": "quick"}),
            "both": FlowStep(do="fuse", input={"one": "one", "other": "other"}),
            "sole": FlowStep(do="first", input={"alone": "alone"}),
        },
    )
    checked = check_flow(flow, {"judge": Signature({"text": "text"}, "labels")}, "flow")
    assert checked.whole_labels == {"quick", "thorough", "other", "one"}


@pytest.mark.parametrize("level", [3, 3.0, "3.0", " 3", np.float32(3)])
def test_an_input_that_is_a_number_may_be_said_as_a_text(level: object) -> None:
    flow = Flow(
        input={"level": "number"},
        answer=("alarm",),
        step={
            "alarm": FlowStep(do="template", input={"level": "level"}, options={"text": "at {level}"}, when="level > 2")
        },
    )
    with Application(ApplicationPackage(Path(), "alarm", check_flow(flow, {}, "flow"), {})) as application:
        assert application(level)["alarm"] == "at 3"
        for wrong in ("high", [3]):
            with pytest.raises(SampleError, match="'level' is not a number"):
                application(wrong)


def test_models_of_other_classes_are_not_fused() -> None:
    with pytest.raises(ValueError, match="other classes than the other inputs; one of them is 'b'"):
        make_node("fuse", {})({"one": labels(a=0.5, b=0.5), "two": labels(a=0.5, c=0.5)})


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("crop", {"margin": -1.0}),
        ("crop", {"margin": "wide"}),
        ("clip", {"margin": float("nan")}),
        ("fuse", {"weights": {"a": -1.0}}),
        ("fuse", {"method": "sum"}),
        ("join", {"separator": 3}),
        ("template", {}),
        ("first", {"unknown": 1}),
    ],
)
def test_options_that_nodes_do_not_take(name: str, options: dict[str, object]) -> None:
    with pytest.raises((ValueError, TypeError)):
        make_node(name, options)


def test_templates_reach_nothing_but_their_inputs() -> None:
    node = make_node("template", {"text": "{a} {b} {a.__class__}"})
    assert node({"a": "x", "b": 0.25}) == "x 0.25 {a.__class__}"
    with pytest.raises(ValueError, match=r"has \{b\}"):
        node({"a": "x"})


def test_what_is_missing_is_left_out_of_a_joined_text() -> None:
    assert make_node("join", {"separator": ", "})({"texts": ["one", None, "two"]}) == "one, two"
    assert make_node("first", {})({"one": None, "two": "b", "three": "c"}) == "b"


@pytest.mark.parametrize(
    ("text", "value", "holds"),
    [
        ("score >= 0.7", 0.7, True),
        ("score > 0.7", 0.7, False),
        ("score < -1e-3", -1.0, True),
        ("score != 2", 2.0, False),
        ("score >= 0.7", None, False),
        ("word == 'on'", "on", True),
        ('word != "on"', "on", False),
        ("found", [], False),
        ("found", [1], True),
        ("found", "", False),
        ("found", 0.0, True),
        ("not found", [], True),
        ("not found", None, True),
    ],
)
def test_conditions(text: str, value: object, holds: bool) -> None:
    assert read_condition(text).holds(value) is holds


@pytest.mark.parametrize("text", ["", "a b", "a > b", "a > 'b'", "1 > a", "__import__('os')", "a.b.c > 1", "a >"])
def test_what_is_not_a_condition(text: str) -> None:
    with pytest.raises(ValueError, match="is not a condition"):
        read_condition(text)


@pytest.mark.parametrize("text", ["a" + " " * 2**20 + "!", "a > " + " " * 2**20, "a == '" + "b" * 2**20 + "'"])
def test_a_condition_is_short(text: str) -> None:
    with pytest.raises(ValueError, match="has at most 200 characters"):
        read_condition(text)


@pytest.mark.parametrize(("each", "says"), [("boxes.label", "'boxes.label', a part"), ("", "takes ''")])
def test_each_is_a_whole_value(each: str, says: str) -> None:
    flow = Flow(
        input={"photo": "image"},
        answer=("crops",),
        model={"detector": ModelUse("none")},
        step={
            "boxes": FlowStep(model="detector", input={"image": "photo"}),
            "crops": FlowStep(do="crop", input={"image": "photo", "box": "boxes"}, each=each),
        },
    )
    with pytest.raises(RecordError, match=says) as refused:
        check_flow(flow, {"detector": Signature({"image": "image"}, "box[]")}, "flow")
    assert refused.value.keys == ("step", "crops", "each")


def test_every_node_can_be_made_and_is_described() -> None:
    page = Path(__file__).resolve().parents[2] / "docs" / "applications.md"
    text = page.read_text(encoding="utf-8")
    for name, kind in NODES.items():
        assert f"| `{name}` |" in text
        needed: dict[str, dict[str, object]] = {"template": {"text": "x"}, "texts": {"texts": ["x"]}}
        make_node(name, needed.get(name, {}))
        assert kind.gives
