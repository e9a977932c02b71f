"""Tokens to text as they come: pieces that never break a character, held back where a stop text may have begun."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class Pieces:
    """The text of one sequence, piece by piece.

    Args:
        tokenizer: A `tokenizers.Tokenizer`.
        prompt: Tokens before the new ones: some tokenizers write the first word of a text without its space.
        stop: Texts that end the sequence.

    Attributes:
        stopped: Whether a stop text came.
        tokens: All tokens so far.
        text: What they say, as far as it is certain, without the stop text.
    """

    def __init__(self, tokenizer: Any, prompt: Sequence[int], stop: Sequence[str] = ()) -> None:
        from tokenizers.decoders import DecodeStream

        self.stopped = False
        self._tokenizer = tokenizer
        # A few tokens are enough to know what a piece follows.
        self._before = list(prompt)[-8:]
        self._stream = DecodeStream(self._before, skip_special_tokens=True)
        self._stop = tuple(stop)
        self.tokens: list[int] = []
        self.text = ""
        self._given = 0

    def add(self, token: int) -> str:
        """The text that is certain now; often nothing."""
        if self.stopped:
            return ""
        self.tokens.append(token)
        piece = self._stream.step(self._tokenizer, token)
        if not piece:
            return ""
        self.text += piece
        if not self._stop:
            self._given += len(piece)
            return str(piece)
        found = [place for stop in self._stop if (place := self.text.find(stop, self._given)) >= 0]
        if found:
            self.stopped = True
            self.text = self.text[: min(found)]
            return self._give(len(self.text))
        return self._give(len(self.text) - self._begun())

    def _begun(self) -> int:
        """Characters at the end that a stop text may go on from."""
        longest = 0
        for stop in self._stop:
            for size in range(min(len(stop) - 1, len(self.text) - self._given), longest, -1):
                if self.text.endswith(stop[:size]):
                    longest = size
                    break
        return longest

    def _give(self, end: int) -> str:
        piece, self._given = self.text[self._given : end], max(end, self._given)
        return piece

    def rest(self) -> str:
        """What was held back, once no token comes any more: half characters are replaced."""
        if self.stopped:
            return ""
        decode = self._tokenizer.decode
        before = decode(self._before, skip_special_tokens=True)
        whole = decode([*self._before, *self.tokens], skip_special_tokens=True)
        # The stream waits with bytes that are not a character yet; the whole text has a replacement for them.
        if whole.startswith(before + self.text):
            self.text = whole[len(before) :]
        return self._give(len(self.text))
