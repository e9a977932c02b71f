"""How sure the bounds are is asked for, decides, and stands in every sentence; evidence of before says 95 %."""

import argparse
import json
import re
from pathlib import Path

import pytest

from command import QUICK, Command
from edgewright_benchmarks.bench import build_evidence
from edgewright_benchmarks.report import render_html, render_markdown
from edgewright_benchmarks.result_files import result_from_json
from edgewright_benchmarks.statistics.paired import least_bound
from edgewright_cli.options import confidence
from edgewright_runtime.package import Package


@pytest.mark.parametrize(("text", "value"), [("95%", 0.95), ("0.9", 0.9), ("99.9%", 0.999), ("50.5 %", 0.505)])
def test_it_is_written_as_a_share_or_in_percent(text: str, value: float) -> None:
    assert confidence(text) == pytest.approx(value)


@pytest.mark.parametrize("text", ["95", "50%", "0.5", "100%", "1", "99.95%", "-1", "nan", "sure", ""])
def test_others_are_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=r"confidence|not above 50% and at most 99\.9%"):
        confidence(text)


def test_it_decides_and_is_said_everywhere(command: Command, sources: Path) -> None:
    out = command.folder / "sure.ortpackage"
    words = ("build", sources / "perceptron.onnx", "-o", out, "--calibration", sources / "inputs.npz", *QUICK)
    asked = (*words, "--target", sources / "tiny.toml", "--max-drop", "5%")

    sure = command(*asked, "--confidence", "99%")

    assert "24 samples cannot show a drop below 18.4 percentage points with 99 % confidence" in sure.err_line
    assert "At least 103 samples are needed, or --confidence 86%." in sure.err_line
    assert "2 rounds cannot give a 99 % interval of a median; pass --rounds 8 or more." in sure.err_line
    assert "one-sided, 99 %; the budget is 5" in " ".join(sure.out.split())
    result = build_evidence(Package.open(out))
    assert result.confidence == 0.99
    (engine,) = [one for one in result.engines if one.name != result.baseline]
    assert engine.accuracy is not None
    assert engine.latency is not None
    assert engine.accuracy.drop.confidence == engine.latency.ratio.confidence == 0.99
    assert engine.accuracy.drop.high >= least_bound(24, confidence=0.99)
    assert "one-sided 99 % bound" in " ".join(engine.reasons)
    # 86 where no prediction changed; on some processors the rounding of int8 changes one.
    (enough,) = re.findall(r"With --confidence (\d+)% it would have been within\.", " ".join(engine.reasons))
    assert int(enough) <= 86
    for page in (render_html(result), render_markdown(result)):
        assert "99%" in page

    for asked_for, within in ((int(enough), True), (int(enough) + 1, False)):
        command(*asked, "--confidence", f"{asked_for}%")
        judged = build_evidence(Package.open(out)).engine(engine.name).accuracy
        assert judged is not None
        assert (judged.drop.high <= 0.05) is within

    unsure = command(*asked, "--confidence", "0.8", "--json")

    # Another confidence judges the same readings.
    assert "Measured: from the cache" in unsure.err
    (target,) = json.loads(unsure.out)["targets"]
    assert target["confidence"] == 0.8
    assert "80 %" in unsure.err_line or "cannot show" not in unsure.err_line
    data = ("--data", sources / "inputs.npz", *QUICK, "--json")
    assert json.loads(command("bench", out, *data).out)["confidence"] == 0.8
    assert json.loads(command("bench", out, *data, "--confidence", "90%").out)["confidence"] == 0.9


def test_a_build_that_is_called_is_refused_as_well(sources: Path, tmp_path: Path) -> None:
    from edgewright_compiler import BuildOptions, build
    from edgewright_targets import InputError

    options = BuildOptions(output=tmp_path / "p", calibration=sources / "inputs.npz", confidence=1.0)
    with pytest.raises(InputError, match=r"The confidence --confidence is 1\.0; expected a share above 0\.5"):
        build(str(sources / "perceptron.onnx"), options)


def test_evidence_of_before_has_95_percent() -> None:
    path = Path(__file__).parents[1] / "data" / "format-1" / "edgewright" / "evidence" / "tiny.json"
    assert result_from_json(json.loads(path.read_text(encoding="utf-8")), "old").confidence == 0.95
