"""Make a labelled data set of smart-home commands: train.csv, validation.csv and test.csv.

Example:
    python make_data.py --out data
"""

import argparse
import csv
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from templates import WORDS, English, Template

SPLITS = ("train", "validation", "test")
# Share of an intent's templates that each split owns, where the intent has enough of them to share.
TEMPLATE_SHARE = {"train": 0.4, "validation": 0.3, "test": 0.3}
ENOUGH_TEMPLATES = 8


@dataclass(frozen=True)
class Noise:
    """How often a sentence comes out other than its template has it: chances a sentence, for typos a word."""

    polite: float = 0.3
    missing_word: float = 0.25
    typo: float = 0.12

    def __call__(self, sentence: str, rng: random.Random) -> str:
        """The sentence as a hurried person would type it."""
        words = sentence.split()
        if rng.random() < self.missing_word:
            # Only words that carry no meaning: without "off" nobody could tell the label.
            droppable = [index for index, word in enumerate(words) if word in WORDS["droppable"]]
            if droppable and len(words) > 2:
                del words[rng.choice(droppable)]
        words = [misspell(word, rng) if rng.random() < self.typo else word for word in words]
        if rng.random() < self.polite:
            if rng.random() < 0.6:
                words.insert(0, rng.choice(WORDS["polite_start"]))
            else:
                words.append(rng.choice(WORDS["polite_end"]))
        return " ".join(words)


def misspell(word: str, rng: random.Random) -> str:
    """One slip of the fingers; words below four letters stay, for 'on' and 'off' must not become each other."""
    if len(word) < 4:
        return word
    at = rng.randrange(1, len(word) - 1)
    slips: list[Callable[[], str]] = [
        lambda: word[:at] + word[at + 1 :],
        lambda: word[:at] + word[at] + word[at:],
        lambda: word[:at] + word[at + 1] + word[at] + word[at + 2 :],
    ]
    return rng.choice(slips)()


def normalise(sentence: str) -> str:
    """The form in which two sentences count as the same."""
    return " ".join(sentence.lower().split())


def deal_templates(blocks: list[list[Template]], rng: random.Random) -> dict[str, list[list[Template]]]:
    """Give every split templates of its own; an intent with too few of them shares all."""
    count = sum(len(block) for block in blocks)
    if count < ENOUGH_TEMPLATES:
        return dict.fromkeys(SPLITS, blocks)
    order = [template for block in blocks for template in block]
    rng.shuffle(order)
    first = round(count * TEMPLATE_SHARE["train"])
    second = first + round(count * TEMPLATE_SHARE["validation"])
    owner = dict.fromkeys(order[:first], "train")
    owner |= dict.fromkeys(order[first:second], "validation") | dict.fromkeys(order[second:], "test")
    dealt: dict[str, list[list[Template]]] = {}
    for split in SPLITS:
        kept = [[template for template in block if owner[template] == split] for block in blocks]
        dealt[split] = [block for block in kept if block]
    return dealt


def make_splits(sizes: dict[str, int], seed: int) -> dict[str, list[tuple[str, str]]]:
    """Draw `(text, label)` pairs; no sentence is in two splits or has two labels.

    Args:
        sizes: sentences wanted per intent, by split.
        seed: the same seed gives the same sentences.
    """
    english, noise = English(), Noise()
    # Every sentence that was drawn, with its label and split: the one place where doubles and ambiguity show.
    drawn: dict[str, tuple[str, str, str]] = {}
    ambiguous: set[str] = set()
    for intent, blocks in english.templates().items():
        rng = random.Random(f"{seed} {intent}")
        dealt = deal_templates(blocks, rng)
        missing = dict(sizes)
        # Splits take turns, in proportion, so an intent with few sentences does not end with one split empty.
        turns = [split for split in SPLITS for _ in range(sizes[split])]
        for _ in range(30):
            rng.shuffle(turns)
            for split in turns:
                if missing[split]:
                    text = noise(english.sentence(rng.choice(rng.choice(dealt[split])), rng), rng)
                    key = normalise(text)
                    if key not in drawn:
                        drawn[key] = (text, intent, split)
                        missing[split] -= 1
                    elif drawn[key][1] != intent:
                        ambiguous.add(key)
    rows: dict[str, list[tuple[str, str]]] = {split: [] for split in SPLITS}
    for key, (text, intent, split) in drawn.items():
        if key not in ambiguous:
            rows[split].append((text, intent))
    for split in SPLITS:
        random.Random(f"{seed} {split}").shuffle(rows[split])
    return rows


def main() -> None:
    """Write the three files and print a summary."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder for the three CSV files")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--train", type=int, default=60, help="training sentences per intent")
    parser.add_argument("--validation", type=int, default=45, help="validation sentences per intent")
    parser.add_argument("--test", type=int, default=45, help="test sentences per intent")
    arguments = parser.parse_args()

    sizes = {split: getattr(arguments, split) for split in SPLITS}
    splits = make_splits(sizes, arguments.seed)
    arguments.out.mkdir(parents=True, exist_ok=True)
    print(f"{'split':<12}{'samples':>8}{'labels':>8}{'fewest a label':>16}")
    for split, rows in splits.items():
        with (arguments.out / f"{split}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(("text", "label"))
            writer.writerows(rows)
        labels = [label for _, label in rows]
        counts = {label: labels.count(label) for label in sorted(set(labels))}
        print(f"{split:<12}{len(rows):>8}{len(counts):>8}{min(counts.values()):>16}")


if __name__ == "__main__":
    main()
