"""The table of steps in docs/package.md is that of the code: a reader writes manifests by it."""

import re
from pathlib import Path

import pytest

from edgewright_runtime.steps import STEPS, _step_class
from edgewright_runtime.steps.options import _hints

PAGE = Path(__file__).resolve().parents[2] / "docs" / "package.md"


def rows() -> dict[str, set[str]]:
    """Step to the words in code of the column of its options; what it shares with another step is that one's."""
    text = PAGE.read_text(encoding="utf-8").split("### Steps")[1]
    cells = {found[1]: found[2] for line in text.splitlines() if (found := re.match(r"\| `(\w+)` \| ([^|]*) \|", line))}
    words = {step: set(re.findall(r"`(\w+)`", cell)) for step, cell in cells.items()}
    return {
        step: words[step].union(*(words[other] for other in re.findall(r"those of `(\w+)`", cell)))
        for step, cell in cells.items()
    }


def test_every_step_has_a_row() -> None:
    assert set(rows()) == set(STEPS)


@pytest.mark.parametrize("step", STEPS)
def test_every_option_is_in_its_row(step: str) -> None:
    assert set(_hints(_step_class(step))) <= rows()[step]
