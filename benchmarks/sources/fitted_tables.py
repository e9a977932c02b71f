"""Pipelines of scikit-learn on its own data, converted to ONNX, with rows that they were not fitted on."""

from __future__ import annotations

import csv
import importlib
import sys
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fetched import wheel_files

# Every third cell of this column is empty, where rows lack values.
_LACKING = 3


@dataclass(frozen=True)
class Fitted:
    """A pipeline with its file and data.

    Attributes:
        graph: The ONNX file.
        data: A .csv file of the rows that it was not fitted on, with the column `label`.
        pipeline: The pipeline itself.
        rows: Those rows as a data frame.
    """

    graph: Path
    data: Path
    pipeline: Any
    rows: Any


def write_wine(folder: Path, *, zip_map: bool = True, named: bool = True) -> Fitted:
    """A logistic regression of three kinds of wine with an imputer; the graph takes all columns as one input.

    Args:
        folder: Where to write.
        zip_map: The graph ends in a ZipMap, as converters write it unless told otherwise.
        named: The names of the columns lie beside it; cells are missing then.
    """
    from sklearn.datasets import load_wine
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    loaded = load_wine(as_frame=True)
    rows, kinds = loaded.data, [str(loaded.target_names[kind]) for kind in loaded.target]
    pipeline = make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression())
    pipeline.fit(rows[::2].to_numpy(), kinds[::2])
    others = rows[1::2].copy()
    if named:
        others.iloc[::_LACKING, 0] = float("nan")
        (folder / "columns.txt").write_text("\n".join(rows.columns), encoding="utf-8")
    graph = convert(pipeline, [("wine", "Float", len(rows.columns))], folder / "wine.onnx", zip_map=zip_map)
    return Fitted(graph, write_table(folder / "wine.csv", others, kinds[1::2]), pipeline, others)


def write_diabetes(folder: Path) -> Fitted:
    """A gradient boosting of how diabetes went on in a year; the graph has an input for each column, one is a text."""
    from sklearn.compose import make_column_transformer
    from sklearn.datasets import load_diabetes
    from sklearn.ensemble import GradientBoostingRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    loaded = load_diabetes(as_frame=True)
    rows = loaded.data.astype("float32")
    rows["sex"] = ["female" if sex > 0 else "male" for sex in rows["sex"]]
    encoder = make_column_transformer((OneHotEncoder(sparse_output=False), ["sex"]), remainder="passthrough")
    pipeline = make_pipeline(encoder, GradientBoostingRegressor(n_estimators=60, max_depth=2, random_state=0))
    pipeline.fit(rows[:300], loaded.target[:300])
    inputs = [(name, "String" if name == "sex" else "Float", 1) for name in rows.columns]
    graph = convert(pipeline, inputs, folder / "diabetes.onnx")
    others = rows[300:]
    return Fitted(graph, write_table(folder / "diabetes.csv", others, list(loaded.target[300:])), pipeline, others)


def convert(pipeline: Any, inputs: Sequence[tuple[str, str, int]], path: Path, *, zip_map: bool = True) -> Path:
    """The graph of a pipeline, as skl2onnx writes it.

    Args:
        pipeline: Of scikit-learn.
        inputs: Of the graph: name, kind (`Float` or `String`) and columns.
        path: The file to write.
        zip_map: See `write_wine`.
    """
    folder = str(wheel_files("skl2onnx"))
    if folder not in sys.path:
        sys.path.append(folder)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        skl2onnx: Any = importlib.import_module("skl2onnx")
        types: Any = importlib.import_module("skl2onnx.common.data_types")
        given = [(name, getattr(types, f"{kind}TensorType")([None, width])) for name, kind, width in inputs]
        options = None if zip_map else {"zipmap": False}
        model = skl2onnx.convert_sklearn(pipeline, initial_types=given, target_opset=17, options=options)
    path.write_bytes(model.SerializeToString())
    return path


def write_table(path: Path, rows: Any, right: Sequence[object]) -> Path:
    """The rows as a .csv file, with the column `label`."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*rows.columns, "label"])
        for row, label in zip(rows.itertuples(index=False), right, strict=True):
            writer.writerow(["" if cell != cell else cell for cell in row] + [label])
    return path
