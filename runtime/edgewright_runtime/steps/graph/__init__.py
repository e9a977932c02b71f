"""Steps of any medium: named arrays, one run of a graph, and class scores to labels."""
