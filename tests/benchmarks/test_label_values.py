"""Ground truth that is not one class of several, as people write it: numbers, two classes, several classes at once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from edgewright_benchmarks.data import Dataset, DataWarning, read_dataset
from edgewright_benchmarks.truth.label_values import number, one_of_two, several
from edgewright_targets import InputError

NAMES = ("joy", "anger", "fear")


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("joy", (0,)),
        ("fear;joy", (0, 2)),
        ("fear | joy", (0, 2)),
        ("fear;", (2,)),
        ("fear;fear", (2,)),
        ("", ()),
        (None, ()),
        ([], ()),
        ("[]", ()),
        (["anger"], (1,)),
        ('["anger", "joy"]', (0, 1)),
        ("['anger', 'joy']", (0, 1)),
        ([2, 0], (0, 2)),
        ("[2]", (2,)),
        ("0;2", (0, 2)),
        ([1, 0, 0], (0,)),
        ([0.0, 1.0, 1.0], (1, 2)),
        ("[0, 0, 0]", ()),
        ([True, False, True], (0, 2)),
    ],
)
def test_several_labels(cell: Any, expected: tuple[int, ...]) -> None:
    assert several(cell, NAMES, "here") == expected


@pytest.mark.parametrize(
    ("cell", "names", "says"),
    [
        ("joy,fear", NAMES, "unknown label 'joy,fear'"),
        ("Joy", NAMES, "Did you mean 'joy'"),
        ([3], NAMES, "no class 3"),
        ("joy;hope", NAMES, "unknown label 'hope'"),
        ([0, 1], ("off", "on"), "is ambiguous: the indices of two classes"),
        ("[1, 0]", ("off", "on"), "is ambiguous: the indices of two classes"),
    ],
)
def test_several_labels_that_are_none(cell: Any, names: tuple[str, ...], says: str) -> None:
    with pytest.raises(InputError, match=r"^here") as caught:
        several(cell, names, "here")
    assert says in f"{caught.value} {caught.value.hint}"


@pytest.mark.parametrize(("cell", "expected"), [("0.25", 0.25), (3, 3.0), ("-1e3", -1000.0), (0.5, 0.5)])
def test_numbers(cell: Any, expected: float) -> None:
    assert number(cell, ("LABEL_0",), "here") == expected


@pytest.mark.parametrize("cell", ["", "good", None, "nan", "inf", True, [1], "1,5", 10**400])
def test_what_is_no_number(cell: Any) -> None:
    with pytest.raises(InputError, match=r"here: .* is not a number"):
        number(cell, ("LABEL_0",), "here")


@pytest.mark.parametrize(
    ("cell", "names", "expected"),
    [
        ("0", ("LABEL_0",), 0),
        ("1.0", ("LABEL_0",), 1),
        (True, (), 1),
        ("False", (), 0),
        ("spam", ("ham", "spam"), 1),
        ("ham", ("ham", "spam"), 0),
        (1, ("ham", "spam"), 1),
        ("1", ("1", "0"), 0),
    ],
)
def test_one_of_two(cell: Any, names: tuple[str, ...], expected: int) -> None:
    assert one_of_two(cell, names, "here") == expected


@pytest.mark.parametrize(
    ("cell", "names", "says"),
    [
        ("2", ("LABEL_0",), "neither 0 nor 1"),
        ("0.5", (), "neither 0 nor 1"),
        ("LABEL_0", ("LABEL_0",), "neither 0 nor 1"),
        ("Spam", ("ham", "spam"), "Did you mean 'spam'"),
        ("", ("ham", "spam"), "unknown label ''"),
    ],
)
def test_what_is_none_of_two(cell: Any, names: tuple[str, ...], says: str) -> None:
    with pytest.raises(InputError, match=r"^here") as caught:
        one_of_two(cell, names, "here")
    assert says in f"{caught.value} {caught.value.hint}"


def _read(tmp_path: Path, task: str, column: str, cells: list[Any]) -> Dataset:
    lines = [json.dumps({"text": "a text", column: cell}) for cell in cells]
    (tmp_path / "data.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return read_dataset(tmp_path / "data.jsonl", task=task, input_name="text", class_names=NAMES)


def test_in_a_table(tmp_path: Path) -> None:
    found = _read(tmp_path, "multi-label-text-classification", "labels", ["joy;fear", [], ["anger"]])
    assert found.labels == ((0, 2), (), (1,))
    assert _read(tmp_path, "text-regression", "label", [0.5, 1]).labels == (0.5, 1.0)


@pytest.mark.parametrize(
    ("task", "column", "cells", "says"),
    [
        ("text-regression", "label", [2.5] * 9, "all 9 numbers are 2.5"),
        ("multi-label-text-classification", "labels", ["", []], "no sample has a label"),
        ("multi-label-text-classification", "label", ["joy"], "has a column 'label'"),
        ("text-regression", "labels", [1], "has a column 'labels'"),
    ],
)
def test_tables_that_tell_nothing(tmp_path: Path, task: str, column: str, cells: list[Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        _read(tmp_path, task, column, cells)


def test_numbers_that_may_be_classes_are_said(tmp_path: Path) -> None:
    with pytest.warns(DataWarning, match="all numbers are 0 or 1"):
        _read(tmp_path, "text-regression", "label", [0, 1, 1.0])


def test_in_parquet(tmp_path: Path) -> None:
    """Lists and classes as `datasets` has them."""
    datasets = pytest.importorskip("datasets")
    classes = datasets.Sequence(datasets.ClassLabel(names=["fear", "joy"]))
    features = datasets.Features({"text": datasets.Value("string"), "labels": classes})
    table = datasets.Dataset.from_dict({"text": ["a", "b"], "labels": [[1, 0], []]}, features=features)
    table.to_parquet(tmp_path / "labels.parquet")
    task = "multi-label-text-classification"
    found = read_dataset(tmp_path / "labels.parquet", task=task, input_name="text", class_names=NAMES)
    assert found.labels == ((0, 2), ())
    rows = {"query": ["q"], "passages": [["a", "b"]], "relevance": [[0.5, 0]]}
    datasets.Dataset.from_dict(rows).to_parquet(tmp_path / "ranking.parquet")
    found = read_dataset(tmp_path / "ranking.parquet", task="text-ranking", input_name="query+passages")
    assert (found.samples, found.labels) == (({"query": "q", "passages": ["a", "b"]},), ((0.5, 0.0),))
    datasets.Dataset.from_dict({"text": ["a", "b"], "label": [0.5, 2]}).to_parquet(tmp_path / "numbers.parquet")
    found = read_dataset(tmp_path / "numbers.parquet", task="text-regression", input_name="text")
    assert found.labels == (0.5, 2.0)
