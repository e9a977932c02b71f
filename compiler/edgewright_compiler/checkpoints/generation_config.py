"""The source's own generation settings, and whether the runtime can do what they ask for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from edgewright_runtime.generation.settings import GenerationSettings
from edgewright_targets import InputError

# Settings that are the same here and there.
_SHARED = (
    "max_new_tokens", "min_new_tokens", "min_length", "do_sample", "temperature", "top_k", "top_p", "num_beams",
    "length_penalty", "repetition_penalty", "no_repeat_ngram_size", "forced_bos_token_id", "forced_eos_token_id",
)  # fmt: skip
# Settings that change what is generated and that the runtime does not know, with the values that change nothing.
_UNKNOWN: dict[str, tuple[Any, ...]] = {
    "constraints": (None, []),
    "diversity_penalty": (None, 0.0),
    "dola_layers": (None,),
    "encoder_no_repeat_ngram_size": (None, 0),
    "encoder_repetition_penalty": (None, 1.0),
    "epsilon_cutoff": (None, 0.0),
    "eta_cutoff": (None, 0.0),
    "exponential_decay_length_penalty": (None,),
    "force_words_ids": (None, []),
    "guidance_scale": (None, 1, 1.0),
    "max_time": (None,),
    "min_p": (None, 0.0),
    "num_beam_groups": (None, 1),
    "num_return_sequences": (None, 1),
    "penalty_alpha": (None, 0.0),
    "remove_invalid_values": (None, False),
    "renormalize_logits": (None, False),
    "sequence_bias": (None, {}, []),
    "token_healing": (None, False),
    "top_h": (None,),
    "typical_p": (None, 1.0),
    "watermarking_config": (None,),
}


def generation_settings(config: Any, pad_id: int | None, folder: Path) -> GenerationSettings:
    """The settings in transformers' `GenerationConfig`, which has read them from the folder.

    Args:
        config: The configuration; what is None there has the default of transformers.
        pad_id: The tokenizer's token for padding, for want of one in the configuration.
        folder: For messages.

    Raises:
        InputError: A setting cannot be reproduced.
    """
    values = config.to_dict()
    for name, neutral in _UNKNOWN.items():
        if values.get(name) not in neutral:
            raise InputError(
                f"'{folder}': its generation settings have {name} = {values[name]!r}, which the runtime does not "
                "support.",
                hint="Remove the setting from generation_config.json to build without it.",
            )
    known = {name: values[name] for name in _SHARED if values.get(name) is not None}
    ends = _listed(values.get("eos_token_id"))
    pads = [token for token in (values.get("pad_token_id"), pad_id, *ends, 0) if token is not None]
    early = values.get("early_stopping")
    return GenerationSettings(
        **known,
        max_length=values.get("max_length"),
        early_stopping="never" if early == "never" else "true" if early else "false",
        bad_words_ids=tuple(map(_listed, values.get("bad_words_ids") or ())),
        suppress_tokens=_listed(values.get("suppress_tokens")),
        begin_suppress_tokens=_listed(values.get("begin_suppress_tokens")),
        eos_token_ids=ends,
        pad_token_id=int(pads[0]),
        stop=tuple(values.get("stop_strings") or ()),
    )


def _listed(value: Any) -> tuple[int, ...]:
    if value is None:
        return ()
    return tuple(int(token) for token in (value if isinstance(value, list | tuple) else [value]))
