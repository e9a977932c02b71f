"""Long work in a log: how far it is, and how long it still takes."""

import pytest

from edgewright_benchmarks import progress


def test_a_log_has_a_line_now_and_then_with_an_estimate(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = [100.0]
    monkeypatch.setattr("edgewright_benchmarks.progress.time.monotonic", lambda: now[0])
    bar = progress.Terminal().bar("answering", 1_000)
    for seconds, steps in ((30, 10), (30, 10), (30, 10), (90, 370), (60, 600)):
        now[0] += seconds
        bar.update(steps)
    bar.close()
    assert capsys.readouterr().err.splitlines() == [
        "  answering: 20 of 1,000, 49 min left at this rate",
        "  answering: 400 of 1,000, 3 min left at this rate",
    ]
