"""Models of pictures and of loops for hardware that is not here: each engine is made, or says in words why not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import tiny_segmenters
from command import QUICK, Command
from edgewright_runtime.trt import RTX, missing
from snapdragon import needs_qnn
from tiny_targets import candidate_text

pytestmark = [
    *needs_qnn,
    pytest.mark.skipif(missing(RTX) is not None, reason=str(missing(RTX))),
]

CHIP, CARD = "snapdragon-8-gen-3", "rtx-40"
_NPU = candidate_text(
    "npu-int8", "npu-int8", "int8", "QNNExecutionProvider",
    engine="epcontext", provider_options={"htp_arch": "75", "soc_model": "57"},
)  # fmt: skip
_PLAN = candidate_text("tensorrt-fp16", "fp16", provider="TensorRT-RTX", engine="tensorrt-rtx")
_MASKS = """
import torch
from torch import nn


def net():
    torch.manual_seed(0)
    layers = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.ReLU(), nn.Conv2d(8, 4, 1))
    settings = {"image_processor_type": "ViTImageProcessor", "size": {"height": 40, "width": 48}}
    return layers, torch.zeros(2, 3, 40, 48), settings
"""


@pytest.fixture(scope="module")
def targets(tmp_path_factory: pytest.TempPathFactory) -> tuple[object, ...]:
    """A chip with one engine for its NPU, and a card with one plan: the least that shows what becomes of a family."""
    folder = tmp_path_factory.mktemp("targets")
    files = {}
    for base, engine in ((CHIP, _NPU), (CARD, _PLAN)):
        files[base] = folder / f"{base}-small.toml"
        candidates = candidate_text("cpu-fp32", "fp32") + engine
        files[base].write_text(f'title = "Small"\nextends = "{base}"\n{candidates}', encoding="utf-8")
    return tuple(part for file in files.values() for part in ("--target", file))


def built(command: Command, source: object, targets: tuple[object, ...], *data: object) -> dict[str, dict[str, Any]]:
    """Candidate to what became of it; of the two float engines, the card's."""
    output = command.folder / "p"
    done = command("build", source, *data, *targets, "-o", output, "--emulated-samples", 2, *QUICK, "--json")
    assert done.code == 0, done.err
    found: dict[str, dict[str, Any]] = {}
    for base in (CHIP, CARD):
        evidence = json.loads((output / "edgewright" / "evidence" / f"{base}-small.json").read_text(encoding="utf-8"))
        found |= {engine["name"].removeprefix(f"{base}-small-"): engine for engine in evidence["engines"]}
        assert evidence["chosen"] == f"{base}-small-cpu-fp32"
        baseline = next(engine for engine in evidence["engines"] if engine["name"] == evidence["chosen"])
        # The processor beside the accelerator was not run, whatever answered in its place.
        assert (baseline["rung"], baseline["status"], baseline.get("accuracy")) == ("declared", "baseline", None)
    return found


def test_masks_are_compiled_for_both(
    command: Command, targets: tuple[object, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scenes = tiny_segmenters.write_scenes(tmp_path / "scenes", count=6)
    (tmp_path / "tiny_masks.py").write_text(_MASKS, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    labels = tmp_path / "labels.txt"
    labels.write_text("\n".join(tiny_segmenters.LABELS), encoding="utf-8")
    data = ("--task", "image-segmentation", "--labels", labels, "--calibration", scenes, "--evaluation", scenes)
    engines = built(command, "tiny_masks:net", targets, *data)
    assert engines["npu-int8"]["rung"] == "emulated"
    assert engines["npu-int8"]["accuracy"]["samples"] == 2
    plan = engines["tensorrt-fp16"]
    assert (plan["rung"], plan["status"]) == ("compiled", "unfinished"), plan["reasons"]
    done = command("verify", command.folder / "p", "--target", targets[3])
    assert done.code == 2
    assert done.err_line.count("because the hardware is not here") == 1


def test_a_loop_stays_with_the_processor(
    command: Command, targets: tuple[object, ...], tiny_whisper: Path, spoken_clips: Path
) -> None:
    engines = built(command, tiny_whisper, targets, "--calibration", spoken_clips, "--evaluation", spoken_clips)
    for name, why in (("npu-int8", "loop whose windows or states"), ("tensorrt-fp16", "runs in a loop")):
        assert (engines[name]["rung"], engines[name]["status"]) == ("declared", "failed")
        assert engines[name]["reasons"][0].startswith("decoder: ")
        assert why in engines[name]["reasons"][0]
    evidence = json.loads(
        (command.folder / "p" / "edgewright" / "evidence" / f"{CHIP}-small.json").read_text(encoding="utf-8")
    )
    # What was done to the samples is said once, and not for each of them.
    resampled = [warning for warning in evidence["warnings"] if "it was resampled" in warning]
    assert len(resampled) == 1
    assert resampled[0].startswith("2 of 2 samples: The audio has 8,000 samples per second, the model takes 16,000")
