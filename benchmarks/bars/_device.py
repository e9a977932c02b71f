"""One package on what stands for a device: a process that has the runtime, and in which nothing heavy can be imported.

    python _device.py PACKAGE ENGINE JOB.json FOLDER

The job is `samples`, the `options` of a call, and whether `tokens` are wanted where text is written. Into the folder it
writes `outputs-N.npz`, what the engine gave for each sample, and `answers.json`: the answers, and what was in memory in
the end.
"""

from __future__ import annotations

import importlib
import importlib.abc
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

# What a model is made with, and what no device has.
HEAVY = frozenset(
    {
        "edgewright_benchmarks", "edgewright_compiler", "jiwer", "onnx", "onnx_ir", "onnxscript", "pandas",
        "safetensors", "scipy", "sklearn", "torch", "torchaudio", "torchvision", "transformers",
    }
)  # fmt: skip


class Refuse(importlib.abc.MetaPathFinder):
    """Finds nothing, and lets no other finder look for what is heavy."""

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: Any = None) -> None:  # noqa: ARG002 - one protocol
        if fullname.partition(".")[0] in HEAVY:
            raise ModuleNotFoundError(f"'{fullname}' is not on this device")


def plain(value: Any) -> Any:
    """An answer as JSON has it."""
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, dict):
        return {str(key): plain(entry) for key, entry in value.items()}
    return [plain(entry) for entry in value] if isinstance(value, (list, tuple)) else value


def main(package: str, engine: str, job: str, folder: str) -> None:
    """See above."""
    before = HEAVY & {name.partition(".")[0] for name in sys.modules}
    sys.meta_path.insert(0, Refuse())
    for name in sorted(HEAVY):
        try:
            importlib.import_module(name)
        except ModuleNotFoundError:
            continue
        raise SystemExit(f"'{name}' could be imported.")
    import numpy as np

    from edgewright_runtime import load
    from edgewright_runtime.probe import Probe

    asked = json.loads(Path(job).read_text(encoding="utf-8"))
    answers = []
    with load(package, engine=engine, strict=True) as model:
        probe = Probe(model)
        for index, given in enumerate(asked["samples"]):
            sample = given
            if isinstance(given, dict) and set(given) == {"arrays"}:
                with np.load(given["arrays"], allow_pickle=False) as file:
                    sample = dict(file)
            np.savez(Path(folder) / f"outputs-{index}.npz", **probe.values_for_comparison(sample)["outputs"])
            values = model.run(sample, **asked["options"])
            written = values.get("generation") if asked["tokens"] else None
            answers.append(plain(model(sample, **asked["options"]) if written is None else list(written["tokens"])))
    loaded = sorted(HEAVY & {name.partition(".")[0] for name in sys.modules} | before)
    (Path(folder) / "answers.json").write_text(json.dumps({"answers": answers, "heavy": loaded}), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
