"""Scores of keywords, window by window, to the moments at which they were said."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgewright_runtime.errors import PackageError, SampleError
from edgewright_runtime.steps.values import call_of
from edgewright_targets.record import read_record

if TYPE_CHECKING:
    from edgewright_runtime.answer_types import HeardKeyword, KeywordScore
    from edgewright_runtime.package import Package
    from edgewright_runtime.steps.audio.stream_windows import Stream
    from edgewright_runtime.steps.values import NamedValues


@dataclass(frozen=True, kw_only=True)
class KeywordSettings:
    """What counts as said.

    Attributes:
        sampling_rate: Samples a second.
        scores: Streams of scores; together they are of all labels, in this order.
        counts: Labels of each of these streams.
        threshold: Score from which on a keyword counts as said.
        cooldown: Seconds after a detection without another one of the same keyword.
        settle: Seconds at the beginning of which no score counts: windows are not yet full of what was heard.
    """

    sampling_rate: int
    scores: tuple[str, ...]
    counts: tuple[int, ...]
    threshold: float = 0.5
    cooldown: float = 2.0
    settle: float = 0.0


class KeywordSpotter:
    """Takes scores as they come, gives detections at once: `{"label", "time", "score"}`.

    `time` is the seconds that had been heard, and `score` the one that was then seen; a keyword goes on to be said.

    Attributes:
        highest: The highest score of each label so far.
    """

    def __init__(self, settings: KeywordSettings, labels: tuple[str, ...]) -> None:
        self._settings = settings
        self._labels = labels
        self.highest = [0.0] * len(labels)
        # Samples of audio up to which a label is not looked for.
        self._until = [0.0] * len(labels)

    def push(self, streams: Mapping[str, Stream]) -> list[HeardKeyword]:
        """The detections of more scores, in the order of time.

        Raises:
            PackageError: The graphs give another number of scores than there are labels.
        """
        settings = self._settings
        found: list[tuple[int, int, float]] = []
        offset = 0
        for name, count in zip(settings.scores, settings.counts, strict=True):
            stream = streams[name]
            ends = [] if stream.ends is None else stream.ends.tolist()
            for end, scores in zip(ends, stream.frames.tolist(), strict=True):
                if end < settings.settle * settings.sampling_rate:
                    continue
                if len(scores) != count:
                    raise PackageError(
                        f"'{name}' gives {len(scores)} scores, but the package has {count} labels for it."
                    )
                for label, score in enumerate(scores, offset):
                    self.highest[label] = max(self.highest[label], score)
                    if score >= settings.threshold and end >= self._until[label]:
                        self._until[label] = end + settings.cooldown * settings.sampling_rate
                        found.append((end, label, score))
            offset += count
        rate = settings.sampling_rate
        return [
            {"label": self._labels[label], "time": end / rate, "score": score} for end, label, score in sorted(found)
        ]


class SpotKeywords:
    """`streams` to `keywords`: of each label its highest score and its detections, the highest first.

    Args:
        package: The package, whose labels are the keywords.
        settings: The fields of `KeywordSettings`. The option `threshold` of a call comes before it.
    """

    def __init__(self, package: Package, *, settings: Mapping[str, object]) -> None:
        self._settings = read_record(KeywordSettings, settings, f"'{package.root}': the step 'spot_keywords'")
        self._labels = package.manifest.labels
        declared = self._settings
        if len(declared.counts) != len(declared.scores) or sum(declared.counts) != len(self._labels):
            raise ValueError(f"{len(self._labels)} labels, and {sum(declared.counts)} scores")

    def spotter(self, threshold: float | None = None) -> KeywordSpotter:
        """What finds the keywords of one recording.

        Raises:
            SampleError: The threshold is not a score.
        """
        settings = self._settings
        if threshold is not None:
            if not 0 < threshold < 1:
                raise SampleError(f"The threshold must be a score between 0 and 1; found {threshold}.")
            settings = dataclasses.replace(settings, threshold=float(threshold))
        return KeywordSpotter(settings, self._labels)

    def __call__(self, values: NamedValues) -> dict[str, object]:
        """Add `keywords`, and as `outputs` the scores of each stream, [windows, labels of it]."""
        spotter = self.spotter(call_of(values).options.get("threshold"))
        streams = values["streams"]
        detections = spotter.push(streams)
        keywords: list[KeywordScore] = [
            {
                "label": label,
                "score": spotter.highest[index],
                "detections": [
                    {"time": found["time"], "score": found["score"]} for found in detections if found["label"] == label
                ],
            }
            for index, label in enumerate(self._labels)
        ]
        declared = zip(self._settings.scores, self._settings.counts, strict=True)
        # Of a recording that is shorter than a window nothing was scored.
        outputs = {name: streams[name].frames.reshape(-1, count) for name, count in declared}
        return {"keywords": sorted(keywords, key=lambda entry: -entry["score"]), "outputs": outputs}
