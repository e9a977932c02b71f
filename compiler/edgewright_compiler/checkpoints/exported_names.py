"""How exporters call the graphs of one model, each a file of its own: optimum, and repositories of the hub."""

# A whole model of one graph. Its quantized forms have other names beside this one: model_quantized, model_q4.
WHOLE = "model"
ENCODER = "encoder_model"
# The decoder for the first token, which has no caches yet, and for all others.
FIRST, NEXT = "decoder_model", "decoder_with_past_model"
# Both in one graph, and its input that chooses: whether there are caches.
MERGED, SWITCH = "decoder_model_merged", "use_cache_branch"
# A decoder's input of tokens.
TOKENS = "input_ids"
DECODERS = (FIRST, NEXT, MERGED)
# SAM: what reads a picture, and what makes masks of it.
PROMPTED = ("vision_encoder", "prompt_encoder_mask_decoder")
GRAPHS = (WHOLE, ENCODER, *DECODERS, *PROMPTED)
# Graphs that an encoder-decoder is built from: those of one of these lines.
ENCODER_DECODERS = ((ENCODER, FIRST, NEXT), (ENCODER, MERGED))
