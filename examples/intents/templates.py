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

WORDS: dict[str, Any] = json.loads((Path(__file__).parent / "words.json").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Template:
    """One sentence template of one intent, with the kinds of devices that may fill `{name}`."""

    intent: str
    text: str
    domains: tuple[str, ...]
    sentence: Sentence = field(compare=False)


class English:
    """The English templates and everything that fills them."""

    def __init__(self) -> None:
        source = importlib.resources.files("home_assistant_intents") / "data" / "en.json"
        self._intents = Intents.from_dict(json.loads(source.read_text(encoding="utf-8")))
        self._numbers = get_rbnf_engine("en")

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

    def sentence(self, template: Template, rng: random.Random) -> str:
        """One random sentence of a template, single spaces, no noise."""
        return " ".join(self._walk(template.sentence.expression, template.domains, rng).split())

    def _walk(self, node: Expression, domains: tuple[str, ...], rng: random.Random) -> str:
        if isinstance(node, Text):
            return str(node.original_text)
        if isinstance(node, RuleReference):
            return self._walk(self._intents.expansion_rules[node.rule_name].expression, domains, rng)
        if isinstance(node, ListReference):
            return self._fill(node.list_name, domains, rng)
        if isinstance(node, Alternative):
            return self._walk(rng.choice(node.items), domains, rng)
        if isinstance(node, Permutation):
            # Parts that change places carry no spaces of their own.
            parts = rng.sample(node.items, len(node.items))
            return " " + " ".join(self._walk(part, domains, rng) for part in parts) + " "
        if isinstance(node, Sequence):
            return "".join(self._walk(item, domains, rng) for item in node.items)
        message = f"A template holds {type(node).__name__}, which this script does not know: was hassil updated?"
        raise TypeError(message)

    def _fill(self, name: str, domains: tuple[str, ...], rng: random.Random) -> str:
        if name == "name":
            return str(rng.choice(WORDS["name"][rng.choice(domains)]))
        if name in WORDS:
            return str(rng.choice(WORDS[name]))
        values = self._intents.slot_lists[name]
        if isinstance(values, TextSlotList):
            return self._walk(rng.choice(values.values).text_in, domains, rng)
        if isinstance(values, RangeSlotList):
            number = rng.randrange(values.start, values.stop + 1, values.step)
            # People type digits; a speech recogniser often writes words.
            return str(number) if rng.random() < 0.6 else str(self._numbers.format_number(number).text)
        message = f"The list '{name}' has no values: add some to words.json (it has {sorted(WORDS)})."
        raise ValueError(message)
