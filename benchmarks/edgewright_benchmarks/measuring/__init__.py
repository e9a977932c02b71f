"""Readings: predictions and times of engines, before anything is judged."""
