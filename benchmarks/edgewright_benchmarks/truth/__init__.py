"""Ground truth of samples: how it is read from data, and its form for each kind of task."""
