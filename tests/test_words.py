"""Messages are in plain English: no sentence that a user sees has the turns of phrase that the glossary replaced."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("compiler", "benchmarks/edgewright_benchmarks", "runtime", "targets")
# In "'7x' is no number" and "such a one" the reader has to find the noun. "There is no file" is plain, and so
# is a comparison ("is no longer").
DIALECT = re.compile(
    r"(?<!\bthere )\b(?:is|are|was|were) (?:no (?!longer\b|more\b|less\b|better\b|slower\b)\w|none\b(?! of them))"
    r"|\bsuch a one\b|\bwhat is right\b|\bgiven (?:was|were)\b",
    re.IGNORECASE,
)


def _docstrings(tree: ast.AST) -> set[int]:
    """Docstrings, by the identity of their nodes: users do not see them."""
    bodies = (body for node in ast.walk(tree) if isinstance(body := getattr(node, "body", None), list))
    return {id(line.value) for body in bodies for line in body if isinstance(line, ast.Expr)}


def _messages(path: Path) -> Iterator[tuple[int, str]]:
    """Texts of several words in a file, with their lines; placeholders of f-strings are `{}`."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skipped = _docstrings(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            skipped |= {id(part) for part in node.values}
            yield (
                node.lineno,
                "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values),
            )
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in skipped:
            yield node.lineno, node.value


def test_messages_are_plain() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}: {text}"
        for room in ROOMS
        for path in sorted((ROOT / room).rglob("*.py"))
        for line, text in _messages(path)
        if DIALECT.search(text)
    ]
    assert not found, "\n".join(["Say it in plain words, as CONTRIBUTING.md shows:", *found])


def test_the_turns_of_phrase_are_found() -> None:
    for text in (
        "'7x' is no number.",
        "'a.txt' is none.",
        "This machine is such a one.",
        "What is right",
        "given was 3",
    ):
        assert DIALECT.search(text), text
    for text in ("There is no file 'a'.", "The engine is no longer there.", "The engine is not an NPU's."):
        assert not DIALECT.search(text), text
