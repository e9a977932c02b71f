"""The cascade example: its tables name pictures that are there, and its files declare applications."""

import csv
from pathlib import Path

from declared_examples import flow_of
from edgewright_runtime.applications.conditions import read_condition
from scripts import run_script

EXAMPLE = Path(__file__).parents[2] / "examples" / "cascade"


def test_tables_name_the_pictures_from_where_they_lie(tmp_path: Path) -> None:
    for split, count in (("train", 1), ("validation", 2), ("test", 3)):
        for label in ("bag", "coat"):
            folder = tmp_path / "fashion" / split / label
            folder.mkdir(parents=True)
            for index in range(count):
                (folder / f"{index:05}.png").write_bytes(b"a picture")
    out = tmp_path / "made" / "cascade"
    run_script(EXAMPLE / "make_tables.py", "--data", tmp_path / "fashion", "--out", out)
    tables = {
        path.stem: list(csv.DictReader(path.read_text(encoding="utf-8").splitlines())) for path in out.glob("*.csv")
    }
    assert {name: len(found) for name, found in tables.items()} == {"validation": 4, "test": 6}
    assert all((out / row["image"]).is_file() for found in tables.values() for row in found)
    assert all(row["label"] == row["quick"] == Path(row["image"]).parent.name for row in tables["test"])


def test_without_pictures(tmp_path: Path) -> None:
    done = run_script(EXAMPLE / "make_tables.py", "--data", tmp_path, "--out", tmp_path / "out", code=2)
    assert "make them with examples/fashion" in done.stderr


def test_the_files_declare_applications() -> None:
    cascade, alone = flow_of(EXAMPLE / "cascade.toml"), flow_of(EXAMPLE / "alone.toml")
    assert read_condition(cascade.step["thorough"].when or "").found
    # Both answer alike, with one and the same large model.
    assert cascade.input == alone.input
    assert cascade.answer == alone.answer
    assert cascade.model["large"] == alone.model["large"]
