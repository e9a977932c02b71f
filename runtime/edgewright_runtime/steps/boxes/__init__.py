"""Steps from the outputs of a detector's graph to boxes."""
