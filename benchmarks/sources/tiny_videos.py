"""Videos of a moving square in every form that is taken, and a tiny VideoMAE for them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image

LABELS = ("down", "left", "right", "up")
_STEPS = {"down": (1, 0), "left": (0, -1), "right": (0, 1), "up": (-1, 0)}
FRAMES = 4
EDGE = 32
_SEED = 7


def motion(label: str, random: np.random.Generator, *, frames: int = 10) -> Any:
    """A bright square that moves in the label's direction over noise; uint8 [frames, height, width, 3]."""
    pixels = random.integers(0, 60, (frames, 48, 64, 3)).astype(np.uint8)
    down, across = _STEPS[label]
    for index in range(frames):
        top, left = 18 + down * 2 * (index - frames // 2), 26 + across * 2 * (index - frames // 2)
        pixels[index, top : top + 12, left : left + 12] = 230
    return pixels


def write_file(path: Path, frames: Any, *, codec: str = "mpeg4") -> Path:
    """A video file."""
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(codec, rate=10)
        stream.height, stream.width, stream.pix_fmt = frames.shape[1], frames.shape[2], "yuv420p"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode(None))
    return path


def write_frames(folder: Path, frames: Any) -> Path:
    """A folder of pictures."""
    folder.mkdir(parents=True)
    for index, frame in enumerate(frames):
        Image.fromarray(frame).save(folder / f"{index:03}.png")
    return folder


def write_motions(folder: Path, *, each: int = 3, seed: int = _SEED) -> Path:
    """A folder of videos for each label, of every form: files, folders of frames, arrays."""
    random = np.random.default_rng(seed)
    for label in LABELS:
        (folder / label).mkdir(parents=True)
        for index in range(each):
            frames = motion(label, random)
            if index % 3 == 0:
                write_file(folder / label / f"{index}.mp4", frames)
            elif index % 3 == 1:
                write_frames(folder / label / f"{index}", frames)
            else:
                np.savez(folder / label / f"{index}.npz", frames=frames)
    return folder


def write_checkpoint(folder: Path) -> Path:
    """A tiny VideoMAE with its processor, as `save_pretrained` writes them."""
    import torch
    from transformers import VideoMAEConfig, VideoMAEForVideoClassification

    torch.manual_seed(_SEED)
    options: dict[str, Any] = {
        "id2label": dict(enumerate(LABELS)),
        "label2id": {label: index for index, label in enumerate(LABELS)},
        "image_size": EDGE,
        "patch_size": 8,
        "num_frames": FRAMES,
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "initializer_range": 0.2,
    }
    config = VideoMAEConfig(**options)
    net: Any = VideoMAEForVideoClassification(config)
    net.eval().save_pretrained(folder)
    processor = {"image_processor_type": "VideoMAEImageProcessor", "size": {"shortest_edge": EDGE}}
    processor["crop_size"] = {"height": EDGE, "width": EDGE}
    (folder / "preprocessor_config.json").write_text(json.dumps(processor), encoding="utf-8")
    return folder
