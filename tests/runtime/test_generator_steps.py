"""A seed is the same latent everywhere, latents fit or are refused, a picture is rounded as its source rounds it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edgewright_runtime import SampleError
from edgewright_runtime.manifest import StepSpec
from edgewright_runtime.steps import make_free_step

INPUTS = [{"name": "z", "shape": [1, 5, 1, 1]}, {"name": "noise", "shape": [1, 1, 4, 4]}]


def draw(latent: Any, **options: Any) -> dict[str, Any]:
    return {**make_free_step(StepSpec("draw_latent", {"inputs": INPUTS, **options}))({"latent": latent})}


def test_a_seed_draws_what_numpy_s_frozen_generator_draws() -> None:
    made = draw(7)
    random = np.random.RandomState(7)
    assert {name: value.shape for name, value in made.items()} == {"z": (1, 5, 1, 1), "noise": (1, 1, 4, 4)}
    assert np.array_equal(made["z"].ravel(), random.randn(5).astype(np.float32))
    assert np.array_equal(made["noise"].ravel(), random.randn(16).astype(np.float32))
    # What these numbers are must never change: packages keep seeds and pictures as golden samples.
    assert made["z"].ravel()[:2].tolist() == pytest.approx([1.6905257, -0.46593735])
    assert all(np.array_equal(made[name], draw("7")[name]) for name in made)
    uniform = draw(7, distribution="uniform")
    assert np.array_equal(uniform["z"].ravel(), np.random.RandomState(7).uniform(-1, 1, 5).astype(np.float32))


def test_latents_in_several_shapes() -> None:
    row = np.arange(5.0)
    for latent in (row, row[None], row.reshape(1, 5, 1, 1), {"z": row.astype(np.int64)}, row.reshape(5, 1, 1)):
        made = draw(latent)
        assert made["z"].dtype == np.float32
        assert np.array_equal(made["z"], row.reshape(1, 5, 1, 1))
        assert np.array_equal(made["noise"], draw(0)["noise"])
    several = draw({"noise": np.zeros((3, 1, 4, 4)), "z": np.zeros((3, 5))})
    assert [len(value) for value in several.values()] == [3, 3]


@pytest.mark.parametrize(
    ("latent", "says"),
    [
        ("seven", "takes a seed, or a latent as an array; found str"),
        (True, "found bool"),
        ({}, "found dict"),
        (-1, "The seed is -1; it must be from 0 to 4294967295"),
        (2**32, "it must be from 0 to 4294967295"),
        (np.zeros(4), r"'z' is float64 \[4\]; the model takes floats of \[1, 5, 1, 1\]"),
        (np.zeros((5, 2)), r"'z' has the shape \[5, 2\]"),
        (np.zeros((2, 1, 5, 2)), "'z' has the shape"),
        (np.full(5, np.nan), "'z' has NaN"),
        (np.array(["a"] * 5), "'z' is <U1"),
        ({"w": np.zeros(5)}, "has no input 'w'; it has z, noise"),
        (
            {"z": np.zeros((2, 5)), "noise": np.zeros((3, 1, 4, 4))},
            r"different numbers of pictures: {'z': 2, 'noise': 3}",
        ),
    ],
)
def test_latents_that_do_not_fit(latent: Any, says: str) -> None:
    with pytest.raises(SampleError, match=says):
        draw(latent)


@pytest.mark.parametrize(
    "options", [{"inputs": []}, {"inputs": [{"name": "z", "shape": [1, 0]}]}, {"distribution": "cauchy"}]
)
def test_options_that_cannot_be(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"shape|distribution"):
        draw(1, **options)


def picture(array: Any, **options: Any) -> Any:
    return make_free_step(StepSpec("to_picture", {"output": "x", **options}))({"x": array})["picture"]


def test_pictures_are_rounded_as_torchvision_saves_them() -> None:
    import torch

    values = np.random.default_rng(0).uniform(-1.2, 1.2, (2, 3, 8, 6)).astype(np.float32)
    # torchvision.utils.save_image(x, file, normalize=True, value_range=(-1, 1))
    shares = (torch.from_numpy(values).clamp(-1, 1) + 1) / 2
    expected = shares.mul(255).add(0.5).clamp(0, 255).permute(0, 2, 3, 1).to(torch.uint8).numpy()
    made = picture(values)
    assert made.shape == (2, 8, 6, 3)
    # A value in the middle of two levels may fall to either side.
    assert (made != expected).mean() < 0.01
    assert np.abs(made.astype(int) - expected).max() <= 1
    assert np.array_equal(picture(values[:1]), made[0])
    assert np.array_equal(picture(np.moveaxis(values, 1, 3)), made)
    assert np.array_equal(picture(values[:, :1]), made[..., 0])


def test_numbers_that_are_none_and_other_shapes() -> None:
    array = np.array([np.nan, np.inf, -np.inf, 0.5], dtype=np.float32).reshape(1, 1, 2, 2)
    assert picture(array, low=0.0, high=1.0).tolist() == [[0, 255], [0, 128]]
    with pytest.raises(SampleError, match=r"output 'x' has the shape \[1, 12\], which is not a picture"):
        picture(np.zeros((1, 12)))
    with pytest.raises(ValueError, match="low is 1"):
        picture(array, low=1.0, high=0.0)
