"""Make a labelled data set of smart-home commands: train.csv, validation.csv and test.csv.

Example:
    python make_data.py --out data
    python make_data.py --out data-zh --language zh-CN
"""

import argparse
import csv
import random
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from pathlib import Path

from noise import Heard, Typed
from templates import FILES, Commands, Template

SPLITS = ("train", "validation", "test")
# Share of an intent's templates that each split owns, where the intent has enough of them to share.
TEMPLATE_SHARE = {"train": 0.4, "validation": 0.3, "test": 0.3}


@dataclass(frozen=True)
class Dealing:
    """How templates are dealt to the splits.

    Attributes:
        enough: An intent with so many gives each split templates of its own; with fewer, the splits share them.
        same: What two templates have in common that are one.
    """

    enough: int
    same: Callable[[Template], Hashable]


NOISE: dict[str, type[Typed] | type[Heard]] = {"en": Typed, "zh-CN": Heard}
DEALINGS = {
    "en": Dealing(8, lambda template: template),
    # Every intent has four or more. Texts that are the same for other kinds of devices are one.
    "zh-CN": Dealing(4, lambda template: template.text),
}


def normalise(sentence: str) -> str:
    """The form in which two sentences count as the same."""
    return " ".join(sentence.lower().split())


def deal_templates(
    blocks: list[list[Template]], rng: random.Random, dealing: Dealing = DEALINGS["en"]
) -> dict[str, list[list[Template]]]:
    """Give every split templates of its own; an intent with too few of them shares all."""
    order = list(dict.fromkeys(dealing.same(template) for block in blocks for template in block))
    count = len(order)
    if count < dealing.enough:
        return dict.fromkeys(SPLITS, blocks)
    rng.shuffle(order)
    first = round(count * TEMPLATE_SHARE["train"])
    second = first + round(count * TEMPLATE_SHARE["validation"])
    owner = dict.fromkeys(order[:first], "train")
    owner |= dict.fromkeys(order[first:second], "validation") | dict.fromkeys(order[second:], "test")
    dealt: dict[str, list[list[Template]]] = {}
    for split in SPLITS:
        kept = [[template for template in block if owner[dealing.same(template)] == split] for block in blocks]
        dealt[split] = [block for block in kept if block]
    return dealt


def make_splits(sizes: dict[str, int], seed: int, language: str = "en") -> dict[str, list[tuple[str, ...]]]:
    """Draw rows of the text, its label and what the noise of the language says beside it.

    No sentence is in two splits or has two labels.

    Args:
        sizes: sentences wanted per intent, by split.
        seed: the same seed gives the same sentences.
        language: of the templates.
    """
    commands = Commands(language)
    noise = NOISE[language](commands.words)
    # Every sentence that was drawn, with its label and split: the one place where doubles and ambiguity show.
    drawn: dict[str, tuple[tuple[str, ...], str, str]] = {}
    ambiguous: set[str] = set()
    for intent, blocks in commands.templates().items():
        rng = random.Random(f"{seed} {intent}")
        dealt = deal_templates(blocks, rng, DEALINGS[language])
        missing = dict(sizes)
        # Splits take turns, in proportion, so an intent with few sentences does not end with one split empty.
        turns = [split for split in SPLITS for _ in range(sizes[split])]
        for _ in range(30):
            rng.shuffle(turns)
            for split in turns:
                if missing[split]:
                    said = noise(commands.pieces(rng.choice(rng.choice(dealt[split])), rng), rng)
                    key = normalise(said[0])
                    if key not in drawn:
                        drawn[key] = (said, intent, split)
                        missing[split] -= 1
                    elif drawn[key][1] != intent:
                        ambiguous.add(key)
    rows: dict[str, list[tuple[str, ...]]] = {split: [] for split in SPLITS}
    for key, ((text, *more), intent, split) in drawn.items():
        if key not in ambiguous:
            rows[split].append((text, intent, *more))
    for split in SPLITS:
        random.Random(f"{seed} {split}").shuffle(rows[split])
    return rows


def main() -> None:
    """Write the three files and print a summary."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder for the three CSV files")
    parser.add_argument("--language", choices=sorted(FILES), default="en", help="zh-CN also has tags of words")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--train", type=int, default=60, help="training sentences per intent")
    parser.add_argument("--validation", type=int, default=45, help="validation sentences per intent")
    parser.add_argument("--test", type=int, default=45, help="test sentences per intent")
    arguments = parser.parse_args()

    sizes = {split: getattr(arguments, split) for split in SPLITS}
    splits = make_splits(sizes, arguments.seed, arguments.language)
    arguments.out.mkdir(parents=True, exist_ok=True)
    print(f"{'split':<12}{'samples':>8}{'labels':>8}{'fewest a label':>16}")
    for split, rows in splits.items():
        with (arguments.out / f"{split}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(("text", "label", *NOISE[arguments.language].columns))
            writer.writerows(rows)
        labels = [label for _, label, *_ in rows]
        counts = {label: labels.count(label) for label in sorted(set(labels))}
        print(f"{split:<12}{len(rows):>8}{len(counts):>8}{min(counts.values()):>16}")


if __name__ == "__main__":
    main()
