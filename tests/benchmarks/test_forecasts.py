"""Windows are cut as the documents say, and the figures are those of the formulas' own papers and of scikit-learn."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn import metrics

from edgewright_benchmarks.data import Dataset, read_dataset
from edgewright_benchmarks.tasks import find_task
from edgewright_benchmarks.truth.series import Future, naive_scale
from edgewright_benchmarks.truth.windows import Windows, windows_of_steps
from edgewright_cli.series import series_of
from edgewright_compiler.building.data_apart import apart_in_time, data_apart
from edgewright_runtime.errors import SampleError
from edgewright_runtime.manifest import StepSpec
from edgewright_runtime.samples import ANSWER, pack_answer
from edgewright_runtime.steps.table.series import ReadSeries
from edgewright_targets import InputError
from scoring import Output, score
from tiny_forecasters import series, write_series

TASK = find_task("time-series-forecasting")


def windows(context: int = 6, horizon: int = 3, season: int = 2, **more: Any) -> Windows:
    read: dict[str, object] = {
        "output": "x",
        "context": context,
        "count": 2,
        "columns": ["load", "wind"],
        "season": season,
    }
    give: dict[str, object] = {"output": "y", "horizon": horizon, "columns": more.get("columns", ["load", "wind"])}
    found = windows_of_steps((StepSpec("read_series", read | more), StepSpec("give_forecast", give)))
    assert found is not None
    return found


def opened(path: Path, cut: Windows | None = None) -> Dataset:
    return read_dataset(path, task=TASK.name, input_name="series", windows=cut or windows())


def test_a_series_is_cut_from_its_end(tmp_path: Path) -> None:
    values = series(20)
    found = opened(write_series(tmp_path / "series.csv", values))
    # 17 to 20, 14 to 17, ...: the context of the first needs the rows from 2.
    assert [len(found.samples), found.ordered] == [4, True]
    assert found.labels is not None
    for number, (context, right) in enumerate(zip(found.samples, found.labels, strict=True)):
        origin = 8 + 3 * number
        assert np.array_equal(context, values[origin - 6 : origin])
        assert np.array_equal(right.values, values[origin : origin + 3])
        assert np.allclose(right.scale, np.abs(context[2:] - context[:-2]).mean(axis=0))
    other = opened(tmp_path / "series.csv", windows(horizon=2))
    assert len(other.samples) == 7
    assert other.digest != found.digest


def test_windows_that_are_cut_already(tmp_path: Path) -> None:
    values = series(20)
    whole = opened(write_series(tmp_path / "series.csv", values))
    pairs = [(values[at - 8 : at], values[at : at + 3]) for at in (8, 11, 14, 17)]
    lines = [json.dumps({"series": one.tolist(), "target": right.tolist()}) for one, right in pairs]
    (tmp_path / "windows.jsonl").write_text("\n".join(lines), encoding="utf-8")
    np.savez(tmp_path / "windows.npz", series=np.stack([a for a, _ in pairs]), target=np.stack([b for _, b in pairs]))
    cells = [",".join(f'"{json.dumps(part.tolist())}"' for part in pair) for pair in pairs]
    (tmp_path / "windows.csv").write_text("\n".join(["series,target", *cells]), encoding="utf-8")
    for name in ("windows.jsonl", "windows.npz", "windows.csv"):
        found = opened(tmp_path / name)
        assert whole.labels is not None
        assert found.labels is not None
        for one, other in zip((*found.samples, *found.labels), (*whole.samples, *whole.labels), strict=True):
            if isinstance(one, Future):
                assert np.allclose(one.values, other.values)
                assert np.allclose(one.scale, other.scale)
            else:
                assert np.allclose(one, other)
    (tmp_path / "plain.jsonl").write_text(json.dumps({"series": values.tolist()}), encoding="utf-8")
    assert opened(tmp_path / "plain.jsonl").labels is None


def test_only_some_columns_are_forecast(tmp_path: Path) -> None:
    values = series(12)
    path = write_series(tmp_path / "series.csv", values)
    steps = (
        StepSpec("read_series", {"output": "x", "context": 6, "count": 2, "columns": ["wind", "load"]}),
        StepSpec("give_forecast", {"output": "y", "horizon": 3, "columns": ["load"]}),
    )
    found = opened(path, windows_of_steps(steps))
    assert found.labels is not None
    assert np.array_equal(found.samples[-1], values[3:9, ::-1])
    assert np.array_equal(found.labels[-1].values, values[9:, :1])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("load,wind\n" + "1,2\n" * 8, "has 8 rows; a window takes 9: 6 that the model is given and 3"),
        ("load,wind\n" + "1,2\n" * 8 + "1,\n", "line 10: the column 'wind' has '', which is not a number"),
        ("load,wind\n" + "1,2\n" * 8 + "1,much\n", "has 'much', which is not a number"),
        ("load\n" + "1\n" * 9, "has no column 'wind'; its columns are load"),
        ('series,target\n"[[1, 2]]","[[1, 2]]"\n', "line 2: The series has 1 values; the model takes the last 6"),
        ('series,target\n"[[1, 2]","[1]"\n', "the series is not valid JSON"),
        (
            'series,target\n"[[1,2],[1,2],[1,2],[1,2],[1,2],[1,2]]","[1, 2]"\n',
            "has the shape [2]; the model gives [3",
        ),
        ('series,target\n"[[1,2],[1,2],[1,2],[1,2],[1,2],[1,2]]","many"\n', "the ground truth cannot be read: 'many'"),
    ],
)
def test_data_that_does_not_fit(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "data.csv").write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        opened(tmp_path / "data.csv")
    assert says in str(caught.value)


def test_other_files(tmp_path: Path) -> None:
    np.savez(tmp_path / "data.npz", past=np.zeros((2, 6, 2)))
    for name, says in (
        ("data.npz", "holds the arrays past; windows are"),
        ("data.parquet", "a series as .csv"),
    ):
        (tmp_path / "data.parquet").write_bytes(b"PAR1")
        with pytest.raises(InputError, match=says):
            opened(tmp_path / name)
    three: dict[str, Any] = {"count": 3, "columns": []}
    with pytest.raises(InputError, match="do not fit together"):
        windows(**three)


def test_what_sets_ranges_lies_before_what_decides(tmp_path: Path) -> None:
    values = series(200)
    found = opened(write_series(tmp_path / "series.csv", values))
    earlier, later, note = apart_in_time(found)
    assert earlier is not None
    assert [len(earlier.samples), len(later.samples)] == [16, 48]
    assert "was split in the order of time: the first 16 samples set ranges, the other 48 decided" in note
    assert later.labels is not None
    # The last value that ranges have seen is the one before the first that decides.
    assert np.array_equal(np.stack((*earlier.samples, *later.samples)), np.stack(found.samples))
    assert len({earlier.digest, later.digest, found.digest}) == 3
    guide, proof, _ = data_apart(None, found)
    assert np.array_equal(np.stack((*guide.samples, *proof.samples)), np.stack(found.samples))
    few = opened(write_series(tmp_path / "few.csv", values[:15]))
    assert apart_in_time(few) == (None, few, "")


def outputs(forecasts: np.ndarray[Any, Any]) -> list[Output]:
    names = ("load", "wind")
    answers = [dict(zip(names, one.T.tolist(), strict=True)) for one in forecasts]
    return [{"y": one, ANSWER: pack_answer(answer)} for one, answer in zip(forecasts, answers, strict=True)]


def test_the_figures() -> None:
    random = np.random.default_rng(3)
    right = random.normal(0, 1, (30, 3, 2)) * [1, 50] + [2, -10]
    found = right + random.normal(0, 0.3, right.shape) * [1, 50]
    context = np.cumsum(random.normal(0, 1, (30, 8, 2)), axis=1)
    truth = [Future(one, naive_scale(past, 4)) for one, past in zip(right, context, strict=True)]
    made = score(TASK.labelled, outputs(found), truth, outputs(right)).metrics
    assert list(made) == ["r2", "mae", "mse", "mase", "smape"]
    rows = [one.reshape(-1, 2) for one in (right, found)]
    assert made["r2"].value == pytest.approx(metrics.r2_score(*rows))
    assert made["mae"].value == pytest.approx(metrics.mean_absolute_error(*rows))
    assert made["mse"].value == pytest.approx(metrics.mean_squared_error(*rows))
    # Hyndman and Koehler 2006, and the M4 competition, value by value.
    scale = np.abs(context[:, 4:] - context[:, :-4]).mean(axis=1)
    assert made["mase"].value == pytest.approx((np.abs(right - found) / scale[:, None]).mean())
    assert made["smape"].value == pytest.approx((2 * np.abs(right - found) / (np.abs(right) + np.abs(found))).mean())
    assert made["r2"].low < made["r2"].value < made["r2"].high < 1


def test_columns_count_alike_whatever_their_units_are() -> None:
    random = np.random.default_rng(4)
    right, noise = random.normal(0, 1, (30, 3, 2)), random.normal(0, 0.3, (30, 3, 2))
    truth = [Future(one, np.full(2, np.nan)) for one in right]
    large = [Future(one * [1, 1e6], np.full(2, np.nan)) for one in right]
    plain = score(TASK.labelled, outputs(right + noise), truth, outputs(right)).metrics
    scaled = score(TASK.labelled, outputs((right + noise) * [1, 1e6]), large, outputs(right)).metrics
    assert plain["r2"].value == pytest.approx(scaled["r2"].value)
    # A context that is not longer than a season has no scale.
    assert "mase" not in plain


def test_what_is_not_finite_is_wrong_by_the_whole_range() -> None:
    right = np.random.default_rng(5).normal(0, 1, (30, 3, 2))
    truth = [Future(one, np.ones(2)) for one in right]
    found = right.copy()
    found[4, 1, 0] = np.nan
    made = score(TASK.labelled, outputs(found), truth, outputs(right)).metrics
    assert list(made) == ["r2"]
    assert 0 < made["r2"].value < 0.95
    same = [Future(np.ones((3, 2)), np.ones(2))] * 4
    with pytest.raises(InputError, match="All values of the ground truth are the same"):
        score(TASK.labelled, outputs(np.ones((4, 3, 2))), same, outputs(np.ones((4, 3, 2))))


def test_a_gap_of_a_table_is_named_by_its_column_and_place(tmp_path: Path) -> None:
    path = tmp_path / "series.csv"
    path.write_text("a,b\n,1\n2,3\n4, \n5,6\n", encoding="utf-8")
    series = series_of(str(path))
    with pytest.raises(SampleError, match="missing or not finite: the column 'b', 2 values before the end"):
        ReadSeries(output="x", context=3, count=2, columns=("a", "b"))({"series": series})
    # A gap before what the model looks at does not matter.
    assert ReadSeries(output="x", context=1, count=2)({"series": series})["x"].tolist() == [[[5, 6]]]
