"""The table of steps in docs/package.md is that of the code: a reader writes manifests by it."""

import re
from pathlib import Path

import pytest

from edgewright_runtime.steps import STEPS, step_class
from edgewright_runtime.steps.options import option_types

PAGE = Path(__file__).resolve().parents[2] / "docs" / "package.md"


def rows() -> dict[str, set[str]]:
    """Step to the options in its row: words in code outside of parentheses, which hold values and kinds.

    What a step shares with another step is that one's.
    """
    text = PAGE.read_text(encoding="utf-8").split("### Steps")[1]
    cells = {found[1]: found[2] for line in text.splitlines() if (found := re.match(r"\| `(\w+)` \| ([^|]*) \|", line))}
    shared = {step: re.findall(r"those of `(\w+)`", cell) for step, cell in cells.items()}
    own = {step: re.sub(r"\([^)]*\)|those of `\w+`", "", cell) for step, cell in cells.items()}
    words = {step: set(re.findall(r"`(\w+)`", cell)) for step, cell in own.items()}
    return {step: words[step].union(*(words[other] for other in shared[step])) for step in cells}


def test_every_step_has_a_row() -> None:
    assert set(rows()) == set(STEPS)


@pytest.mark.parametrize("step", STEPS)
def test_the_options_of_a_row_are_those_of_the_step(step: str) -> None:
    assert rows()[step] == set(option_types(step_class(step)))
