"""Pictures are scored by scikit-image's own SSIM and PSNR; what is broken is not a crash."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from edgewright_benchmarks.accuracy._perceptual import NOTHING_ALIKE, can_be_seen, perceptual_distance
from edgewright_benchmarks.accuracy.pictures import ssim
from edgewright_benchmarks.tasks import find_task
from edgewright_runtime.samples import ANSWER, pack_answer
from edgewright_targets import InputError
from scoring import score

SCORER = find_task("unconditional-image-generation").unlabelled
PICTURES = np.random.default_rng(1).integers(0, 200, (40, 16, 12, 3)).astype(np.uint8)


def outputs(pictures: Any) -> list[dict[str, Any]]:
    return [{"x": picture.astype(np.float32), ANSWER: pack_answer(picture)} for picture in pictures]


def test_the_library_s_own_numbers() -> None:
    baseline = outputs(PICTURES)
    changed = PICTURES + np.random.default_rng(2).integers(0, 20, PICTURES.shape).astype(np.uint8)
    found = score(SCORER, outputs(changed), None, baseline, max_drop=0.01)
    pairs = list(zip(changed, PICTURES, strict=True))
    expected = [structural_similarity(*pair, channel_axis=-1) for pair in pairs]  # type: ignore[no-untyped-call]
    agreement, psnr = found.metrics["agreement"], found.metrics["psnr"]
    assert agreement.value == pytest.approx(np.mean(expected))
    assert agreement.low <= agreement.value <= agreement.high <= 1
    assert found.drop.value == pytest.approx(1 - agreement.value)
    assert found.drop.low <= found.drop.value < found.drop.high
    assert psnr.value == pytest.approx(peak_signal_noise_ratio(PICTURES, changed))  # type: ignore[no-untyped-call]
    assert psnr.low <= psnr.value <= psnr.high


def test_what_an_eye_hardly_sees_is_near() -> None:
    """A photograph, a little brighter, and with noise of the same mean error: PSNR cannot tell the two apart."""
    from PIL import Image
    from skimage import data

    if not can_be_seen():
        pytest.skip("the network that sees (extra perceptual) is not installed")
    photo = np.asarray(Image.fromarray(data.astronaut()).resize((96, 96)))  # type: ignore[no-untyped-call]
    # No value near an end, so that each pixel changes by 12.
    photo = (20 + photo * 0.8).astype(np.uint8)
    brighter = photo + np.uint8(12)
    signs = np.random.default_rng(3).choice([-12, 12], photo.shape)
    noisy = (photo + signs).astype(np.uint8)
    near, far = perceptual_distance(photo, brighter), perceptual_distance(photo, noisy)
    assert 0 < near < far / 4
    other = np.asarray(Image.fromarray(data.coffee()).resize((96, 96)))  # type: ignore[no-untyped-call]
    assert far < perceptual_distance(photo, other) < NOTHING_ALIKE
    assert perceptual_distance(photo, photo) == 0
    assert perceptual_distance(noisy, photo) == pytest.approx(far)
    # Grey alone, several at once, and large ones.
    assert perceptual_distance(photo[..., :1], photo[..., :1]) == perceptual_distance(photo[..., 0], photo[..., 0]) == 0
    assert perceptual_distance(np.stack([photo, photo]), np.stack([photo, noisy])) == pytest.approx(far / 2)
    large = np.tile(photo, (4, 4, 1))
    assert perceptual_distance(large, large + np.uint8(12)) < far / 4


def test_without_the_network_there_is_no_such_distance(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgewright_benchmarks.accuracy._perceptual._PACKAGES", ("no_such_package",))
    found = score(SCORER, outputs(PICTURES[::-1]), None, outputs(PICTURES))
    assert list(found.metrics) == ["agreement", "psnr"]


def test_equal_pictures_and_the_baseline() -> None:
    baseline = outputs(PICTURES)
    itself = score(SCORER, baseline, None, baseline)
    assert (itself.drop.value, itself.drop.high) == (0, 0)
    same = score(SCORER, outputs(PICTURES), None, baseline, max_drop=0.01)
    assert same.metrics["agreement"].value == pytest.approx(1)
    assert "psnr" not in same.metrics
    # Forty equal pictures do not show that one of a hundred is not spoiled.
    assert same.drop.high > 0.01
    assert same.samples_needed is not None
    assert same.samples_needed > 250


def test_what_is_no_picture_has_nothing_in_common() -> None:
    baseline = outputs(PICTURES)
    broken = outputs(PICTURES)
    broken[0]["x"][0] = np.nan
    broken[1] = outputs(PICTURES[:1, :8])[0]
    found = score(SCORER, broken, None, baseline)
    assert found.metrics["agreement"].value == pytest.approx(38 / 40)
    if can_be_seen():
        distance = found.metrics["perceptual_distance"]
        assert distance.value == pytest.approx(2 * NOTHING_ALIKE / 40)
        assert distance.low < distance.value < distance.high
    with pytest.raises(InputError, match="Pictures are scored by the pipeline's output"):
        score(SCORER, [{"x": np.zeros(1)}], None, baseline[:1])


def test_grey_small_and_several_at_once() -> None:
    grey = PICTURES[0, :, :, 0]
    assert ssim(grey, grey) == pytest.approx(1)
    assert ssim(PICTURES[:2], PICTURES[:2]) == pytest.approx(1)
    assert 0 < ssim(PICTURES[0, :4, :4], PICTURES[0, :4, :4] // 2) < 1
    assert ssim(grey[:2, :2], 255 - grey[:2, :2]) < 1
