"""Declared files: each says its kind, the wrong one is told where it belongs, and the page of keys is complete."""

import re
from dataclasses import dataclass, fields
from pathlib import Path

import pytest

from command import Command
from edgewright_compiler.applications.form import ApplicationFile, WholeBudgetFile, WholeDataFile
from edgewright_compiler.build_files.form import BudgetFile, BuildFile, DataFile, GatesFile, MeterFile
from edgewright_compiler.sources.declared_file import ComponentFile, DeclarationFile, InputFile, read_declaration
from edgewright_runtime.applications.declaration import FlowStep, ModelUse
from edgewright_targets import InputError, Recipe, load_target
from edgewright_targets.declared import FILE_KINDS, read_declared
from edgewright_targets.record import RecordError
from edgewright_targets.target_file import CandidateFile, TargetFile
from tiny_pipelines import DECLARATION

PAGE = (Path(__file__).resolve().parent.parent / "docs" / "declared.md").read_text(encoding="utf-8")
# In the order of the page.
FORMS = (
    *(ApplicationFile, ModelUse, FlowStep, WholeDataFile, WholeBudgetFile),
    *(BuildFile, DataFile, BudgetFile, MeterFile, GatesFile),
    *(DeclarationFile, ComponentFile, InputFile),
    *(TargetFile, CandidateFile, Recipe),
)
BOARD = 'title = "A board"\nextends = "aarch64"\n'


@dataclass(frozen=True)
class _Form:
    title: str


def _tables(text: str) -> list[list[str]]:
    """The first column of each table that begins with `| key`."""
    return [
        re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)
        for table in re.findall(r"^\| key \|.*\n(?:\|.*\n)+", text, re.MULTILINE)
    ]


def test_the_page_has_each_key_of_each_kind() -> None:
    common, *forms = _tables(PAGE)
    assert common == ["kind", "schema"]
    assert forms == [[field.name for field in fields(form)] for form in FORMS]


def test_the_page_has_each_kind() -> None:
    table = PAGE.partition("| kind |")[2].partition("\n\n")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == list(FILE_KINDS)


@pytest.mark.parametrize("head", ["", 'kind = "target"\n', 'kind = "target"\nschema = 1\n'])
def test_a_target_says_what_it_is_or_its_keys_do(tmp_path: Path, head: str) -> None:
    path = tmp_path / "board.toml"
    path.write_text(head + BOARD, encoding="utf-8")
    assert load_target(str(path)).title == "A board"


@pytest.mark.parametrize("head", ["", 'kind = "model"\n', 'schema = 1\nkind = "model"\n'])
def test_a_model_says_what_it_is_or_its_keys_do(tmp_path: Path, head: str) -> None:
    path = tmp_path / "tiny.toml"
    path.write_text(head + DECLARATION, encoding="utf-8")
    assert read_declaration(path).file.task == "keyword-spotting"


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        (
            'title = "x"\nkind = "modle"',
            2,
            "unknown kind 'modle'.\nDid you mean 'model'? Known: application, build, model, target.",
        ),
        ("kind = 3", 1, "unknown kind '3'.\nKnown: application, build, model, target."),
        (
            'title = "x"',
            None,
            'does not say what it declares.\nBegin it with the line: kind = "model". Kinds: ',
        ),
        ('kind = "target"', 1, "declares a target; a model of several graphs is expected here.\nPass it with --target"),
        ('extends = "aarch64"', None, "declares a target; a model of several graphs is expected here.\nPass it with"),
        ('extends = "a"\ncomponent = 1', None, "does not say what it declares"),
        ('kind = "model"\nschema = 2', 2, "has schema 2; this version of Edgewright reads up to 1.\nUpgrade with"),
        ('kind = "model"\nschema = "1"', 2, "schema: expected a number from 1 on"),
        ('kind = "model"\nschema = 0', 2, "schema: expected a number from 1 on"),
        ('kind = "model"\ntitel = "x"', 2, "unknown key 'titel'.\nDid you mean 'title'"),
        ('kind = "model"', None, "the key 'title' is missing"),
        ("kind =", None, "this is not valid TOML"),
    ],
)
def test_what_is_wrong_has_its_line(text: str, line: int | None, says: str) -> None:
    with pytest.raises(RecordError) as caught:
        read_declared(_Form, "model", text, "mine.toml")
    assert str(caught.value).startswith("mine.toml: " if line is None else f"mine.toml:{line}: ")
    assert says in str(caught.value)


def test_a_model_in_the_place_of_a_target_is_told_where_it_belongs(tmp_path: Path) -> None:
    path = tmp_path / "tiny.toml"
    path.write_text(DECLARATION, encoding="utf-8")
    with pytest.raises(InputError, match=r"declares a model of several graphs; a target is expected here.\nBuild it: "):
        load_target(str(path))


def test_a_target_in_the_place_of_a_model_is_told_where_it_belongs(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "board.toml"
    path.write_text(BOARD, encoding="utf-8")
    command.refuses("build", path, "-o", tmp_path / "p", says=["board.toml", "declares a target", "--target FILE"])


def test_a_file_without_end_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "large.toml"
    path.write_bytes(b"#" * (2**20 + 1))
    for read in (lambda: load_target(str(path)), lambda: read_declaration(path)):
        with pytest.raises(InputError, match="is larger than 1 MiB"):
            read()
