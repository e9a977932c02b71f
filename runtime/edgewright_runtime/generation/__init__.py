"""Generation: a graph in a loop that continues a sequence of tokens, its caches kept on the provider's side.

loop.py           runs the graph step by step with the state that it carries
scores.py         what settings do to the scores of the next token
sampling.py       greedy decoding and sampling
beams.py          beam search
pieces.py         tokens to text as they come
settings.py       what a source or a caller may set
timestamps.py     times among the tokens of a transcript
speech_prompt.py  the language and the task of a transcript
"""
