"""Warnings about unsteady latencies."""

import numpy as np
import pytest

from edgewright_benchmarks.statistics.intervals import (
    stability_warnings,
)


class TestStabilityWarnings:
    def test_steady_rounds_are_fine(self) -> None:
        rounds = np.random.default_rng(0).gamma(4000, 0.001 / 4000, (12, 10))
        assert stability_warnings({"cpu": rounds.tolist()}) == ()
        assert stability_warnings({"cpu": []}) == ()
        assert stability_warnings({}) == ()

    @pytest.mark.parametrize(
        ("medians", "words"),
        [
            ([1e-3] * 3, ["3 rounds cannot", "--rounds 6"]),
            ([1e-3], ["1 round cannot"]),
            ([2e-6] * 8, ["cpu-int8 (2 microseconds)", "longer input"]),
            ([1e-3, 1.4e-3, 0.7e-3] * 3, ["cpu-int8 spread by", "close other programs", "--rounds 30"]),
            ([1e-3] * 9 + [2e-3], ["slowest 2.00 times"]),
            (
                [1e-3, 1e-3, 1e-3, 1.04e-3, 1.04e-3, 1.04e-3, 1.08e-3, 1.08e-3, 1.08e-3],
                ["cpu-int8 was 8% slower", "cool down"],
            ),
        ],
    )
    def test_says_what_was_seen_and_what_to_do(self, medians: list[float], words: list[str]) -> None:
        found = stability_warnings({"cpu-int8": [[median] * 3 for median in medians]})
        assert len(found) == 1
        assert found[0].endswith(".")
        assert all(word in found[0] for word in words), found[0]

    def test_engines_in_the_same_trouble_share_a_sentence(self) -> None:
        steady, unsteady = [[1e-3] * 3] * 9, [[median] * 3 for median in [1e-3, 1.4e-3, 0.7e-3] * 3]
        (sentence,) = stability_warnings({"a": unsteady, "b": steady, "c": unsteady})
        assert "a spread by" in sentence
        assert "c spread by" in sentence
        assert "b " not in sentence.replace("by", "")
