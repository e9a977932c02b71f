"""From an image processor of transformers to declared steps, and the proof that they do the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from edgewright_runtime.manifest import StepSpec
from edgewright_runtime.steps import make_free_step
from edgewright_targets import InputError

# Pillow's numbers of its filters, which is how transformers writes them.
_FILTERS = ("nearest", "lanczos", "bilinear", "bicubic", "box", "hamming")
# What a processor can do that is a step here, or nothing in an answer to an image.
_KNOWN = {
    "do_resize", "do_center_crop", "do_rescale", "do_normalize", "do_convert_rgb", "do_reduce_labels",
    "do_flip_channel_order",
}  # fmt: skip
_METHODS = ("process_image", "resize", "center_crop", "rescale", "normalize", "pad", "_preprocess")
# Sizes of the images on which steps are compared: wider, higher, and smaller than most models take.
_PROBES = ((251, 180), (180, 251), (29, 40))
# One level of 256: what two implementations of one filter may differ by.
_LEVEL = 1 / 255


def image_steps(processor: Any, channels: int, where: str) -> tuple[StepSpec, ...]:
    """The steps that do what `processor` does.

    Raises:
        InputError: One of its steps is of a kind that is not known; the message names it.
    """
    name = kind_of(processor).__name__.removesuffix("Pil")
    if channels not in (1, 3):
        raise InputError(f"'{where}': its model takes images of {channels} channels; 1 and 3 are supported.")
    if name not in _OF_THEIR_OWN:
        _refuse_unknown(processor, name, where)
    if getattr(processor, "do_pad", None) and getattr(processor, "pad_size", None):
        raise InputError(
            f"'{where}': its image processor {name} has the step 'pad' to a fixed size, which is not supported."
        )
    decode = StepSpec("decode_image", {"mode": "RGB" if channels == 3 else "L"})
    sized = _OF_THEIR_OWN.get(name, _resized)(processor)
    return (decode, *sized, StepSpec("normalize_image", _normalize(processor, channels)))


def kind_of(processor: Any) -> type:
    """The class of a processor, of one for videos as well, which wraps it to be that of one frame."""
    return type(getattr(processor, "whole", processor))


def _refuse_unknown(processor: Any, name: str, where: str) -> None:
    from transformers.image_processing_backends import PilBackend

    own = [method for method in _METHODS if getattr(kind_of(processor), method) is not getattr(PilBackend, method)]
    if own:
        raise InputError(
            f"'{where}': its image processor {name} has a step '{own[0]}' of its own, which is not supported."
        )
    asked = [key for key, value in vars(processor).items() if key.startswith("do_") and value and key not in _KNOWN]
    if asked:
        raise InputError(f"'{where}': its image processor {name} has the step '{asked[0]}', which is not supported.")


def _resized(processor: Any) -> tuple[StepSpec, ...]:
    steps = []
    if processor.do_resize:
        size = {key: getattr(processor.size, key) for key in ("height", "width", "shortest_edge")}
        steps.append(_resize(processor, **size))
    if processor.do_center_crop:
        steps.append(StepSpec("crop_image", {"height": processor.crop_size.height, "width": processor.crop_size.width}))
    return tuple(steps)


def _convnext(processor: Any) -> tuple[StepSpec, ...]:
    """ConvNeXT and ResNet: below 384 the centre of a larger image, above it the whole image pressed into a square."""
    edge = processor.size.shortest_edge
    if not processor.do_resize:
        return _resized(processor)
    if edge >= 384:
        return (_resize(processor, height=edge, width=edge), *_resized(_Without(processor)))
    larger = int(edge / processor.crop_pct)
    crop = StepSpec("crop_image", {"height": edge, "width": edge})
    return (_resize(processor, shortest_edge=larger), crop, *_resized(_Without(processor)))


def _detr(processor: Any) -> tuple[StepSpec, ...]:
    """DETR's kin: to a shorter edge unless the longer one gets too long, or into a size, or to exactly that size."""
    if not processor.do_resize:
        return ()
    size = processor.size
    if size.shortest_edge and size.longest_edge:
        options = {"shortest_edge": size.shortest_edge, "longest_edge": size.longest_edge}
        if kind_of(processor).__name__.startswith("Yolos"):
            options["multiple_of"] = 16
        return (StepSpec("fit_image", {"filter": _filter(processor), **options}),)
    if size.max_height and size.max_width:
        options = {"height": size.max_height, "width": size.max_width}
        return (StepSpec("fit_image", {"filter": _filter(processor), **options}),)
    return (_resize(processor, height=size.height, width=size.width),)


def _dpt(processor: Any) -> tuple[StepSpec, ...]:
    """DPT and Depth Anything: the proportions kept or not, edges to the nearest multiple."""
    multiple = int(processor.ensure_multiple_of or 1)
    if not processor.do_resize or not (processor.size.height and processor.size.width):
        return _resized(processor)
    size = {"height": int(processor.size.height), "width": int(processor.size.width)}
    if processor.keep_aspect_ratio:
        return (_scaled(processor, multiple_of=multiple, **size),)
    return (_resize(processor, **{edge: round(pixels / multiple) * multiple for edge, pixels in size.items()}),)


def _glpn(processor: Any) -> tuple[StepSpec, ...]:
    """GLPN: edges cut down to a multiple."""
    return (_scaled(processor, multiple_of=int(processor.size_divisor)),) if processor.do_resize else ()


def _vitpose(processor: Any) -> tuple[StepSpec, ...]:
    """ViTPose: a box, with a border."""
    return (StepSpec("crop_box", {"height": int(processor.size.height), "width": int(processor.size.width)}),)


def _sam(processor: Any) -> tuple[StepSpec, ...]:
    """SAM: the longer edge to a length; parts of a pixel are rounded up from a half on."""
    edge = int(processor.size.longest_edge)
    options = {"height": edge, "width": edge, "rounding": "half_up"}
    return (StepSpec("fit_image", {"filter": _filter(processor), **options}),)


class _Without:
    """A processor that does not resize."""

    do_resize = False

    def __init__(self, processor: Any) -> None:
        self.do_center_crop = processor.do_center_crop
        self.crop_size = processor.crop_size


# Processors with code of their own that is known: their steps up to the pixels.
_OF_THEIR_OWN: dict[str, Callable[[Any], tuple[StepSpec, ...]]] = {
    # Their own code is about the labels of segmentation.
    "BeitImageProcessor": _resized,
    "MobileNetV2ImageProcessor": _resized,
    "SegformerImageProcessor": _resized,
    # Their own code is about reading the page, which is turned off.
    "LayoutLMv3ImageProcessor": _resized,
    # Of each frame.
    "VideoMAEImageProcessor": _resized,
    "DPTImageProcessor": _dpt,
    "GLPNImageProcessor": _glpn,
    "SamImageProcessor": _sam,
    "VitPoseImageProcessor": _vitpose,
    "ConvNextImageProcessor": _convnext,
    # What differs is in `_normalize`.
    "EfficientNetImageProcessor": _resized,
    "MobileViTImageProcessor": _resized,
    # A batch of images would be padded to the largest; each is answered by itself.
    "ConditionalDetrImageProcessor": _detr,
    "DeformableDetrImageProcessor": _detr,
    "DetrImageProcessor": _detr,
    "RTDetrImageProcessor": _detr,
    "YolosImageProcessor": _detr,
}


def _resize(processor: Any, **size: int | None) -> StepSpec:
    known = {key: value for key, value in size.items() if value}
    return StepSpec("resize_image", {"filter": _filter(processor), **known})


def _scaled(processor: Any, **size: int) -> StepSpec:
    return StepSpec("scale_image", {"filter": _filter(processor), **size})


def _filter(processor: Any) -> str:
    return _FILTERS[2 if processor.resample is None else int(processor.resample)]


def _normalize(processor: Any, channels: int) -> dict[str, object]:
    options: dict[str, object] = {"output": "pixel_values", "channels": channels}
    if processor.do_rescale:
        options["scale"] = processor.rescale_factor
        if getattr(processor, "rescale_offset", False):
            options["shift"] = 1.0
    pairs = []
    deviation = _of_channels(processor.image_std, channels)
    if processor.do_normalize:
        pairs.append({"mean": _of_channels(processor.image_mean, channels), "std": deviation})
    if getattr(processor, "include_top", False):
        # EfficientNet was trained on pixels that were divided by the deviation a second time.
        pairs.append({"mean": [0.0] * channels, "std": deviation})
    if pairs:
        options["normalize"] = pairs
    if getattr(processor, "do_flip_channel_order", False):
        options["order"] = "BGR"
    return options


def _of_channels(values: Any, channels: int) -> list[float]:
    if isinstance(values, (list, tuple)):
        return [float(value) for value in values]
    return [float(values or 0)] * channels


def fixed_size(steps: tuple[StepSpec, ...], where: str) -> tuple[int, int]:
    """Height and width of every image that the steps make.

    Raises:
        InputError: Images of different sizes come out.
    """
    sized = [step for step in steps if step.step in ("resize_image", "crop_image")]
    options = sized[-1].options if sized else {}
    if "height" not in options:
        last = "its last one is resize to a shortest edge" if sized else "it has no step that sets a size"
        raise InputError(
            f"'{where}': its image processor gives images of different sizes ({last}); a graph takes one size.",
            hint="Set do_center_crop and crop_size, or a size of height and width, in preprocessor_config.json.",
        )
    return int(options["height"]), int(options["width"])


def refuse_unlike(processor: Any, steps: tuple[StepSpec, ...], channels: int, where: str) -> None:
    """Run both on images of several sizes, step by step.

    Raises:
        InputError: A step differs by more than one level of 256; the message names it.
    """
    from PIL import Image

    off = {"do_resize": False, "do_center_crop": False, "do_rescale": False, "do_normalize": False}
    kind = kind_of(processor).__name__
    # GLPN's makes nothing of an edge below its multiple.
    least = int(processor.size_divisor) if kind.startswith("GLPN") and processor.do_resize else 1
    probes = [size for size in _PROBES if min(size) >= least]
    if not probes:
        raise InputError(
            f"'{where}': its image processor {kind} makes edges a multiple of {least} pixels, which cannot be checked "
            f"on the images that steps are compared on, of {max(map(min, _PROBES))} pixels at most.",
            hint="Set size_divisor to what the model needs, usually 32.",
        )
    for height, width in probes:
        image = Image.fromarray(_probe(height, width, channels))
        for name, changes, count in (
            ("resize", off | {"do_resize": processor.do_resize, "do_center_crop": processor.do_center_crop}, -1),
            ("normalize", {}, None),
        ):
            later = ("include_top", "do_flip_channel_order")
            extra = {key: False for key in later if changes and hasattr(processor, key)}
            theirs = processor(image, return_tensors="np", **changes, **extra)["pixel_values"][0]
            ours = _run(steps[:count], image)
            # Levels of 256 while the pixels are bytes; afterwards what the model sees, in units of its own.
            allowed = 1.0 if changes else _LEVEL
            if ours.shape != theirs.shape or not np.abs(ours - theirs.astype(np.float64)).max() <= allowed:
                raise InputError(
                    f"'{where}': the step '{name}' of its image processor {kind} cannot be "
                    f"reproduced (an image of {width} x {height} came out differently)."
                )


def _run(steps: tuple[StepSpec, ...], image: Any) -> Any:
    """What the steps make of an image; without the last one its pixels, channels first."""
    values: dict[str, Any] = {"image": image}
    for step in steps:
        values |= make_free_step(step)(values)
    if "pixel_values" in values:
        return values["pixel_values"][0]
    pixels = np.asarray(values["image"])
    return pixels[None] if pixels.ndim == 2 else np.moveaxis(pixels, -1, 0)


def _probe(height: int, width: int, channels: int) -> Any:
    """Slopes with noise: smooth as photos are, and with edges where filters differ."""
    rows, columns = np.mgrid[0:height, 0:width]
    slopes = np.stack([rows * 255 / height, columns * 255 / width, (rows + columns) % 256], axis=-1)
    noise = np.random.default_rng(0).integers(-40, 40, slopes.shape)
    pixels = np.clip(slopes + noise, 0, 255).astype(np.uint8)
    return pixels if channels == 3 else pixels[:, :, 0]
