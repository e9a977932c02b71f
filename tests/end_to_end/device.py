"""Runs in the bare environment of a device: answers sentences with a package, and writes what it got.

python device.py PACKAGE SENTENCES.json ANSWERS.npz [ENGINE]
"""

import json
import sys
from pathlib import Path

import numpy as np

import edgewright_runtime


def main() -> None:
    package, sentences, answers, *engine = sys.argv[1:]
    model = edgewright_runtime.load(package, engine=engine[0] if engine else None)
    texts = json.loads(Path(sentences).read_text(encoding="utf-8"))
    runs = [model.run(text) for text in texts]
    logits = np.concatenate([next(iter(run["outputs"].values())) for run in runs])
    labels = np.array([run["labels"][0]["label"] for run in runs])
    np.savez(answers, logits=logits, labels=labels, engine=np.array(model.engine.name))
    heavy = {"torch", "transformers", "onnx", "sklearn", "edgewright_compiler", "edgewright_benchmarks"}
    assert not heavy & set(sys.modules), heavy & set(sys.modules)


if __name__ == "__main__":
    main()
