"""Steps for texts: token ids, what graphs of language models give, and graphs in a loop that continue a text."""
