"""Counts over the whole tree: what a reader relies on everywhere, and what may only become less."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("compiler", "benchmarks", "runtime", "targets", "tests", "examples")
# Beyond so many, fields of a dataclass are named where it is made: with one more in between, values would shift.
MOST_BY_POSITION = 5


def trees(*folders: str) -> Iterator[tuple[Path, ast.Module]]:
    """Path from the root and syntax tree of each module below these folders."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path.relative_to(ROOT), ast.parse(path.read_text(encoding="utf-8"), str(path))


def _decorator(node: ast.ClassDef) -> ast.expr | None:
    for decorator in node.decorator_list:
        called = decorator.func if isinstance(decorator, ast.Call) else decorator
        if ast.unparse(called) in ("dataclass", "dataclasses.dataclass"):
            return decorator
    return None


def _by_position(node: ast.ClassDef) -> int:
    """Fields that `node`, a dataclass, takes by position; of a class that is none 0."""
    decorator = _decorator(node)
    keywords = decorator.keywords if isinstance(decorator, ast.Call) else []
    if decorator is None or any(keyword.arg == "kw_only" for keyword in keywords):
        return 0
    annotations = [ast.unparse(one.annotation) for one in node.body if isinstance(one, ast.AnnAssign)]
    fields = [text for text in annotations if not text.startswith("ClassVar")]
    return fields.index("KW_ONLY") if "KW_ONLY" in fields else len(fields)


def test_fields_of_large_dataclasses_are_named() -> None:
    wrong = [
        f"{path}:{node.lineno}: {node.name} has {_by_position(node)} fields; make it kw_only"
        for path, tree in trees(*FOLDERS)
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and _by_position(node) > MOST_BY_POSITION
    ]
    assert not wrong, "\n".join(wrong)
