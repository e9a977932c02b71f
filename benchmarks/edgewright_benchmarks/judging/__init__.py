"""Readings compared with the float baseline and the budget."""
