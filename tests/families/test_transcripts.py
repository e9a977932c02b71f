"""Long recordings, times, languages and tasks of a tiny Whisper: token for token what transformers makes of them."""

import importlib
import json
import shutil
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

import tiny_speech
from command import Command
from edgewright_cli.streams import printable
from edgewright_compiler.checkpoints.checkpoint import Checkpoint, read_config
from edgewright_compiler.processors.audio import CheckpointAudio
from edgewright_compiler.tasks._transcripts import transcript_settings
from edgewright_runtime import Model, SampleError, load
from edgewright_runtime.errors import AudioWarning
from edgewright_runtime.generation.speech_prompt import SpeechPromptSpec, speech_prompt
from edgewright_runtime.generation.timestamps import Segment, TimestampSpec, segments_of, timestamp_rule
from edgewright_runtime.probe import Probe
from edgewright_targets import InputError

ENGINE = "tiny-cpu-fp32"
# Thirteen seconds, of which the model hears two at a time.
LONG = np.concatenate([tiny_speech.sound(index) for index in range(16)])
SHORT = tiny_speech.sound(3)


@pytest.fixture(scope="module")
def model(built_whisper: Path) -> Iterator[Model]:
    with load(built_whisper, engine=ENGINE) as model:
        yield model


class Source:
    """What transformers makes of audio at the model's rate."""

    def __init__(self, checkpoint: Path) -> None:
        transformers: Any = importlib.import_module("transformers")
        self.extractor = transformers.AutoFeatureExtractor.from_pretrained(checkpoint)
        self.tokenizer = transformers.AutoTokenizer.from_pretrained(checkpoint)
        self.network = transformers.WhisperForConditionalGeneration.from_pretrained(checkpoint).eval()
        self.none = self.network.generation_config.no_timestamps_token_id

    def generate(self, audio: Any, **options: Any) -> Any:
        import torch

        long = len(audio) > self.extractor.n_samples
        whole = {"truncation": False, "padding": "longest"} if long else {}
        made = self.extractor(
            audio, sampling_rate=tiny_speech.RATE, return_tensors="pt", return_attention_mask=True, **whole
        )
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return self.network.generate(made.input_features, attention_mask=made.attention_mask, **options)

    def words(self, tokens: Any) -> str:
        return str(self.tokenizer.decode([t for t in tokens.tolist() if t <= self.none], skip_special_tokens=True))

    def segments(self, audio: Any, **options: Any) -> list[dict[str, Any]]:
        found = self.generate(audio, return_timestamps=True, return_segments=True, **options)["segments"][0]
        return [
            {
                "start": round(float(one["start"]), 2),
                "end": round(float(one["end"]), 2),
                "text": self.words(one["tokens"]).strip(),
                "tokens": one["tokens"].tolist(),
            }
            for one in found
        ]


@pytest.fixture(scope="module")
def source(tiny_whisper: Path) -> Source:
    return Source(tiny_whisper)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"language": "de", "task": "translate"},
        {"language": "French"},
        {"num_beams": 2, "language": "en"},
        {"max_new_tokens": 6, "task": "transcribe"},
    ],
)
@pytest.mark.parametrize("audio", [LONG, SHORT], ids=["long", "short"])
def test_segments_and_their_tokens_are_the_sources(
    audio: Any, options: dict[str, Any], model: Model, source: Source
) -> None:
    theirs = source.segments(audio, **options)
    values = model.run(audio, timestamps=True, **options)
    tokens = [token for one in theirs for token in one.pop("tokens")]
    assert values["generation"]["tokens"] == tokens
    assert values["segments"] == values["text"]["segments"] == theirs
    assert values["generation"]["ended_by"] == "end of the recording"
    if audio is LONG:
        assert len(theirs) > 8
        assert [one["start"] for one in theirs] == sorted(one["start"] for one in theirs)


@pytest.mark.parametrize("options", [{}, {"language": "<|de|>"}, {"language": "fr", "task": "translate"}])
def test_tokens_without_times_are_the_sources(
    options: dict[str, Any], model: Model, source: Source, tiny_whisper: Path
) -> None:
    options = options | {"suppress_tokens": tiny_speech.no_times(tiny_whisper)}
    (theirs,) = source.generate(SHORT, **options).tolist()
    made = model.run(SHORT, **options)["generation"]
    end = source.network.generation_config.eos_token_id
    assert [token for token in made["tokens"] if token != end] == [token for token in theirs if token != end]
    if "language" in options:
        assert made["language"] == options["language"].strip("<|>")


def test_the_language_is_detected_as_the_source_does(model: Model, source: Source) -> None:
    names = {token: name for name, token in source.network.generation_config.lang_to_id.items()}
    found = set()
    for index in range(12):
        audio = np.pad(tiny_speech.sound(index), (0, 100 * index))
        features = source.extractor(audio, sampling_rate=tiny_speech.RATE, return_tensors="pt").input_features
        theirs = names[int(source.network.detect_language(features)[0])].strip("<|>")
        assert model.run(audio, max_new_tokens=1)["generation"]["language"] == theirs
        found.add(theirs)
    assert found <= set(tiny_speech.LANGUAGES)


def test_a_long_recording_is_written_whole_and_streams_segment_by_segment(model: Model, source: Source) -> None:
    text = model(LONG)
    theirs = source.generate(LONG, return_timestamps=True)[0]
    parts = [source.words(np.array(one["tokens"])) for one in source.segments(LONG)]
    assert text == "".join(parts).lstrip()
    assert [token for token in theirs.tolist() if token != source.none] == model.run(LONG)["generation"]["tokens"]
    stream = model.stream(LONG)
    first = next(stream)
    assert len(stream.segments) == 1
    pieces = [first, *stream]
    assert "".join(pieces) == text
    assert len(pieces) == len(stream.segments) == len(parts)
    assert stream.facts["language"] in tiny_speech.LANGUAGES


def test_what_engines_are_compared_on_is_the_first_window_as_the_source_has_it(
    model: Model, source: Source, tiny_whisper: Path
) -> None:
    processor = CheckpointAudio(Checkpoint(tiny_whisper, read_config(tiny_whisper), ()), windows=True)
    for audio in (SHORT, LONG):
        theirs = processor.feeds(audio)["input_features"]
        mine = Probe(model).feeds(audio, "encoder")["input_features"]
        assert mine.shape == theirs.shape == (1, 80, 100 * tiny_speech.WHISPER_SECONDS)
        assert np.abs(mine - theirs).max() < 1e-4
        assert Probe(model).values_for_comparison(audio)["text"] == model(audio)


def test_several_at_once_are_answered_as_one_by_one(model: Model) -> None:
    batch = [SHORT, LONG, tiny_speech.sound(5)]
    assert model(batch, batch_size=3) == [model(audio) for audio in batch]
    shorts = [SHORT, tiny_speech.sound(5)]
    assert model(shorts, batch_size=2, language="de") == [model(audio, language="de") for audio in shorts]


def test_without_times_the_first_window_is_heard_and_that_is_said(model: Model) -> None:
    with pytest.warns(AudioWarning, match="takes 2 seconds; the rest was left out"):
        text = model(LONG, timestamps=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert model(SHORT, timestamps=False) == model(SHORT)
    assert model(LONG).startswith(text) is False


def test_what_a_call_cannot_have_is_refused(model: Model) -> None:
    with pytest.raises(SampleError, match="'xx', which this model does not have") as caught:
        model(SHORT, language="xx")
    assert caught.value.hint == "It has: de, en, fr."
    with pytest.raises(SampleError, match="option task is 'summarise'"):
        model(SHORT, task="summarise")
    with pytest.raises(SampleError, match="Stop texts work"):
        model(LONG, stop=["a"])
    with pytest.raises(SampleError, match="timestamps is 'yes'"):
        model(SHORT, timestamps="yes")


def test_the_command_line_shows_times(built_whisper: Path, model: Model, command: Command, tmp_path: Path) -> None:
    file = tmp_path / "talk.wav"
    soundfile.write(file, LONG, tiny_speech.RATE, subtype="FLOAT")
    expected = model(LONG, timestamps=True, language="de")
    asked = ("run", built_whisper, file, "--engine", ENGINE, "--timestamps", "--language", "de")
    outcome = command(*asked)
    assert outcome.code == 0, outcome.err
    lines = [f"[{one['start']:.2f} -> {one['end']:.2f}]  {one['text']}" for one in expected["segments"]]
    assert outcome.out.split("\n")[0] == printable(lines[0]).split("\n")[0]
    assert outcome.out.rstrip("\n") == printable("\n".join(lines)).rstrip("\n")
    assert "ended by the end of the recording, language de" in outcome.err
    (answer,) = json.loads(command(*asked, "--json").out)["answers"]
    assert answer["segments"] == expected["segments"]
    assert answer["text"] == expected["text"]
    command.refuses("run", built_whisper, file, "--language", "xx", says=["It has: de, en, fr"])


def test_a_package_without_times_says_so(built_whisper: Path, tmp_path: Path, command: Command) -> None:
    package = Path(shutil.copytree(built_whisper, tmp_path / "untimed.ortpackage"))
    path = package / "manifest.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    pipeline = data["additional_metadata"]["edgewright"]["pipeline"]
    *before, last = pipeline["steps"]
    prompt = {"step": "prompt", "options": {"output": "decoder_input_ids", "tokens": [276, 283]}}
    encode = {"step": "infer", "options": {"component": "encoder"}}
    pipeline["steps"] = [*before, prompt, encode, {"step": "generate", "options": last["options"]["generate"]}]
    path.write_text(json.dumps(data), encoding="utf-8")
    file = tmp_path / "sounds.wav"
    soundfile.write(file, SHORT, tiny_speech.RATE)
    command.refuses("run", package, file, "--timestamps", says=["no option 'timestamps'"])


def settings_of(folder: Path, **changes: Any) -> Any:
    """What is read of the checkpoint with other generation settings."""
    path = folder / "generation_config.json"
    data = json.loads(path.read_text(encoding="utf-8")) | changes
    path.write_text(json.dumps({name: value for name, value in data.items() if value is not None}), encoding="utf-8")
    return transcript_settings(Checkpoint(folder, read_config(folder), ()))


def test_settings_are_the_checkpoints(tiny_whisper: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(tiny_whisper, tmp_path / "copy"))
    found = settings_of(copy, forced_decoder_ids=[[1, None], [2, 281]], return_timestamps=True, language="<|de|>")
    assert found["prompt"]["forced"] == [None, 281]
    assert found["prompt"]["languages"] == {"en": 277, "de": 278, "fr": 279}
    assert found["prompt"]["names"] == {"english": "en", "german": "de", "french": "fr"}
    assert (found["prompt"]["language"], found["timed"]) == ("de", True)
    assert found["timestamps"] == {"none": 283, "end": 275, "latest_first": 50}
    assert settings_of(copy, is_multilingual=False, language=None)["prompt"]["languages"] == {}
    with pytest.raises(InputError, match=r"logprob_threshold = -1.0, which the runtime does not support"):
        settings_of(copy, logprob_threshold=-1.0)
    # Tokens of words where times would be, or none at all.
    assert settings_of(copy, logprob_threshold=None, no_timestamps_token_id=200) is None
    assert settings_of(copy, no_timestamps_token_id=None) is None


def test_what_is_forced_counts_where_nothing_is_asked() -> None:
    spec = SpeechPromptSpec(
        start=5,
        forced=(None, 10),
        languages={"en": 6, "de": 7},
        names={"german": "de"},
        tasks={"transcribe": 10, "translate": 11},
    )

    def prompt(spec: SpeechPromptSpec = spec, **options: Any) -> tuple[list[int], str | None]:
        return speech_prompt(spec, options, lambda languages: languages[-1])

    assert prompt() == ([5, 7, 10], "de")
    assert prompt(language="en") == ([5, 6, 10], "en")
    assert prompt(language="German", task="translate") == ([5, 7, 11], "de")
    # As in transformers: a task alone, with the language that is detected.
    assert prompt(task="translate") == ([5, 7, 11], "de")
    assert prompt(SpeechPromptSpec(start=5, forced=(9,))) == ([5, 9], None)
    assert SpeechPromptSpec(start=5).options == ()


@pytest.mark.parametrize("latest", [None, 3])
def test_what_times_rule_out_is_what_the_source_rules_out(latest: int | None) -> None:
    import torch

    transformers: Any = importlib.import_module("transformers")
    none, end, size, prompt = 29, 20, 60, [21, 22]
    config = transformers.GenerationConfig(
        no_timestamps_token_id=none, eos_token_id=end, max_initial_timestamp_index=latest
    )
    processor = importlib.import_module("transformers.generation.logits_process").WhisperTimeStampLogitsProcessor(
        config, begin_index=len(prompt)
    )
    rule = timestamp_rule(TimestampSpec(none, end, latest))
    random = np.random.default_rng(5)
    for made in range(7):
        new = random.integers(0, end, (40, made))
        # About half of them times, none before another.
        times = np.sort(random.integers(none + 1, size, (40, made)), axis=1)
        new = np.where(random.random(new.shape) < 0.5, times, new)
        sequences = np.concatenate([np.tile(prompt, (40, 1)), new], axis=1)
        scores = random.normal(scale=3, size=(40, size)).astype(np.float32)
        theirs = processor(torch.from_numpy(sequences), torch.from_numpy(scores)).numpy()
        mine = scores.copy()
        rule(mine, sequences.tolist(), made)
        assert np.array_equal(mine, theirs)
        assert np.isinf(mine).any(axis=1).all()


def test_a_window_without_pairs_of_times_is_one_segment() -> None:
    times = TimestampSpec(none=9, end=5)
    assert segments_of([10, 1, 2], times, 200) == ([Segment(0, 100, (10, 1, 2))], 200)
    assert segments_of([12, 1, 30], times, 200) == ([Segment(0, 20, (12, 1, 30))], 200)
    assert segments_of([], times, 57) == ([Segment(0, 28, ())], 57)
    # What is after the last pair is heard again; after a single time nothing is said.
    two = [10, 1, 20, 20, 2, 30, 30, 3]
    assert segments_of(two, times, 200) == ([Segment(0, 10, (10, 1, 20)), Segment(10, 20, (20, 2, 30, 30))], 40)
    silent = [10, 1, 20, 20, 2, 30]
    assert segments_of(silent, times, 200) == ([Segment(0, 10, (10, 1, 20)), Segment(10, 20, (20, 2, 30))], 200)
    # A graph that answers nonsense does not keep a reader for ever.
    assert segments_of([10, 10], times, 200)[1] == 1
