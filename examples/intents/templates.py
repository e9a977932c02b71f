"""Sentence templates of home-assistant-intents: one random sentence at a time.

hassil's own sampler lists *every* sentence of a template, which is millions for some of them; this one walks a template
once and takes a random branch at each fork.
"""

import importlib.resources
import json
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hassil.expression import Alternative, Expression, ListReference, Permutation, RuleReference, Sentence, Sequence
from hassil.expression import TextChunk as Text
from hassil.intents import Intents, RangeSlotList, TextSlotList
from hassil.numbers import get_rbnf_engine

# Language of the templates to the file with what fills them.
FILES = {"en": "words.json", "zh-CN": "words.zh-CN.json"}


@dataclass(frozen=True)
class Template:
    """One sentence template of one intent, with the kinds of devices that may fill `{name}`."""

    intent: str
    text: str
    domains: tuple[str, ...]
    sentence: Sentence = field(compare=False)


@dataclass(frozen=True)
class Piece:
    """A part of a sentence; `slot` is what it fills, and empty for the words around."""

    text: str
    slot: str = ""


class Commands:
    """The templates of a language and everything that fills them.

    Attributes:
        words: What fills the lists that home-assistant-intents leaves to a household, and what people say around.
    """

    def __init__(self, language: str = "en") -> None:
        folder = importlib.resources.files("home_assistant_intents") / "data"
        self._intents = Intents.from_dict(json.loads((folder / f"{language}.json").read_text(encoding="utf-8")))
        self._numbers = get_rbnf_engine(language)
        own = Path(__file__).parent / FILES[language]
        self.words: dict[str, Any] = json.loads(own.read_text(encoding="utf-8"))

    def templates(self) -> dict[str, list[list[Template]]]:
        """Every intent's templates, in blocks: the templates of a block say the same thing in other words."""
        found: dict[str, list[list[Template]]] = {}
        for name, intent in self._intents.intents.items():
            seen: set[tuple[str, tuple[str, ...]]] = set()
            blocks = found.setdefault(name, [])
            for data in intent.data:
                domain = data.requires_context.get("domain") or ()
                domains = (domain,) if isinstance(domain, str) else tuple(domain)
                block = []
                for sentence in data.sentences:
                    text = str(sentence.text)
                    if (text, domains) not in seen:
                        seen.add((text, domains))
                        block.append(Template(name, text, domains, sentence))
                if block:
                    blocks.append(block)
        return found

    def pieces(self, template: Template, rng: random.Random) -> list[Piece]:
        """One random sentence of a template in pieces, no noise; between words there may be several spaces."""
        return self._walk(template.sentence.expression, template.domains, rng)

    def _walk(self, node: Expression, domains: tuple[str, ...], rng: random.Random) -> list[Piece]:
        if isinstance(node, Text):
            return [Piece(str(node.original_text))]
        if isinstance(node, RuleReference):
            return self._walk(self._intents.expansion_rules[node.rule_name].expression, domains, rng)
        if isinstance(node, ListReference):
            return [Piece(self._fill(node.list_name, domains, rng), node.slot_name)]
        if isinstance(node, Alternative):
            return self._walk(rng.choice(node.items), domains, rng)
        if isinstance(node, Permutation):
            # Parts that change places carry no spaces of their own.
            parts = rng.sample(node.items, len(node.items))
            return [Piece(" "), *(piece for part in parts for piece in (*self._walk(part, domains, rng), Piece(" ")))]
        if isinstance(node, Sequence):
            return [piece for item in node.items for piece in self._walk(item, domains, rng)]
        message = f"A template holds {type(node).__name__}, which this script does not know: was hassil updated?"
        raise TypeError(message)

    def _fill(self, name: str, domains: tuple[str, ...], rng: random.Random) -> str:
        if name == "name":
            return str(rng.choice(self.words["name"][rng.choice(domains)]))
        if name in self.words:
            return str(rng.choice(self.words[name]))
        values = self._intents.slot_lists[name]
        if isinstance(values, TextSlotList):
            return "".join(piece.text for piece in self._walk(rng.choice(values.values).text_in, domains, rng))
        if isinstance(values, RangeSlotList):
            number = rng.randrange(values.start, values.stop + 1, values.step)
            # People type digits; a speech recogniser often writes words.
            return str(number) if rng.random() < 0.6 else str(self._numbers.format_number(number).text)
        message = f"The list '{name}' has no values: add some to the words (there are {sorted(self.words)})."
        raise ValueError(message)
