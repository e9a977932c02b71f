"""What a recogniser's generation settings say of languages, tasks and times, as the step `transcribe` takes it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from edgewright_compiler.checkpoints.checkpoint import OFFLINE, Checkpoint
from edgewright_runtime.generation.speech_prompt import SpeechPromptSpec, language_code
from edgewright_runtime.generation.timestamps import TimestampSpec
from edgewright_targets import InputError
from edgewright_targets.installed import needs
from edgewright_targets.record import write_record

# Settings of long recordings that the step does not have: a second try at another temperature, leaving out what is
# judged to be silence, and words of the window before in the prompt.
_UNKNOWN = ("compression_ratio_threshold", "logprob_threshold", "no_speech_threshold", "condition_on_prev_tokens")
_FIRST_TIME = "<|0.00|>"


def transcript_settings(checkpoint: Checkpoint) -> dict[str, object] | None:
    """`prompt`, `timestamps` and `timed` of the step; None for a model that has no tokens of time.

    Raises:
        InputError: A setting cannot be reproduced.
    """
    if not (checkpoint.folder / "generation_config.json").is_file():
        return None
    with needs("compiler"):
        from transformers import AutoTokenizer, GenerationConfig
    config = checkpoint.loaded(lambda: GenerationConfig.from_pretrained(checkpoint.folder, local_files_only=True))
    settings = config.to_dict()
    none, end = settings.get("no_timestamps_token_id"), settings.get("eos_token_id")
    if none is None or not isinstance(end, int):
        return None
    tokens = int(checkpoint.config.get("vocab_size") or 0)
    positions = int(checkpoint.config.get("max_source_positions") or 0)
    tokenizer: Any = checkpoint.loaded(lambda: AutoTokenizer.from_pretrained(checkpoint.folder, **OFFLINE))
    # A token for each position of a window and one more; older tokenizers do not name them.
    named = tokenizer.convert_ids_to_tokens(none + 1) if none + 1 < len(tokenizer) else _FIRST_TIME
    if tokens - none - 1 <= positions or named != _FIRST_TIME:
        return None
    for name in _UNKNOWN:
        if settings.get(name) not in (None, False):
            raise InputError(
                f"'{checkpoint.folder}': its generation settings have {name} = {settings[name]!r}, which the runtime "
                "does not support.",
                hint="Remove the setting from generation_config.json to build without it.",
            )
    times = TimestampSpec(int(none), end, settings.get("max_initial_timestamp_index"))
    return {
        "prompt": write_record(_prompt(settings, checkpoint.config)),
        "timestamps": write_record(times),
        "timed": bool(settings.get("return_timestamps")),
    }


def _prompt(settings: dict[str, Any], config: dict[str, Any]) -> SpeechPromptSpec:
    forced = settings.get("forced_decoder_ids") or config.get("forced_decoder_ids") or []
    spec = SpeechPromptSpec(
        start=int(settings["decoder_start_token_id"]),
        # Pairs of a position and its token, from position 1 on.
        forced=tuple(token for _, token in forced),
        language=language_code(settings["language"]) if settings.get("language") else None,
        task=settings.get("task"),
    )
    languages = settings.get("lang_to_id")
    if not languages or settings.get("is_multilingual") is False:
        return spec
    from transformers.models.whisper.tokenization_whisper import TO_LANGUAGE_CODE

    codes = {language_code(name): int(token) for name, token in languages.items()}
    return replace(
        spec,
        languages=codes,
        names={name: code for name, code in TO_LANGUAGE_CODE.items() if code in codes},
        tasks={str(name): int(token) for name, token in (settings.get("task_to_id") or {}).items()},
    )
