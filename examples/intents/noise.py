"""How people say what a template has, and what each word of it is: the noise of real commands."""

import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from templates import Piece

# A word of a text without spaces, as Edgewright counts them: letters and digits of other scripts together, else a sign.
_WORD = re.compile(r"[A-Za-z0-9.%]+|\S")


@dataclass(frozen=True)
class Typed:
    """A sentence as a hurried person types it. Chances are a sentence, those of typos a word."""

    words: Mapping[str, Any]
    polite: float = 0.3
    missing_word: float = 0.25
    typo: float = 0.12
    # Columns of the data beside the text and its label.
    columns: tuple[str, ...] = ()

    def __call__(self, pieces: Sequence[Piece], rng: random.Random) -> tuple[str, ...]:
        """The text alone: what a slot is filled with may be misspelt or be missing a word."""
        words = "".join(piece.text for piece in pieces).split()
        if rng.random() < self.missing_word:
            # Only words that carry no meaning: without "off" nobody could tell the label.
            droppable = [index for index, word in enumerate(words) if word in self.words["droppable"]]
            if droppable and len(words) > 2:
                del words[rng.choice(droppable)]
        words = [misspell(word, rng) if rng.random() < self.typo else word for word in words]
        if rng.random() < self.polite:
            if rng.random() < 0.6:
                words.insert(0, rng.choice(self.words["polite_start"]))
            else:
                words.append(rng.choice(self.words["polite_end"]))
        return (" ".join(words),)


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


class _Letter(NamedTuple):
    """A letter with the slot that its piece fills, and the number of this piece."""

    text: str
    slot: str = ""
    piece: int = -1


@dataclass(frozen=True)
class Heard:
    """A sentence without spaces as a recogniser of speech writes it. Chances are a sentence, of slips a letter."""

    words: Mapping[str, Any]
    polite: float = 0.4
    missing_word: float = 0.25
    slip: float = 0.05
    columns: tuple[str, ...] = ("tags",)

    def __call__(self, pieces: Sequence[Piece], rng: random.Random) -> tuple[str, ...]:
        """The text, and the tags of its words: `B-` where what fills a slot begins, `I-` inside of it, else `O`."""
        letters = [_Letter(letter, piece.slot, number) for number, piece in enumerate(pieces) for letter in piece.text]
        if rng.random() < self.missing_word:
            droppable = self.words["droppable"]
            around = [index for index, one in enumerate(letters) if not one.slot and one.text in droppable]
            if around and len(letters) > 2:
                del letters[rng.choice(around)]
        # Another character of the same sound.
        slips = self.words["slips"]
        letters = [
            one._replace(text=slips[one.text]) if one.text in slips and rng.random() < self.slip else one
            for one in letters
        ]
        if rng.random() < self.polite:
            start = rng.random() < 0.5
            more = [_Letter(letter) for letter in rng.choice(self.words["polite_start" if start else "polite_end"])]
            letters = [*more, *letters] if start else [*letters, *more]
        return "".join(one.text for one in letters), " ".join(_tags(letters))


def _tags(letters: Sequence[_Letter]) -> list[str]:
    """The tag of each word, which is that of its first letter."""
    tags, before = [], -1
    for word in _WORD.finditer("".join(one.text for one in letters)):
        first = letters[word.start()]
        tags.append(f"{'I' if first.piece == before else 'B'}-{first.slot}" if first.slot else "O")
        before = first.piece
    return tags
