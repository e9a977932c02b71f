"""Options of steps as a forged manifest could have them: each is refused in a sentence before a step is made."""

from pathlib import Path
from typing import Any

import pytest

from edgewright_runtime.errors import PackageError, SampleError
from edgewright_runtime.manifest import StepSpec
from edgewright_runtime.steps import STEPS, make_free_step, make_step, step_class
from edgewright_runtime.steps.image.pixels import ResizeImage
from edgewright_runtime.steps.options import check_options, option_types


class Unopened:
    """In the place of a package and of an engine: options are checked before either is asked anything."""

    root = Path("forged.ortpackage")


WRONG: dict[str, list[Any]] = {
    "str": [7, None, [[]], {}, "x" * 100_000],
    "int": ["7", 7.0, True, [], {}, None, 2**40, -(2**40), 10**5000, float("nan")],
    "float": ["7", [], {}, True, float("inf"), float("nan"), 2**64],
    "bool": [1, "yes", None, [], {}],
}
# Four deep: the anchors of a head are lists of lists of pairs.
LISTS: list[Any] = ["ab", 7, {}, None, [[[[]]]], [{}]]
TABLES: list[Any] = ["ab", 7, [], [[]], True]


def forged() -> list[Any]:
    found = []
    for step in STEPS:
        for name, hint in option_types(step_class(step)).items():
            kind = str(getattr(hint, "__name__", hint))
            if kind in WRONG:
                values = WRONG[kind]
            elif "Sequence" in str(hint).split("[")[0]:
                # A list of any tables is what some steps take.
                values = LISTS[:4] if "Any" in str(hint) or "Mapping" in str(hint) else LISTS
            elif "Mapping" in str(hint).split("[")[0]:
                values = TABLES
            else:
                values = [[[]], {"a": []}]
            found.append(pytest.param(step, name, values, id=f"{step}-{name}"))
    return found


@pytest.mark.parametrize(("step", "name", "values"), forged())
def test_an_option_of_another_type_or_size_is_refused(step: str, name: str, values: list[Any]) -> None:
    stand_in: Any = Unopened()
    for value in values:
        with pytest.raises(PackageError, match=f"the step '{step}' has wrong options: {name}") as caught:
            make_step(StepSpec(step, {name: value}), stand_in, stand_in)
        assert len(str(caught.value)) < 1000


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("height", 0),
        ("height", 2**14 + 1),
        ("sampling_rate", 10**6),
        ("num_beams", 2000),
        ("settings", {"deep": {"window": 2**40}}),
        ("settings", {"many": [0] * 200_000}),
        ("loop", {"a": {"b": [{"c": 2**64}]}}),
        ("loop", {"shapes": {"x": [2**40]}}),
    ],
)
def test_a_number_is_bounded_by_its_name_wherever_it_stands(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=r"it may be|expected at most"):
        check_options(ResizeImage, {name: value})


def test_nesting_is_bounded() -> None:
    value: Any = 1
    for _ in range(40):
        value = [value]
    with pytest.raises(ValueError, match="levels"):
        check_options(ResizeImage, {"settings": value})


def test_a_picture_of_extreme_proportions_is_refused_before_it_fills_the_memory() -> None:
    image = pytest.importorskip("PIL.Image", reason="Pillow is not installed").new("RGB", (1, 60_000))
    resize = make_free_step(StepSpec("resize_image", {"filter": "bilinear", "shortest_edge": 224}))
    with pytest.raises(SampleError, match="too long or too wide"):
        resize({"image": image})
