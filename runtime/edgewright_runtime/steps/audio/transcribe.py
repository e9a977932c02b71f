"""Speech to text with a model that hears a window at a time: long recordings window by window, with times if asked."""

from __future__ import annotations

import warnings
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from edgewright_runtime.errors import AudioWarning, SampleError
from edgewright_runtime.generation.beams import beam_search
from edgewright_runtime.generation.sampling import TokenStream
from edgewright_runtime.generation.settings import OPTIONS, GenerationSettings
from edgewright_runtime.generation.speech_prompt import SpeechPromptSpec, speech_prompt
from edgewright_runtime.generation.timestamps import (
    FRAME_SECONDS,
    TOKEN_SECONDS,
    Segment,
    TimestampSpec,
    segments_of,
    timestamp_rule,
)
from edgewright_runtime.steps.graph.infer import Infer
from edgewright_runtime.steps.protocols import TextStream
from edgewright_runtime.steps.text.generate import Generate
from edgewright_runtime.steps.values import NamedValues, call_of, extended
from edgewright_targets.record import read_record

if TYPE_CHECKING:
    from edgewright_runtime.answer_types import GenerationFacts, TextSegment
    from edgewright_runtime.engine import Engine
    from edgewright_runtime.package import Package
    from edgewright_runtime.wire import Arrays

    Array = np.ndarray[Any, Any]


class Transcribe:
    """A spectrogram to text, as `generate` of Whisper in transformers: in one window, or in several with times.

    A recording of one window is written without times; times that come all the same are left out. Of a
    longer one each window begins where the last segment of the window before ended. `timestamps` of a call asks for
    times in any case, or (False) for the first window alone.

    Args:
        package: Holds the tokenizer.
        engine: The active engine.
        encoder: Name of the component that reads a window.
        input: Its input, with the first window as the value of that name.
        whole: Name of the value with all frames, [1, mels, frames].
        frames: Frames of a window.
        prompt: The fields of `SpeechPromptSpec`.
        timestamps: The fields of `TimestampSpec`.
        generate: The options of the step `generate`, which writes about one window.
        timed: Whether one window is written with times too, where a call does not say.
    """

    def __init__(
        self,
        package: Package,
        engine: Engine,
        *,
        encoder: str,
        input: str,  # noqa: A002 - the manifest's word
        whole: str,
        frames: int,
        prompt: Mapping[str, object],
        timestamps: Mapping[str, object],
        generate: Mapping[str, Any],
        timed: bool = False,
    ) -> None:
        where = f"'{package.root}': the step 'transcribe'"
        if frames < 1:
            raise ValueError(f"frames {frames}")
        self._generate = Generate(package, engine, **generate)
        self._encode = Infer(engine, component=encoder)
        self._prompt = read_record(SpeechPromptSpec, prompt, where)
        self._times = read_record(TimestampSpec, timestamps, where)
        self._input, self._whole, self._frames, self._timed = input, whole, frames, timed
        self._rules = [timestamp_rule(self._times)]
        self.options = self._prompt.options

    def __call__(self, values: NamedValues) -> NamedValues:
        """Add the text, and under `generation` how it came about.

        With `timestamps` the text is a dict: `text`, and `segments` with `start` and `end` in seconds, and `text`.
        """
        if not self._in_windows(values):
            return self._at_once([values])[0]
        segments: list[TextSegment] = []
        stream = TextStream(self._pieces(values, segments))
        text = "".join(stream)
        asked = call_of(values).options.get("timestamps")
        answer = {"text": text, "segments": segments} if asked else text
        return {self._generate.output: answer, "segments": segments, "generation": stream.facts}

    def many(self, batch: Sequence[NamedValues]) -> list[NamedValues]:
        """The same for several recordings: those of one window in one batch, else one after another."""
        if any(self._in_windows(values) for values in batch):
            return [self(values) for values in batch]
        return self._at_once(batch)

    def _at_once(self, batch: Sequence[NamedValues]) -> list[NamedValues]:
        """What is said in recordings of one window, in one batch."""
        begun = [self._begun(values) for values in batch]
        made = self._generate.many([extended(values, added) for values, (added, _) in zip(batch, begun, strict=True)])
        return [
            {**added, **one, "generation": {**one["generation"], **language}}
            for one, (added, language) in zip(made, begun, strict=True)
        ]

    def stream(self, values: NamedValues) -> TextStream:
        """The pieces of the text: of one window as they are written, of several a segment after each window.

        What is written about a window is not certain before its end, for its last words may be heard again.
        """
        if self._in_windows(values):
            segments: list[TextSegment] = []
            return TextStream(self._pieces(values, segments), segments)
        return TextStream(self._written(values))

    def _written(self, values: NamedValues) -> Generator[str, None, GenerationFacts]:
        added, language = self._begun(values)
        stream = self._generate.stream(extended(values, added))
        yield from stream
        return {**stream.facts, **language}

    def _in_windows(self, values: NamedValues) -> bool:
        asked = call_of(values).options.get("timestamps")
        if asked not in (None, True, False):
            raise SampleError(f"The option timestamps is {asked!r}; expected True or False.")
        long = values[self._whole].shape[2] > self._frames
        if asked is False and long:
            warnings.warn(
                f"Without timestamps the model takes {self._frames * FRAME_SECONDS:g} seconds; the rest was left out.",
                AudioWarning,
                stacklevel=2,
            )
        return (long or self._timed) if asked is None else bool(asked)

    def _begun(self, values: NamedValues) -> tuple[Arrays, GenerationFacts]:
        """The values that `generate` takes; the language as a fact, where there is one."""
        fixed = self._read(values, 0)
        tokens, language = self._begin(values, fixed, [self._times.none])
        return {**fixed, self._generate.spec.tokens: np.array([tokens], dtype=np.int64)}, language

    def _begin(
        self, values: NamedValues, fixed: Mapping[str, Array], last: Sequence[int]
    ) -> tuple[list[int], GenerationFacts]:
        def detect(languages: Sequence[int]) -> int:
            self._generate.loop.start(1, fixed)
            scores = self._generate.loop.step(np.array([[self._prompt.start]], dtype=np.int64))[0, -1]
            return int(languages[int(scores[list(languages)].argmax())])

        tokens, language = speech_prompt(self._prompt, call_of(values).options, detect)
        kept = [token for token in tokens if token != self._times.none]
        return [*kept, *last], {"language": language} if language else {}

    def _read(self, values: NamedValues, start: int) -> dict[str, Array]:
        """What the encoder makes of the window that begins at a frame."""
        if not start and all(name in values for name in self._generate.spec.fixed):
            return {name: values[name] for name in self._generate.spec.fixed}
        window = values[self._input]
        if start:
            part = values[self._whole][:, :, start : start + self._frames]
            # Frames that are missing at the end are 0, as the source has them, not silence.
            window = np.pad(part, ((0, 0), (0, 0), (0, self._frames - part.shape[2])))
        made = self._encode.arrays(extended(values, {self._input: window}))
        return {name: made[name] for name in self._generate.spec.fixed}

    def _pieces(self, values: NamedValues, segments: list[TextSegment]) -> Generator[str, None, GenerationFacts]:
        """The text segment by segment; fills `segments` as it goes."""
        facts: GenerationFacts = {"tokens": [], "ended_by": "end of the recording"}
        begun = False
        for start, window in self._windows(values, facts):
            for segment in window:
                words = [token for token in segment.tokens if token < self._times.first]
                text = self._generate.tokenizer.decode(words, skip_special_tokens=True)
                offset = start * FRAME_SECONDS
                times = [round(offset + time * TOKEN_SECONDS, 2) for time in (segment.start, segment.end)]
                segments.append({"start": times[0], "end": times[1], "text": text.strip()})
                facts["tokens"].extend(segment.tokens)
                shown = text if begun else text.lstrip()
                begun |= bool(shown)
                yield shown
        return facts | {"segments": segments}

    def _windows(self, values: NamedValues, facts: GenerationFacts) -> Iterator[tuple[int, list[Segment]]]:
        """The segments of each window, with the frame that it begins at."""
        options = call_of(values).options
        settings = self._generate.settings.changed(
            {name: options[name] for name in OPTIONS if options.get(name) is not None}
        )
        if settings.stop:
            raise SampleError("Stop texts work for recordings of one window only; this recording has several.")
        if settings.do_sample and settings.seed is None:
            settings = replace(settings, seed=int(np.random.SeedSequence().generate_state(1)[0]))
        total = values[self._whole].shape[2]
        start, fixed = 0, self._read(values, 0)
        prompt, language = self._begin(values, fixed, [])
        facts.update(language)
        if settings.do_sample and settings.seed is not None:
            facts["seed"] = settings.seed
        length = settings.max_length or self._generate.max_length
        while start < total:
            # As the source does it: the limit does not count the prompt, and grows by it with each window.
            length = min(length + len(prompt), self._generate.max_length)
            limit = min(settings.max_new_tokens or length - len(prompt), self._generate.max_length - len(prompt))
            facts["limit"] = limit
            frames = min(total - start, self._frames)
            tokens = self._tokens(fixed, prompt, settings, limit, (settings.seed or 0) + start)
            found, heard = segments_of(tokens, self._times, frames)
            yield start, found
            start += heard
            fixed = self._read(values, start) if start < total else {}

    def _tokens(
        self, fixed: Mapping[str, Array], prompt: list[int], settings: GenerationSettings, limit: int, seed: int
    ) -> list[int]:
        self._generate.loop.start(1, fixed)
        if settings.num_beams > 1:
            ends = frozenset(settings.eos_token_ids)
            (made,) = beam_search(
                self._generate.loop, [prompt], settings, limit, lambda _, tokens: tokens[-1] in ends, self._rules
            )
        else:
            stream = TokenStream(self._generate.loop, [prompt], settings, limit, seed, self._rules)
            made = tuple(row[0] for row in stream if row[0] is not None)
        return list(made[:-1] if made and made[-1] in settings.eos_token_ids else made)
