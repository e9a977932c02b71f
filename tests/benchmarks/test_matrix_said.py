"""What libraries write to standard error, as sentences that are the same in each run and environment."""

import io
from collections import Counter

import pytest

from edgewright_benchmarks.matrix.result import VersionRow
from edgewright_benchmarks.matrix.said import Sentences, sentences, with_logged

# As ONNX Runtime 1.32 wrote it, of a graph with an initializer among its inputs and one that is not used.
ONNX_RUNTIME = (
    b"\x1b[0;93m2026-11-30 17:22:59.528238128 [W:onnxruntime:, graph.cc:1492 Graph] Initializer w appears in graph "
    b"inputs and will not be treated as constant value/weight.\x1b[m\n"
    b"\x1b[0;93m2026-11-30 17:22:59.528512671 [W:onnxruntime:, graph.cc:5809 CleanUnusedInitializersAndNodeArgs] "
    b"Removing initializer 'unused'. It is not used by any node and should be removed from the model.\x1b[m\n"
    b"\x1b[0;93m2026-11-30 17:22:59.533346054 [W:onnxruntime:, execution_frame.cc:943 VerifyOutputSizes] Expected "
    b"shape from model of {3,2} does not match actual shape of {1,2} for output y\x1b[m\n"
    b"\x1b[0;93m2026-11-30 17:22:59.533879420 [W:onnxruntime:, execution_frame.cc:943 VerifyOutputSizes] Expected "
    b"shape from model of {3,2} does not match actual shape of {1,2} for output y\x1b[m\n"
)

# What differs from one run, process or environment to another, to what is left of it.
PLAIN = {
    "2026-01-31T12:00:00.5Z The cache is full.": "The cache is full.",
    "[2026-01-31 12:00:00,512] The cache is full.": "The cache is full.",
    "An arena at 0x7f3a5c001230 is kept.": "An arena at 0x... is kept.",
    "It failed with 0x887A0005.": "It failed with 0x887A0005.",
    "It failed for thread: 140234, index: 3, mask: {4, }": "It failed for thread: N, index: 3, mask: {4, }",
    "tid=4711 waits for process 12": "tid=N waits for process N",
    "/c/environment-ab12/lib/python3.11/site-packages/numpy/core.py:12: UserWarning: Old.": "numpy/core.py: "
    "UserWarning: Old.",
    "/tmp/edgewright-x1/edgewright_runtime/graph.py:7: FutureWarning: Old.": "edgewright_runtime/graph.py: "
    "FutureWarning: Old.",
    "Failed to load /c/lib/site-packages/a/x.so: no file": "Failed to load a/x.so: no file",
    "onnxruntime: '/c/site-packages/a/x.so' and (path=/d/site-packages/b/y.so) differ": "onnxruntime: 'a/x.so' and "
    "(path=b/y.so) differ",
    "model.py:12: 3 nodes": "model.py:12: 3 nodes",
    "\x1b]0;title\x07\x1b[2J\x1b[1;31mRed\x1b[0m \u202eword\x00s": "]0;titleRed words",
    "   ": "",
}


def read(text: bytes) -> Counter[str]:
    return sentences(io.BytesIO(text))


def test_lines_of_onnx_runtime_are_counted_without_time_colour_and_place() -> None:
    assert read(ONNX_RUNTIME) == {
        "onnxruntime: Initializer w appears in graph inputs and will not be treated as constant value/weight.": 1,
        "onnxruntime: Removing initializer 'unused'. It is not used by any node and should be removed from the "
        "model.": 1,
        "onnxruntime: Expected shape from model of {3,2} does not match actual shape of {1,2} for output y": 2,
    }


@pytest.mark.parametrize("line", PLAIN)
def test_what_differs_between_runs_is_left_out(line: str) -> None:
    assert list(read(line.encode())) == ([PLAIN[line]] if PLAIN[line] else [])


def test_the_line_of_a_source_that_python_shows_is_not_a_sentence() -> None:
    text = "a/core.py:3: UserWarning: Old.\n  warnings.warn('Old.')\n  two spaces of a library\nEnd.\n"
    assert list(read(text.encode())) == ["a/core.py: UserWarning: Old.", "two spaces of a library", "End."]


def test_bytes_that_are_not_text_and_endless_lines_are_harmless() -> None:
    assert list(read(b"\xff\xfe broken\n")) == ["\ufffd\ufffd broken"]
    (long,) = read(b"x" * 5_000_000)
    assert len(long) == 400
    assert long.endswith("...")
    for part in (b"/", b"/a", b"/edgewright_", b"/site-packages", b" /a", b"='"):
        assert sum(read(part * 500_000).values()) == 1


def row(version: str) -> VersionRow:
    return VersionRow(versions={"onnxruntime": version})


def found(logged: bytes, measured: bytes = b"") -> Sentences:
    return Sentences(logged=read(logged), measured=read(measured))


def test_what_the_reference_did_not_write_is_new_and_comes_first() -> None:
    rows = with_logged(
        [row("1.31"), row("1.32"), row("1.33")],
        {"onnxruntime": "1.31"},
        {
            "onnxruntime 1.31": found(b"Old.\nOld.\n", b"Measured.\n"),
            "onnxruntime 1.32": found(b"Old.\nNew.\nMeasured.\n", b"Old.\nOld.\nOld.\n"),
        },
    )
    assert [(one.text, one.times, one.new) for one in rows[0].logged] == [("Measured.", 1, False), ("Old.", 2, False)]
    assert [(one.text, one.times, one.new) for one in rows[1].logged] == [
        ("New.", 1, True), ("Old.", 1, False), ("Measured.", 1, False),
    ]  # fmt: skip
    # It did not run.
    assert rows[2].logged == ()


def test_twenty_sentences_are_kept_and_the_others_counted() -> None:
    many = b"".join(b"Sentence %d.\n" % number for number in range(33))
    (made,) = with_logged([row("1.31")], {"onnxruntime": "1.31"}, {"onnxruntime 1.31": found(many)})
    assert len(made.logged) == 20
    assert made.warnings == ("It wrote 13 other lines to standard error, which are left out.",)
