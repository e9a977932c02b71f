"""More pipelines of tables, fitted here on data of packages: a forest of pixels, a filter of texts, LightGBM."""

from __future__ import annotations

import importlib
import sys
import warnings
from pathlib import Path
from typing import Any

from fetched import libraries, wheel_files
from fitted_tables import Fitted, convert, write_table
from tiny_models import sentences

# What converts LightGBM, and it; skl2onnx comes from its wheel.
_BOOSTED = ("lightgbm==4.7.0", "onnxmltools==1.16.0")
_TREES = 20


def write_digits(folder: Path) -> Fitted:
    """A random forest of handwritten digits, 8 x 8 numbers each, which are one input; classes are numbers."""
    from sklearn.datasets import load_digits
    from sklearn.ensemble import RandomForestClassifier

    loaded = load_digits(as_frame=True)
    rows, digits = loaded.data.astype("float32"), loaded.target.to_list()
    forest = RandomForestClassifier(n_estimators=_TREES, random_state=0).fit(rows[:1000].to_numpy(), digits[:1000])
    graph = convert(forest, [("pixels", "Float", len(rows.columns))], folder / "digits.onnx")
    others = rows[1000:1200]
    return Fitted(graph, write_table(folder / "digits.csv", others, digits[1000:1200]), forest, others)


def write_intents(folder: Path) -> Fitted:
    """Words counted by importance, then a linear classifier; the graph takes the text itself."""
    pandas: Any = importlib.import_module("pandas")
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    texts, labels = zip(*sentences(), strict=True)
    pipeline = make_pipeline(TfidfVectorizer(token_pattern="[a-zA-Z]+"), LogisticRegression())
    pipeline.fit(texts[:24], labels[:24])
    graph = convert(pipeline, [("text", "String", 1)], folder / "intents.onnx")
    rows = pandas.DataFrame({"text": texts})
    return Fitted(graph, write_table(folder / "intents.csv", rows, labels), pipeline, rows)


def write_boosted(folder: Path) -> Fitted:
    """LightGBM's trees of how diabetes went on in a year, by onnxmltools; all columns are one input."""
    from sklearn.datasets import load_diabetes

    for place in (libraries(*_BOOSTED), wheel_files("skl2onnx")):
        if str(place) not in sys.path:
            sys.path.append(str(place))
    lightgbm: Any = importlib.import_module("lightgbm")
    loaded = load_diabetes(as_frame=True)
    rows = loaded.data.astype("float32")
    trees = lightgbm.LGBMRegressor(n_estimators=_TREES, max_depth=3, random_state=0, verbose=-1, n_jobs=1)
    trees.fit(rows[:300].to_numpy(), loaded.target[:300])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        convert_lightgbm: Any = importlib.import_module("onnxmltools").convert_lightgbm
        types: Any = importlib.import_module("onnxmltools.convert.common.data_types")
        given = [("patient", types.FloatTensorType([None, len(rows.columns)]))]
        graph = convert_lightgbm(trees, initial_types=given, target_opset=15)
    path = folder / "boosted.onnx"
    path.write_bytes(graph.SerializeToString())
    others = rows[300:]
    return Fitted(path, write_table(folder / "boosted.csv", others, list(loaded.target[300:])), trees, others)
