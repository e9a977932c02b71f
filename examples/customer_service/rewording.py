"""The same question in other words, by rules: what people do to a question when they ask it."""

import random
import re
from collections.abc import Callable

# Words of the same meaning, and shorter or longer forms; in both directions where that is right.
WORDS = {
    "what is": "what's",
    "who is": "who's",
    "you are": "you're",
    "i am": "i'm",
    "do not": "don't",
    "can not": "can't",
    "cannot": "can't",
    "will not": "won't",
    "favorite": "favourite",
    "tell me about": "what do you know about",
    "what is the": "which is the",
    "who was the first": "which person was the first",
    "how many": "what number of",
    "how much": "what amount of",
    "what kind of": "what sort of",
    "why do": "for what reason do",
    "computer": "machine",
    "movie": "film",
    "is not working": "does not work",
    "my": "our",
    "big": "large",
    "biggest": "largest",
    "do you like": "do you enjoy",
    "do you eat": "do you ever eat",
    "author of": "writer of",
    "wrote": "was the author of",
    "invented": "was the inventor of",
    "start": "begin",
    "stands for": "means",
    "stand for": "mean",
    "country": "nation",
}
BEFORE = ("please tell me: ", "hello, ", "i would like to know, ", "a quick question: ", "excuse me, ", "so ")
BEHIND = (" please", " by the way", ", do you know", " exactly", " then")
# Words that are seldom typed in a hurry.
SMALL = re.compile(r"\b(?:the|a|an|of|do|does|is|are)\s+", re.IGNORECASE)


def other_words(text: str, chance: random.Random) -> str:
    """One expression in another way, where there is one."""
    fits = [words for words in WORDS if re.search(rf"\b{words}\b", text)]
    if not fits:
        return text
    words = chance.choice(fits)
    return re.sub(rf"\b{words}\b", WORDS[words], text, count=1)


def hurried(text: str, chance: random.Random) -> str:
    """Without one of its small words."""
    found = list(SMALL.finditer(text))
    if len(text.split()) < 4 or not found:
        return text
    gone = chance.choice(found)
    return text[: gone.start()] + text[gone.end() :]


def slipped(text: str, chance: random.Random) -> str:
    """With two letters of a long word in the wrong order.

    >>> slipped("who invented it", random.Random(3))
    'who invneted it'
    """
    places = [
        match.start() + index
        for match in re.finditer(r"[a-z]{5,}", text)
        for index in range(1, len(match[0]) - 2)
        if match[0][index] != match[0][index + 1]
    ]
    if not places:
        return text
    place = chance.choice(places)
    return text[:place] + text[place + 1] + text[place] + text[place + 2 :]


def lengthened(text: str, chance: random.Random) -> str:
    """With a phrase before or behind it."""
    return chance.choice(BEFORE) + text if chance.random() < 0.5 else text + chance.choice(BEHIND)


CHANGES: tuple[Callable[[str, random.Random], str], ...] = (other_words, hurried, slipped, lengthened)


def reworded(text: str, chance: random.Random) -> str:
    """The question in lower case, changed in two of the four ways."""
    text = text.lower().rstrip(" ?.!")
    for change in chance.sample(CHANGES, 2):
        text = change(text, chance)
    return text
