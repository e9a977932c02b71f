"""How exporters call the graphs of one model, each a file of its own: optimum, and repositories of the hub."""

# A whole model of one graph. Its quantized forms have other names beside this one: model_quantized, model_q4.
WHOLE = "model"
ENCODER = "encoder_model"
# The decoder for the first token, which has no caches yet, and for all others.
FIRST, NEXT = "decoder_model", "decoder_with_past_model"
DECODERS = (FIRST, NEXT, "decoder_model_merged")
GRAPHS = (WHOLE, ENCODER, *DECODERS)
