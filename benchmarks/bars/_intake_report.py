"""What came of all sources: kept as lines of JSON, counted against the goals, and as a table."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from _intake_run import Outcome, Typed, setup_of
from _intake_source import Source

# Sources that have to be tried, the share that reaches its task at the first or second command, and the share that
# answers right or is refused in a sentence.
LEAST, REACHED, RIGHT = 25, 22 / 25, 1.0
_HEADINGS = ("source", "weights", "task", "first command", "came of it", "answers as the source's library")
_CAME = {"first": "at the first command", "second": "at the second", "refused": "refused"}


def append(results: Path, outcome: Outcome) -> None:
    """Add a line to the file of results, after one that was cut off too."""
    before = results.read_text(encoding="utf-8") if results.exists() else ""
    results.parent.mkdir(parents=True, exist_ok=True)
    whole = not before or before.endswith("\n")
    with results.open("a", encoding="utf-8") as file:
        file.write(("" if whole else "\n") + json.dumps(asdict(outcome)) + "\n")


def kept(results: Path, sources: Sequence[Source]) -> dict[str, Outcome]:
    """The last outcome of each source that is kept of the commands that are written down now.

    What could not be fetched is tried again: it says nothing of the source.
    """
    setups = {source.name: setup_of(source) for source in sources}
    found: dict[str, Outcome] = {}
    lines = results.read_text(encoding="utf-8").splitlines() if results.exists() else []
    # The last line of a call that was ended may be cut off.
    for data in (json.loads(line) for line in lines if line.endswith("}")):
        one = Outcome(**{**data, "typed": tuple(Typed(**typed) for typed in data["typed"])})
        if one.setup == setups.get(one.name, "") and one.verdict != "not run":
            found[one.name] = one
    return found


def goals(outcomes: Sequence[Outcome]) -> tuple[bool, str]:
    """Whether the goals are met, and a sentence with the counts. What was not run counts for nothing."""
    counts = Counter(one.verdict for one in outcomes)
    tried = sum(counts.values()) - counts["not run"]
    reached, right = counts["first"] + counts["second"], tried - counts["WRONG"]
    met = tried >= LEAST and reached >= REACHED * tried and right >= RIGHT * tried
    text = (
        f"{reached} of {tried} sources reached a package with their task, {counts['first']} of them at the first "
        f"command; {right} of {tried} answer as their own library does or were refused in a sentence."
    )
    if counts["not run"]:
        text += f" {counts['not run']} were not run."
    return met, text


def as_markdown(sources: Sequence[Source], outcomes: Mapping[str, Outcome]) -> str:
    """The table of the sources that were tried, and below it what a person read on the way to a second command."""
    tried = [source for source in sources if source.name in outcomes]
    if not tried:
        return "Nothing was tried yet."
    _, head = goals(list(outcomes.values()))
    lines = [head, "", _line(_HEADINGS), _line(["---"] * len(_HEADINGS))]
    notes = []
    for source in tried:
        one = outcomes[source.name]
        first = f"`{one.typed[0].words}`" if one.typed else ""
        came = _CAME.get(one.verdict, one.verdict)
        lines.append(_line([source.name, source.weights, f"`{source.task}`", first, came, one.answers]))
        notes += _notes(source, one)
    return "\n".join([*lines, *[""] * bool(notes), *notes])


def _notes(source: Source, outcome: Outcome) -> list[str]:
    """Why there was a second command, or none, and what is wrong."""
    found = []
    if len(outcome.typed) > 1 and source.second is not None:
        done = f"{source.second.done}, then " if source.second.done else ""
        found.append(f'"{_sentence(outcome.typed[0].said)}" Second: {done}`{outcome.typed[1].words}`.')
    if outcome.verdict in ("refused", "WRONG", "not run"):
        found.append(f"{outcome.verdict}: {_sentence(outcome.note)}")
    return [f"- {source.name}: {' '.join(found)}"] if found else []


def _sentence(text: str) -> str:
    """A message as the cell of a table or a line may have it."""
    return text.replace("|", "/").removeprefix("error: ").strip()


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"
