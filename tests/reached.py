"""What the code of a class reaches by name, across modules, without running it: which libraries it may import, say."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path


def libraries_reached(place: str, own: str, known: frozenset[str], places: Mapping[str, str]) -> set[str]:
    """The `known` modules that `module:name` imports, or whatever it names in modules of the package `own`.

    A text that is a key of `places` stands for the place there.
    """
    return {name for node in nodes_reached(place, own, places) for name in _imported(node) & known}


def nodes_reached(place: str, own: str, places: Mapping[str, str]) -> Iterator[ast.AST]:
    """All syntax of `module:name`, and of what it names; see `libraries_reached`."""
    module, _, name = place.partition(":")
    waiting, seen = [(module, name)], set[tuple[str, str]]()
    while waiting:
        at = waiting.pop()
        if at in seen:
            continue
        seen.add(at)
        body, names = _module(at[0])
        for node in body.get(at[1], ()):
            for inner in ast.walk(node):
                yield inner
                if isinstance(inner, ast.ImportFrom) and (inner.module or "").startswith(own):
                    waiting += [(inner.module or "", alias.name) for alias in inner.names]
                if isinstance(inner, ast.Constant) and inner.value in places:
                    there, _, name = places[str(inner.value)].partition(":")
                    waiting.append((there, name))
                if isinstance(inner, ast.Name):
                    waiting.append(names.get(inner.id, (at[0], inner.id)))


def _imported(node: ast.AST) -> set[str]:
    if isinstance(node, ast.Import):
        return {alias.name.split(".")[0] for alias in node.names}
    if isinstance(node, ast.ImportFrom) and node.level == 0:
        return {(node.module or "").split(".")[0]}
    return set()


@cache
def _module(name: str) -> tuple[dict[str, list[ast.stmt]], dict[str, tuple[str, str]]]:
    """The definitions of a module by name, and where the names that it imports at its top come from."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        return {}, {}
    tree = ast.parse(Path(spec.origin).read_text(encoding="utf-8"))
    body: dict[str, list[ast.stmt]] = {}
    names: dict[str, tuple[str, str]] = {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            body.setdefault(node.name, []).append(node)
        elif isinstance(node, ast.ImportFrom):
            names |= {alias.asname or alias.name: (node.module or "", alias.name) for alias in node.names}
    return body, names
