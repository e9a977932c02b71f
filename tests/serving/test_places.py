"""Series, and pictures with places in them: in JSON and in forms as `edgewright run` takes them."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator

import pytest

import hand_made
from hand_made import Made
from server_process import RunningServer, serving

# The steps of its last three values, each with one more.
NEXT = {"level": [3.0, 4.0, 5.5]}


@pytest.fixture(scope="module")
def places(made: Made) -> Iterator[RunningServer]:
    forecaster = hand_made.write_forecaster(made.folder / "forecaster.ortpackage")
    pointed = hand_made.write_pointed(made.folder / "pointed.ortpackage")
    with serving(forecaster, pointed) as running:
        yield running


@pytest.mark.parametrize(
    "series",
    [[9, 2, 3, 4.5], [[2], [3], [4.5]], {"level": [2, 3, 4.5]}, {"level": ["2", "3", "4.5"], "other": ["a"]}],
    ids=["numbers", "rows", "columns", "texts"],
)
def test_a_series(places: RunningServer, series: object) -> None:
    for reply in (
        places.post("/predict/forecaster", {"input": series}),
        places.send("/predict/forecaster", series=json.dumps(series)),
    ):
        assert reply.status == 200, reply.body
        assert reply.json["answer"] == NEXT


def test_a_picture_with_points_and_a_box(places: RunningServer, made: Made) -> None:
    image = {"base64": base64.b64encode(made.picture.read_bytes()).decode()}
    points, box = [[3, 2], [5, 4, 0]], [1, 2, 4, 3]
    corners = {"xmin": 1, "ymin": 2, "xmax": 5, "ymax": 5}
    for given, score in (
        ({"points": points}, 5),
        ({"box": box}, 36),
        ({"points": points, "box": corners}, 41),
        ({"box": {"box": corners}}, 36),
    ):
        fields = {name: json.dumps(value) for name, value in given.items()}
        for reply in (
            places.post("/predict/pointed", {"input": {"image": image, **given}}),
            places.send("/predict/pointed", files={"file": made.picture}, **fields),
        ):
            assert reply.status == 200, reply.body
            (mask,) = reply.json["answer"]
            assert (mask["score"], mask["share"], mask["mask"]["width"]) == (score, 1.0, 12)


@pytest.mark.parametrize(
    ("path", "given", "words"),
    [
        ("forecaster", "a.csv", "'series' must be a list of numbers"),
        ("forecaster", [1, [2]], "not a list of numbers"),
        ("forecaster", {"level": 3}, "'series' must be a list of numbers"),
        ("forecaster", [1, 2, None], "A value is missing"),
        ("pointed", {"points": [[1, 2]]}, "'image' is missing"),
        ("pointed", {"image": {"base64": ""}, "point": 1}, "Did you mean 'points'"),
        ("pointed", {"image": {"base64": ""}, "points": [[10**400, 1]]}, "'points' must be a list of"),
        ("pointed", {"image": {"base64": ""}, "box": "1,2,3,4"}, "'box' must be four numbers"),
    ],
)
def test_what_is_not_a_series_or_a_place(places: RunningServer, path: str, given: object, words: str) -> None:
    reply = places.post(f"/predict/{path}", {"input": given})
    assert reply.status == 400
    assert words in reply.error


def test_a_picture_alone_is_taken_as_it_is(places: RunningServer, made: Made) -> None:
    image = {"base64": base64.b64encode(made.picture.read_bytes()).decode()}
    for given in (image, {"image": image}):
        assert "neither points nor a box" in places.post("/predict/pointed", {"input": given}).error


def test_the_description_says_which_may_be_left_out(places: RunningServer) -> None:
    paths = places.get("/openapi.json").json["paths"]
    schema = paths["/predict/pointed"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert schema["properties"]["input"]["oneOf"][1]["required"] == ["image"]
    assert "series" in places.get("/v1/models/forecaster").json["inputs"]
