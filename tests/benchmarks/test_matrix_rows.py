"""A matrix as rows: with one library and with several, on 80 columns."""

from dataclasses import replace

import pytest

from benchmarks.report_fixtures import bench_result
from edgewright_benchmarks.engine_result import ChangedPredictions, EngineResult, Interval
from edgewright_benchmarks.matrix.markdown import markdown_from_matrix
from edgewright_benchmarks.matrix.result import LoggedSentence, MatrixResult, VersionRow
from edgewright_benchmarks.matrix.rows import failures, grouped_warnings, heading, matrix_sentences, matrix_table
from edgewright_cli.console import table

LIBRARIES = ("onnxruntime", "onnxruntime-ep-openvino", "tokenizers")


def engine(name: str, *, changed: int = 0) -> EngineResult:
    """With figures that take room: a slow model with a long name of its metric."""
    made = next(one for one in bench_result().engines if one.latency and one.accuracy)
    assert made.latency is not None
    assert made.accuracy is not None
    low, high = (2.05, 3.4) if changed else (1.0, 1.0)
    latency = replace(made.latency, p50=12.345, ratio=Interval((low + high) / 2, low, high))
    accuracy = replace(made.accuracy, metrics={"average_precision": Interval(0.98765, 0.98, 0.99)})
    return replace(
        made,
        name=name,
        latency=latency,
        accuracy=accuracy,
        load_seconds=(98.7654,),
        peak_memory_bytes=12_345_678_901,
        otherwise=ChangedPredictions(changed, tuple(range(1, changed + 1))),
    )


def matrix(*libraries: str) -> MatrixResult:
    """Four environments, of which the third did not run."""
    result = bench_result()
    rows = []
    for number in range(4):
        versions = dict.fromkeys(libraries, f"2026.4.{number}.post1")
        row = VersionRow(versions=versions, libraries=versions, failure="" if number != 2 else "It is not there.")
        if number != 2:
            known = LoggedSentence("Old.", 1 + number)
            new = (LoggedSentence("New.", 1, new=True),) if number else ()
            row = replace(row, engine=engine("e", changed=number), equal=9, logged=(*new, known), warnings=("Busy.",))
        rows.append(row)
    return MatrixResult(
        package="p.ortpackage",
        model="intents",
        task="text-classification",
        engine="e",
        precision="fp32",
        measure="accuracy",
        confidence=0.95,
        reference=rows[0].versions,
        rows=tuple(rows),
        data=result.data,
        machine=result.machine,
        settings=result.settings,
        versions={},
        warnings=(),
        created=result.created,
    )


@pytest.mark.parametrize("libraries", [LIBRARIES[:1], LIBRARIES[:2], LIBRARIES])
def test_the_table_has_room_on_a_terminal(libraries: tuple[str, ...]) -> None:
    shown = matrix_table(matrix(*libraries))
    lines = table(shown.header, shown.rows, shown.right).splitlines()
    assert max(map(len, lines)) <= 80
    assert "memory" in lines[-6]


def test_of_one_library_rows_are_named_by_its_version() -> None:
    found = matrix("onnxruntime")
    shown = matrix_table(found)
    assert [row[0] for row in shown.rows] == [f"2026.4.{number}.post1" for number in range(4)]
    assert shown.legend == ()
    assert failures(found) == ("onnxruntime 2026.4.2.post1: It is not there.",)
    assert grouped_warnings(found) == (
        "All: Old. (1 to 4 times)",
        "All: Busy.",
        "onnxruntime 2026.4.1.post1; onnxruntime 2026.4.3.post1, new: New.",
    )
    assert shown.rows[1][-1] == "3"


def test_of_several_libraries_rows_are_numbered_and_said_once() -> None:
    found = matrix(*LIBRARIES)
    shown = matrix_table(found)
    assert [row[0] for row in shown.rows] == ["1", "2", "3", "4"]
    versions = "onnxruntime 2026.4.1.post1, onnxruntime-ep-openvino 2026.4.1.post1, tokenizers 2026.4.1.post1"
    assert shown.legend[1] == ("2", versions)
    assert set(shown.rows[2][1:]) == {"-"}
    assert failures(found) == ("Environment 3: It is not there.",)
    assert "All are compared with environment 1;" in heading(found)
    first, *_ = matrix_sentences(found)
    assert first.startswith("Environment 2 predicts otherwise than environment 1 on 1 of")
    assert "Environment 2; environment 4, new: New." in grouped_warnings(found)
    page = markdown_from_matrix(found)
    assert f"\n2. {versions}\n" in page
    assert "\n| 2 | 1 | " in page
