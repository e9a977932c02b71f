"""A small network that reads the characters of a command, and a CRF that ties the tags of its words together."""

import torch
from torch import Tensor, nn
from torch.nn import functional

# Tokens of a text at most.
LONGEST = 64
HEADS = 4


class Block(nn.Module):
    """Each character looks at all others of its text."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.before, self.between = nn.LayerNorm(width), nn.LayerNorm(width)
        self.asked, self.joined = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.wide, self.narrow = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.drop = nn.Dropout(0.1)

    def forward(self, states: Tensor, inside: Tensor) -> Tensor:
        """States of shape [texts, characters, width], and which characters are no padding."""
        parts = self.asked(self.before(states)).chunk(3, dim=2)
        queries, keys, values = (part.unflatten(2, (HEADS, -1)).transpose(1, 2) for part in parts)
        seen = functional.scaled_dot_product_attention(queries, keys, values, attn_mask=inside[:, None, None, :])
        states = states + self.drop(self.joined(seen.transpose(1, 2).flatten(2)))
        return states + self.drop(self.narrow(functional.gelu(self.wide(self.between(states)))))


class Reader(nn.Module):
    """Characters and lengths to scores: of each character, or of the whole text.

    Args:
        characters: How many the vocabulary has.
        classes: How many scores there are.
        whole: Whether a text has scores, and not each of its characters.
        width: Numbers of a state.
        layers: How often characters look at one another.
    """

    def __init__(self, characters: int, classes: int, *, whole: bool, width: int = 128, layers: int = 3) -> None:
        super().__init__()
        self.whole = whole
        self.letters = nn.Embedding(characters, width)
        self.places = nn.Parameter(0.02 * torch.randn(LONGEST, width))
        # What stands beside a character says most about it.
        self.beside = nn.Conv1d(width, width, 5, padding=2)
        self.blocks = nn.ModuleList(Block(width) for _ in range(layers))
        self.norm, self.scores = nn.LayerNorm(width), nn.Linear(width, classes)

    def forward(self, characters: Tensor, lengths: Tensor) -> Tensor:
        """Tokens, int64 [texts, characters], and how many each text has, [texts]."""
        count = characters.shape[1]
        inside = torch.arange(count, device=characters.device)[None] < lengths[:, None]
        shown = inside[:, :, None].to(torch.float32)
        states = (self.letters(characters) + self.places[:count]) * shown
        states = states + functional.gelu(self.beside(states.transpose(1, 2)).transpose(1, 2))
        for block in self.blocks:
            states = block(states, inside)
        states = self.norm(states)
        if self.whole:
            states = (states * shown).sum(1) / shown.sum(1)
        scores: Tensor = self.scores(states)
        return scores


class Crf(nn.Module):
    """What one tag says of the next: scores of a tag (row) before another (column), of the first and of the last."""

    def __init__(self, tags: int) -> None:
        super().__init__()
        self.transitions = nn.Parameter(torch.zeros(tags, tags))
        self.start, self.end = nn.Parameter(torch.zeros(tags)), nn.Parameter(torch.zeros(tags))

    def loss(self, scores: Tensor, tags: Tensor, counts: Tensor) -> Tensor:
        """The negative logarithm of the probability of the right tags, a mean over texts.

        Args:
            scores: [texts, words, tags].
            tags: The right ones, [texts, words].
            counts: Words of each text, [texts]; one at least.
        """
        inside = torch.arange(scores.shape[1])[None] < counts[:, None]
        steps = scores.gather(2, tags[:, :, None])[:, :, 0]
        turns = self.transitions[tags[:, :-1], tags[:, 1:]]
        last = tags.gather(1, counts[:, None] - 1)[:, 0]
        right = self.start[tags[:, 0]] + (steps * inside).sum(1) + (turns * inside[:, 1:]).sum(1) + self.end[last]
        paths = self.start + scores[:, 0]
        for word in range(1, scores.shape[1]):
            longer = torch.logsumexp(paths[:, :, None] + self.transitions, dim=1) + scores[:, word]
            paths = torch.where(inside[:, word, None], longer, paths)
        return (torch.logsumexp(paths + self.end, dim=1) - right).mean()

    def best(self, scores: Tensor) -> list[int]:
        """The likeliest tags of a text, by Viterbi's algorithm, of scores of shape [words, tags]."""
        paths, came_from = self.start + scores[0], []
        for row in scores[1:]:
            highest, before = (paths[:, None] + self.transitions).max(dim=0)
            paths = highest + row
            came_from.append(before)
        found = [int((paths + self.end).argmax())]
        for before in reversed(came_from):
            found.append(int(before[found[-1]]))
        return found[::-1]
