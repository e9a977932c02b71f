"""Intervals, bounds and the stability of a run."""
