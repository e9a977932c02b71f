"""Rules of the gate: what they mean, and what is said of those that mean nothing."""

import pytest

from edgewright_benchmarks.gate.figures import FIGURES, metric_figure
from edgewright_benchmarks.gate.rules import parse_rules
from edgewright_targets import InputError

METRICS = ("accuracy", "psnr", "word_error_rate", "my.scores:close")
KNOWN = {**FIGURES, **{name: metric_figure(name) for name in METRICS}}


@pytest.mark.parametrize(
    ("text", "kind", "limit", "above"),
    [
        ("latency.p50 > +5%", "change", 0.05, True),
        ("latency.p99>20ms", "value", 0.02, True),
        ("latency.p90 > +500us", "difference", 0.0005, True),
        ("throughput < -10%", "change", -0.1, False),
        ("throughput < 100", "value", 100.0, False),
        ("load > 1.5 s", "value", 1.5, True),
        ("memory > +10MB", "difference", 1e7, True),
        ("size > +0%", "change", 0.0, True),
        ("accuracy < -0.5", "difference", -0.005, False),
        ("accuracy < -0.5 points", "difference", -0.005, False),
        ("accuracy < 95%", "value", 0.95, False),
        ("accuracy < 95", "value", 0.95, False),
        ("word_error_rate > +.5", "difference", 0.005, True),
        ("psnr < 30 dB", "value", 30.0, False),
        ("my.scores:close < -1", "difference", -0.01, False),
    ],
)
def test_a_rule_is_a_figure_and_a_threshold(text: str, kind: str, limit: float, above: bool) -> None:
    (rule,) = parse_rules(text, KNOWN)
    assert (rule.kind, rule.above) == (kind, above)
    assert rule.limit == pytest.approx(limit)


def test_several_rules_come_with_commas_or_one_by_one() -> None:
    assert parse_rules("size > +1%, load > 1s", KNOWN) == parse_rules(["size > +1%", "load > 1s,"], KNOWN)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("latency.p51 > +5%", ["unknown figure 'latency.p51'", "'latency.p50'", "throughput"]),
        ("speed > +5%", ["unknown figure 'speed'", "Known: accuracy, cold_start, energy, latency.p50"]),
        ("first_token.0 > 5ms", ["unknown figure 'first_token.0'"]),
        ("first_token.064 > 5ms", ["unknown figure 'first_token.064'"]),
        ("tokens_per_second.\N{ARABIC-INDIC DIGIT SIX}4 < -5%", ["unknown figure"]),
        ("offline.rate.batch1\N{ARABIC-INDIC DIGIT SIX} < -5%", ["unknown figure"]),
        (f"first_token.{'9' * 5000} > 5ms", ["unknown figure"]),
        ("latency.p50", ["'latency.p50' is not a rule", "'accuracy < -0.5'"]),
        ("", ["There is no rule"]),
        ("latency.p50 >= +5%", ["has '>='", "> or <"]),
        ("latency.p50 > 5%", ["percentage without a sign", "Write '+5%'"]),
        ("latency.p50 > 5", ["has no unit", "'s', 'ms', 'us', '%'"]),
        ("latency.p50 > 5MB", ["has the unit 'MB'", "'ms'"]),
        ("size > many", ["not a number with a unit ('B', 'kB', 'MB', 'GB', '%')"]),
        ("size > +1" + "0" * 400, ["not a number"]),
        ("accuracy < +0.5", ["as good as before", "'accuracy < -0.5'"]),
        ("latency.p50 > -5%", ["as good as before", "'latency.p50 > +5%'"]),
    ],
)
def test_what_is_not_a_rule_is_refused(text: str, words: list[str]) -> None:
    with pytest.raises(InputError) as raised:
        parse_rules(text, KNOWN)
    assert all(word in str(raised.value) for word in words), raised.value


def test_all_wrong_rules_are_said_at_once() -> None:
    with pytest.raises(InputError) as raised:
        parse_rules("speed > 1, size > many", KNOWN)
    assert "speed" in str(raised.value)
    assert "many" in str(raised.value)
