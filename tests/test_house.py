"""Counts over the whole tree: what a reader relies on everywhere, and what may only become less."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("compiler", "benchmarks", "runtime", "targets", "tests", "examples")
# Beyond so many, fields of a dataclass are named where it is made: with one more in between, values would shift.
MOST_BY_POSITION = 5
ROOMS = {
    "cli": "compiler/edgewright_cli",
    "compiler": "compiler/edgewright_compiler",
    "benchmarks": "benchmarks/edgewright_benchmarks",
    "serving": "runtime/edgewright_serving",
    "runtime": "runtime/edgewright_runtime",
    "targets": "targets/edgewright_targets",
}
# How often a room may say `dict[str, Any]` or `Mapping[str, Any]`, also by an alias. All rooms together once had 474.
# Lower a number when a room has fewer. What has known keys is a frozen dataclass or a `TypedDict`; what comes from
# outside is `object` until the strict reader or a check says what it is.
UNTYPED = {"cli": 7, "compiler": 49, "benchmarks": 1, "serving": 0, "runtime": 12, "targets": 0}
_MAPPINGS = ("dict", "Mapping", "MutableMapping", "OrderedDict", "defaultdict")
# Arguments that an interface asks for and a function does not use.
MOST_UNUSED_ARGUMENTS = 4
# Files in the compiler's root; the others lie in folders by stage.
MOST_IN_THE_ROOT = 12


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


def _is_untyped(node: ast.AST) -> bool:
    """Whether a node is `dict[str, Any]` or a relative of it."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return any(f"{name}[str, Any]" in node.value for name in _MAPPINGS)
    if not isinstance(node, ast.Subscript) or not isinstance(node.slice, ast.Tuple):
        return False
    key, *values = (ast.unparse(part).rpartition(".")[2] for part in node.slice.elts)
    return ast.unparse(node.value).rpartition(".")[2] in _MAPPINGS and (key, values) == ("str", ["Any"])


def _aliases(tree: ast.Module) -> set[str]:
    """Names that a module gives to types with such a mapping in them."""
    found = set()
    for node in tree.body:
        if isinstance(node, ast.Assign):
            value, targets = node.value, node.targets
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            value, targets = node.value, [node.target]
        else:
            continue
        # A type, not a call or a table.
        if isinstance(value, ast.Subscript | ast.BinOp) and any(map(_is_untyped, ast.walk(value))):
            found |= {target.id for target in targets if isinstance(target, ast.Name)}
    return found


def untyped(folder: str) -> list[str]:
    """The places in a folder that say `dict[str, Any]`, `Mapping[str, Any]` or an alias of them."""
    everywhere = set().union(*(_aliases(tree) for room in ROOMS.values() for _, tree in trees(room)))
    places = []
    for path, tree in trees(folder):
        imported = {
            alias.asname or alias.name
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
            if alias.name in everywhere
        }
        known = imported | _aliases(tree)
        for node in ast.walk(tree):
            by_alias = isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in known
            if _is_untyped(node) or by_alias:
                places.append(f"{path}:{getattr(node, 'lineno', 0)}")
    return places


@pytest.mark.parametrize("room", ROOMS)
def test_mappings_have_types(room: str) -> None:
    found = untyped(ROOMS[room])
    assert len(found) <= UNTYPED[room], f"{len(found)}:\n" + "\n".join(found)


def test_all_forms_of_untyped_mappings_are_counted() -> None:
    """Guards the test above: an alias, a mapping inside another type, a quoted annotation."""
    code = "Row = list[dict[str, Any]]\ndef read(a: Mapping[str, typing.Any], b: 'dict[str, Any]') -> Row: ..."
    tree = ast.parse(code)
    assert _aliases(tree) == {"Row"}
    assert sum(map(_is_untyped, ast.walk(tree))) == 3
    assert not any(map(_is_untyped, ast.walk(ast.parse("a: dict[str, object]\nb: dict[int, Any]"))))


def test_hardly_an_argument_is_unused() -> None:
    excuses = [
        f"{path}:{number}"
        for folder in ROOMS.values()
        for path in sorted((ROOT / folder).rglob("*.py"))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if re.search(r"noqa:.*\bARG002", line)
    ]
    assert len(excuses) <= MOST_UNUSED_ARGUMENTS, excuses


def test_the_root_of_the_compiler_stays_small() -> None:
    files = [path.name for path in (ROOT / ROOMS["compiler"]).glob("*.py")]
    assert 0 < len(files) <= MOST_IN_THE_ROOT, files
