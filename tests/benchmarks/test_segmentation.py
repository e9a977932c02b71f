"""The mIoU is scikit-learn's, its bounds are over pictures, and masks that cannot be are refused in words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import accuracy_score, jaccard_score

import tiny_segmenters
from edgewright_benchmarks.accuracy._columns import column_from_ratio
from edgewright_benchmarks.accuracy._corpus import MeanOfSums
from edgewright_benchmarks.data import read_dataset
from edgewright_benchmarks.tasks import find_task
from edgewright_benchmarks.truth.masks import IGNORED, read_mask
from edgewright_runtime.samples import ANSWER, pack_answer
from edgewright_targets import InputError
from scoring import score

TASK = find_task("image-segmentation")


def masks(count: int, seed: int, classes: int = 4) -> list[Any]:
    random = np.random.default_rng(seed)
    sizes = random.integers(8, 20, (count, 2))
    return [random.integers(0, random.integers(1, classes + 1), size).astype(np.uint8) for size in sizes]


def spoiled(truth: list[Any], share: float, seed: int) -> list[Any]:
    random = np.random.default_rng(seed)
    return [np.where(random.random(mask.shape) < share, random.integers(0, 5, mask.shape), mask) for mask in truth]


def outputs(found: list[Any]) -> list[dict[str, Any]]:
    return [{"logits": np.zeros(1), ANSWER: pack_answer({"mask": mask, "segments": []})} for mask in found]


def write(folder: Path, found: list[Any]) -> list[Path]:
    paths = [folder / f"{index}.png" for index in range(len(found))]
    for path, mask in zip(paths, found, strict=True):
        Image.fromarray(mask.astype(np.uint8)).save(path)
    return paths


@pytest.mark.parametrize("share", [0.0, 0.1, 0.6])
def test_it_is_scikit_learn_s(tmp_path: Path, share: float) -> None:
    truth = masks(60, 1)
    truth[3][:4] = IGNORED
    paths = write(tmp_path, truth)
    found = spoiled(truth, share, 2)
    baseline = outputs(spoiled(truth, 0.05, 3))
    accuracy = score(TASK.labelled, outputs(found), paths, baseline, max_drop=0.01)
    flat, flat_found = (np.concatenate([mask.ravel() for mask in part]) for part in (truth, found))
    counted = flat != IGNORED
    expected = jaccard_score(flat[counted], flat_found[counted], labels=[0, 1, 2, 3], average="macro")
    value = accuracy.metrics["mean_iou"]
    assert value.value == pytest.approx(expected)
    assert value.low <= value.value <= value.high
    pixels = accuracy.metrics["pixel_accuracy"]
    assert pixels.value == pytest.approx(accuracy_score(flat[counted], flat_found[counted]))
    theirs = score(TASK.labelled, baseline, paths, baseline)
    assert theirs.drop.high == 0
    drop = accuracy.drop
    assert drop.value == pytest.approx(theirs.metrics["mean_iou"].value - value.value)
    assert drop.low < drop.value < drop.high
    agreement = score(TASK.unlabelled, outputs(found), None, outputs(found))
    assert agreement.metrics["agreement"].value == pytest.approx(1)


def test_the_bounds_hold_what_other_pictures_would_have_shown() -> None:
    """Of pictures drawn anew, the drop lies below its 95 % bound nearly always."""
    random = np.random.default_rng(0)
    either = random.integers(1, 50, (4000, 3)).astype(float)
    shared = np.floor(either * random.beta(20, 1, (4000, 3)))
    expected = np.floor(either * random.beta(30, 1, (4000, 3)))
    whole = MeanOfSums(expected, either).ratio - MeanOfSums(shared, either).ratio
    held = []
    for _ in range(200):
        some = random.integers(0, 4000, 80)
        engine, baseline = (column_from_ratio(MeanOfSums(part[some], either[some])) for part in (shared, expected))
        held.append(engine.drop(baseline).high >= whole)
    assert np.mean(held) > 0.95


def test_scores_that_are_no_numbers_are_no_class(tmp_path: Path) -> None:
    truth = masks(10, 1)
    paths = write(tmp_path, truth)
    broken = outputs(truth)
    broken[0]["logits"] = np.array([np.nan])
    accuracy = score(TASK.labelled, broken, paths, outputs(truth))
    size = sum(mask.size for mask in truth)
    assert accuracy.metrics["pixel_accuracy"].value == pytest.approx(1 - truth[0].size / size)
    assert accuracy.drop.value > 0
    with pytest.raises(InputError, match="Masks are scored by the pipeline's output"):
        score(TASK.labelled, [{"logits": np.zeros(1)}], paths[:1], outputs(truth[:1]))
    with pytest.raises(InputError, match=r"Sample 1: its mask is .* the predicted mask"):
        score(TASK.labelled, outputs([truth[0][1:]]), paths[:1], outputs(truth[:1]))
    nothing = write(tmp_path, [np.full((4, 4), IGNORED)])
    with pytest.raises(InputError, match="No pixel of any mask has a class"):
        score(TASK.labelled, outputs([np.zeros((4, 4))]), nothing, outputs([np.zeros((4, 4))]))


def read(path: Path) -> Any:
    return read_dataset(path, task="image-segmentation", input_name="image", class_names=tiny_segmenters.LABELS)


def test_folders_of_pictures_and_masks(tmp_path: Path) -> None:
    folder = tiny_segmenters.write_scenes(tmp_path / "data", count=3)
    data = read(folder)
    assert [path.name for path in data.samples] == [path.name for path in data.labels] == ["0.png", "1.png", "2.png"]
    table = folder / "metadata.csv"
    table.write_text("file_name,mask\nimages/1.png,masks/1.png\n", encoding="utf-8")
    assert read(folder).labels == (folder / "masks" / "1.png",)
    table.unlink()
    # Another mask is other data, whatever its name.
    (folder / "masks" / "0.png").write_bytes((folder / "masks" / "0.png").read_bytes() + b"\0")
    assert read(folder).digest != data.digest
    assert read(folder / "images").labels is None
    (folder / "masks").rename(tmp_path / "elsewhere")
    assert read(folder).labels is None


def test_masks_that_do_not_fit(tmp_path: Path) -> None:
    folder = tiny_segmenters.write_scenes(tmp_path / "data", count=3)
    mask, picture = folder / "masks" / "0.png", folder / "images" / "0.png"
    whole = mask.read_bytes()

    def refuses(says: str) -> None:
        with pytest.raises(InputError, match=says):
            read(folder)

    width, height = read_mask(mask).shape[::-1]
    Image.new("L", (width, height + 1)).save(mask)
    refuses(f"the mask '0.png' is {width} x {height + 1}, its picture {width} x {height}")
    Image.new("L", (width, height), 4).save(mask)
    refuses(r"'0.png' has the class 4; the model has 4 labels")
    Image.new("RGB", (width, height)).save(mask)
    refuses("has the mode RGB; a mask has one channel")
    picture.with_name("0.jpg").write_bytes(b"")
    refuses("two files with the same name: 0.jpg and 0.png")
    picture.with_name("0.jpg").unlink()
    mask.write_bytes(whole[: len(whole) // 2])
    refuses("cannot be read; it may be cut off")
    mask.write_bytes(b"no picture")
    refuses("is not a lossless image")
    mask.unlink()
    refuses(r"1 of 3 files have no partner in 'masks', such as 'images/0.png'")
    picture.rename(folder / "masks" / "0.png")
    refuses(r"1 of 3 files have no partner in 'images', such as 'masks/0.png'")
    (folder / "others").mkdir()
    refuses("has the folders images, masks, others; expected images and masks")
    table = tmp_path / "table.csv"
    table.write_text("image,mask\ndata/images/1.png,data/masks/9.png\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"line 2: there is no file 'data/masks/9\.png'"):
        read(table)


def test_turned_pictures_and_masks_of_16_bits(tmp_path: Path) -> None:
    folder = tiny_segmenters.write_scenes(tmp_path / "data", count=1)
    picture, mask = folder / "images" / "0.png", folder / "masks" / "0.png"
    lying = Image.Exif()
    lying[0x0112] = 6
    with Image.open(picture) as opened:
        opened.rotate(90, expand=True).save(picture.with_suffix(".jpg"), exif=lying)
    picture.unlink()
    assert len(read(folder).samples) == 1
    values = read_mask(mask).astype(np.uint16)
    Image.fromarray(values).save(mask)
    assert np.array_equal(read_mask(mask), values)


def test_masks_in_black_and_white(tmp_path: Path) -> None:
    """White is 255, which does not count: the background alone would be scored."""
    folder = tiny_segmenters.write_scenes(tmp_path / "data", count=3)
    for path in (folder / "masks").iterdir():
        Image.fromarray(np.where(read_mask(path) > 0, 255, 0).astype(np.uint8)).save(path)
    with pytest.raises(InputError, match="only the values 0 and 255"):
        read(folder)
    for path in (folder / "masks").iterdir():
        Image.fromarray(np.zeros(read_mask(path).shape, dtype=np.uint8)).save(path)
    assert read(folder).labels
