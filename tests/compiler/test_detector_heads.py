"""Raw heads of detectors against the decoders of their makers, on twenty parts of real photographs.

What gives the raw outputs is one convolution a stride with random weights: this compares decoders, not detectors. The
packages of makers import many libraries, so the functions that decode are taken out of their files as they are.
Run by `test_torchvision.py` where torchvision cannot simply be imported.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from edgewright_compiler.processors.detector_heads import read_settings
from edgewright_compiler.processors.detector_settings import DetectorProcessor
from edgewright_runtime.steps import make_free_step
from edgewright_runtime.steps.boxes.suppression import SIDES, NameBoxes
from makers import taken_out
from photos import crops
from real_models import unpacked_wheel

pytest.importorskip("torchvision", reason="it runs in a process of its own; see test_torchvision.py")

import torch
import torchvision
from torch import nn

EDGE = 160
LABELS = tuple("abcde")
STRIDES = (8, 16, 32)
THRESHOLD = 0.4


def raw(columns: int, seed: int, strides: tuple[int, ...] = STRIDES) -> Callable[[Any], list[Any]]:
    """A map of so many columns for each stride, [1, columns, rows, columns], of a picture as a batch."""
    torch.manual_seed(seed)
    layers = [nn.Conv2d(3, columns, stride, stride) for stride in strides]
    for layer in layers:
        nn.init.normal_(layer.weight, std=2.5 / layer.weight[0].numel() ** 0.5)
    return lambda pixels: [layer(pixels).detach() for layer in layers]


def pixels_of(picture: Any) -> Any:
    """With a little noise: of equal scores, as two places of a white sky have, makers leave open which comes first."""
    noise = np.random.default_rng(8).normal(0, 0.01, picture.shape)
    return torch.from_numpy((picture / 255 - 0.5 + noise).astype(np.float32)).permute(2, 0, 1)[None]


def found(settings: dict[str, Any], outputs: dict[str, Any], pixels: Any) -> list[Any]:
    """Rows as makers have them: four sides, score and class, by the steps of a package."""
    processor = DetectorProcessor(read_settings({"threshold": THRESHOLD, **settings}, "settings"), "settings")
    processor.steps(["images"])
    values = {name: value.numpy() for name, value in outputs.items()}
    values |= {"outputs": values, "images": pixels.numpy(), "image_size": tuple(pixels.shape[2:])}
    *steps, name = processor.answer(list(outputs))
    for step in steps:
        values |= make_free_step(step)(values)
    package: Any = SimpleNamespace(manifest=SimpleNamespace(labels=LABELS))
    boxes = NameBoxes(package, **name.options)(values)["boxes"]
    return [
        [
            *(one["box"][side] for side in SIDES),
            one["score"],
            LABELS.index(one["label"]),
            *np.ravel(one.get("points", [])),
        ]
        for one in boxes
    ]


def compare(mine: list[Any], theirs: Any, *, least: int = 1) -> None:
    """Both have the same boxes: overlaps and scores within a thousandth."""
    theirs = theirs.detach().numpy().astype(np.float64)
    assert len(mine) == len(theirs) >= least
    theirs = theirs[(-theirs[:, 4]).argsort(kind="stable")]
    made = np.array(mine)
    assert np.allclose(made[:, 4], theirs[:, 4], rtol=0, atol=1e-3)
    theirs[:, :4] = theirs[:, :4].clip(0, EDGE)
    free = set(range(len(theirs)))
    for row in made:
        # Of equal scores any may come first.
        apart = {at: np.abs(theirs[at, :5] - row[:5]).max() + (theirs[at, 5] != row[5]) * 1e6 for at in free}
        best = min(apart, key=lambda at: apart[at])
        free.remove(best)
        low, high = np.maximum(row[:2], theirs[best, :2]), np.minimum(row[2:4], theirs[best, 2:4])
        common = np.prod((high - low).clip(0))
        union = np.prod(row[2:4] - row[:2]) + np.prod(theirs[best, 2:4] - theirs[best, :2]) - common
        assert union < 1e-6 or common / union > 0.999, (row, theirs[best])
        assert row[5] == theirs[best, 5]
        assert np.allclose(row[6:], theirs[best, 6:], atol=0.01)


@pytest.mark.parametrize("several", [False, True])
def test_yolox_is_decoded_as_by_its_makers(several: bool) -> None:
    """The raw outputs as its exporter writes them, [1, places, 5 + classes], and as maps."""
    wheel = unpacked_wheel("pixeltable-yolox") / "yolox"
    file = wheel / "models" / "yolo_head.py"
    own = taken_out(file, ("decode_outputs",), meshgrid=lambda axes: torch.meshgrid(*axes, indexing="ij"))
    own |= taken_out(wheel / "utils" / "boxes.py", ("postprocess",), torchvision=torchvision)
    network = raw(5 + len(LABELS), 1)
    for picture in crops(EDGE):
        pixels = pixels_of(picture)
        maps = network(pixels)
        made = [torch.cat([one[:, :4], one[:, 4:].sigmoid()], 1) for one in maps]
        flat = torch.cat([one.flatten(2).permute(0, 2, 1) for one in made], 1)
        head = SimpleNamespace(hw=[one.shape[-2:] for one in maps], strides=STRIDES)
        decoded = own["decode_outputs"](head, flat.clone(), torch.float32)
        (theirs,) = own["postprocess"](decoded, len(LABELS), THRESHOLD, 0.45)
        outputs = {f"map{index}": one for index, one in enumerate(maps)} if several else {"output": flat}
        mine = found({"head": "yolox", "overlap": 0.45, "logits": several, "max_boxes": 3000}, outputs, pixels)
        compare(mine, torch.stack([*theirs[:, :4].T, theirs[:, 4] * theirs[:, 5], theirs[:, 6]], 1))


def test_yolov5_is_decoded_as_by_its_makers() -> None:
    """Both shapes of its raw outputs, and each class of an anchor a box of its own."""
    wheel = unpacked_wheel("yolov5") / "yolov5"
    own = taken_out(wheel / "models" / "yolo.py", ("Detect",), check_version=lambda *_: True, Segment=tuple)
    boxes = taken_out(wheel / "utils" / "general.py", ("xywh2xyxy",))
    own |= taken_out(wheel / "utils" / "general.py", ("non_max_suppression",), torchvision=torchvision, **boxes)
    anchors = ([10, 13, 16, 30, 33, 23], [30, 61, 62, 45, 59, 119], [116, 90, 156, 198, 373, 326])
    detect = own["Detect"](len(LABELS), anchors, (1, 1, 1), inplace=False).eval()
    detect.stride = torch.tensor(STRIDES)
    detect.anchors /= detect.stride.view(-1, 1, 1)
    detect.m = nn.ModuleList(nn.Identity() for _ in STRIDES)
    network = raw(3 * (5 + len(LABELS)), 2)
    for index, picture in enumerate(crops(EDGE)):
        pixels = pixels_of(picture)
        maps = network(pixels)
        decoded, split = detect(list(maps))
        multi = index % 2 == 0
        (theirs,) = own["non_max_suppression"](decoded.clone(), THRESHOLD, 0.45, multi_label=multi, max_det=3000)
        outputs = {f"map{at}": one for at, one in enumerate(split if index % 3 else maps)}
        mine = found({"head": "yolov5", "overlap": 0.45, "multi_label": multi, "max_boxes": 3000}, outputs, pixels)
        compare(mine, theirs)


@pytest.mark.parametrize("apart", [False, True])
def test_yolov8_is_decoded_as_by_its_makers(apart: bool) -> None:
    """Distances as logits of sixteen bins with the scores behind them, and with the scores in outputs of their own."""
    wheel = unpacked_wheel("ultralytics") / "ultralytics"
    own = taken_out(wheel / "utils" / "tal.py", ("make_anchors", "dist2bbox"), TORCH_1_11=True)
    own |= taken_out(wheel / "nn" / "modules" / "block.py", ("DFL",))
    network = raw(64 + len(LABELS), 3)
    dfl = own["DFL"](16)
    for picture in crops(EDGE):
        pixels = pixels_of(picture)
        maps = network(pixels)
        points, strides = own["make_anchors"](maps, torch.tensor(STRIDES))
        flat = torch.cat([one.flatten(2) for one in maps], 2)
        boxes = own["dist2bbox"](dfl(flat[:, :64]), points.T[None], xywh=True, dim=1) * strides.T
        theirs = suppressed(wheel, torch.cat([boxes, flat[:, 64:].sigmoid()], 1))
        outputs = {f"map{at}": one[:, : 64 if apart else None] for at, one in enumerate(maps)}
        if apart:
            outputs |= {f"scores{at}": one[:, 64:] for at, one in enumerate(maps)}
        compare(found({"head": "yolov8", "max_boxes": 300}, outputs, pixels), theirs)


def suppressed(wheel: Path, decoded: Any, **options: Any) -> Any:
    """By Ultralytics' own suppression."""
    boxes = taken_out(wheel / "utils" / "ops.py", ("xywh2xyxy", "empty_like"))
    own = taken_out(
        wheel / "utils" / "nms.py", ("non_max_suppression", "TorchNMS"), box_iou=None, batch_probiou=None, **boxes
    )
    return own["non_max_suppression"](decoded.clone(), THRESHOLD, 0.7, **options)[0]


def test_poses_are_decoded_as_by_their_makers() -> None:
    """YOLO-pose: five points of x, y and a score behind the scores of the classes."""
    wheel = unpacked_wheel("ultralytics") / "ultralytics"
    network = raw(4 + len(LABELS) + 15, 4, (16,))
    for picture in crops(EDGE):
        pixels = pixels_of(picture)
        (one,) = network(pixels)
        columns = (one.flatten(2) / 2).sigmoid()
        sizes = torch.tensor([EDGE, EDGE, 60, 60])[:, None]
        points = columns[:, -15:].reshape(5, 3, -1) * torch.tensor([EDGE, EDGE, 1])[:, None]
        decoded = torch.cat([columns[:, :4] * sizes, columns[:, 4:-15], points.reshape(1, 15, -1)], 1)
        theirs = suppressed(wheel, decoded, nc=len(LABELS))
        mine = found({"head": "anchors", "keypoints": 5}, {"output": decoded}, pixels)
        compare(mine, theirs)


def test_files_with_suppression_inside() -> None:
    """Ultralytics' own reading of [1, boxes, 6]: the score decides, and rows of nought fill it up."""
    wheel = unpacked_wheel("ultralytics") / "ultralytics"
    network = raw(6, 5, (32,))
    for picture in crops(EDGE):
        pixels = pixels_of(picture)
        rows = network(pixels)[0].flatten(2).permute(0, 2, 1).sigmoid()
        corners = torch.cat([rows[..., :2] * 80, 80 + rows[..., 2:4] * 80], -1)
        given = torch.cat([corners, rows[..., 4:5], (rows[..., 5:] * len(LABELS)).floor()], -1)
        given = torch.cat([given, torch.zeros(1, 10, 6)], 1)
        compare(found({"head": "boxes"}, {"output": given}, pixels), suppressed(wheel, given))


def backbone(outputs: int) -> Any:
    layers = [
        nn.Conv2d(3, 16, 3, 2, 1),
        nn.ReLU(),
        nn.Conv2d(16, 32, 3, 2, 1),
        nn.ReLU(),
        nn.Conv2d(32, outputs, 3, 2, 1),
    ]
    made: Any = nn.Sequential(*layers, nn.ReLU())
    return made


class Pyramid(nn.Module):
    """Features of three strides, as detectors take them."""

    def __init__(self, channels: Any) -> None:
        super().__init__()
        self.body = backbone(32)
        self.out_channels: Any = channels

    def forward(self, pixels: Any) -> dict[str, Any]:
        fine = self.body(pixels)
        coarse = nn.functional.max_pool2d(fine, 2)
        return {"0": fine, "1": coarse, "2": nn.functional.max_pool2d(coarse, 2)}


def of_torchvision(model: Any, picture: Any) -> tuple[dict[str, Any], Any, Any]:
    """The head's raw outputs, the pixels that the graph would take, and torchvision's own boxes."""
    kept: dict[str, Any] = {}
    hook = model.head.register_forward_hook(lambda _module, _given, made: kept.update(made))
    pixels = torch.from_numpy(picture).permute(2, 0, 1).float() / 255
    with torch.no_grad():
        (theirs,) = model([pixels])
    hook.remove()
    outputs = {name: kept[name].detach() for name in ("cls_logits", "bbox_regression")}
    rows = torch.cat([theirs["boxes"], theirs["scores"][:, None], theirs["labels"][:, None].float()], 1)
    return outputs, pixels[None], rows


def test_ssd_is_decoded_as_by_torchvision() -> None:
    from torchvision.models.detection.anchor_utils import DefaultBoxGenerator
    from torchvision.models.detection.ssd import SSD

    torch.manual_seed(6)
    generator = DefaultBoxGenerator([[2], [2, 3], [2]], scales=[0.1, 0.3, 0.6, 0.9])
    model: Any = SSD(
        Pyramid([32, 32, 32]), generator, (EDGE, EDGE), len(LABELS) + 1, score_thresh=THRESHOLD, topk_candidates=3000,
        detections_per_img=300,
    ).eval()  # fmt: skip
    for layer in model.head.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.normal_(layer.weight, std=0.5)
    sizes = [(pairs.clamp(0, 1) * EDGE).tolist() for pairs in generator._wh_pairs]
    settings = {"head": "ssd", "anchors": sizes, "grids": [[20, 20], [10, 10], [5, 5]], "overlap": 0.45}
    for picture in crops(EDGE):
        outputs, pixels, theirs = of_torchvision(model, picture)
        theirs[:, 5] -= 1
        compare(found({**settings, "max_boxes": 300}, outputs, pixels), theirs)


def test_retinanet_is_decoded_as_by_torchvision() -> None:
    from torchvision.models.detection.anchor_utils import AnchorGenerator
    from torchvision.models.detection.retinanet import RetinaNet

    torch.manual_seed(7)
    generator = AnchorGenerator(((24,), (48,), (96,)), ((0.5, 1.0, 2.0),) * 3)
    model: Any = RetinaNet(
        Pyramid(32), len(LABELS), EDGE, EDGE, anchor_generator=generator, score_thresh=THRESHOLD, topk_candidates=3000,
        detections_per_img=300,
    ).eval()  # fmt: skip
    for name, parameter in model.head.named_parameters():
        nn.init.normal_(parameter, std=0.15 if parameter.ndim > 1 else 0.0 if "cls" in name else 0.1)
    sizes = [(one[:, 2:] - one[:, :2]).tolist() for one in generator.cell_anchors]
    settings = {"head": "retinanet", "anchors": sizes, "strides": [8, 16, 32], "overlap": 0.5}
    for picture in crops(EDGE):
        outputs, pixels, theirs = of_torchvision(model, picture)
        compare(found({**settings, "max_boxes": 300}, outputs, pixels), theirs)
