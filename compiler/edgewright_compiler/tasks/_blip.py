"""BLIP's models that write, in the form of an encoder and a decoder: their own `forward` does not generate.

Their `generate` reads the image (and the question) once and hands what it found to a text decoder. The module here does
the same, in the shape that `encoder_decoder_graphs` asks for.
"""

from __future__ import annotations

import copy
from typing import Any

# Inputs of the question's part. Their names differ from the decoder's own: padding there does not concern the decoder.
QUESTION = {"question_ids": "input_ids", "question_mask": "attention_mask"}


# Tokens that transformers makes at most where nothing says how many.
_DEFAULT_TOKENS = 20


def limit_answer(settings: Any) -> None:
    """Set transformers' own limit where a `GenerationConfig` has none."""
    if settings.max_length is None and settings.max_new_tokens is None:
        settings.max_new_tokens = _DEFAULT_TOKENS


def writing_part(model: Any) -> Any:
    """A BLIP as a module with `get_encoder`, and a `forward` that takes its answer and the decoder's tokens."""
    import torch
    from transformers.modeling_outputs import BaseModelOutput

    text = model.config.text_config
    settings = copy.deepcopy(model.text_decoder.generation_config)
    # What its `generate` passes on, whatever the decoder's own settings say.
    settings.eos_token_id, settings.pad_token_id = text.sep_token_id, text.pad_token_id
    settings.decoder_start_token_id = text.bos_token_id
    if hasattr(model, "text_encoder"):
        settings.decoder_start_token_id = model.decoder_start_token_id
    limit_answer(settings)

    class Writing(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model, self.config, self.generation_config = model, text, settings

        def get_encoder(self) -> Any:
            return self._read

        def _read(self, pixel_values: Any, question_ids: Any = None, question_mask: Any = None) -> Any:
            seen = model.vision_model(pixel_values=pixel_values)[0]
            if question_ids is None:
                return BaseModelOutput(last_hidden_state=seen)
            asked = model.text_encoder(input_ids=question_ids, attention_mask=question_mask, encoder_hidden_states=seen)
            return BaseModelOutput(last_hidden_state=asked[0])

        def forward(
            self,
            decoder_input_ids: Any,
            encoder_outputs: Any = None,
            past_key_values: Any = None,
            use_cache: Any = None,
            **feeds: Any,
        ) -> Any:
            read = self._read(**feeds) if encoder_outputs is None else encoder_outputs
            return model.text_decoder(
                input_ids=decoder_input_ids,
                encoder_hidden_states=read[0],
                past_key_values=past_key_values,
                use_cache=use_cache,
                is_decoder=True,
            )

    return Writing().eval()
