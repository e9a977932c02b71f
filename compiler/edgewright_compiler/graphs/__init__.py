"""Graphs as they are read, edited, quantized and given fixed shapes."""
