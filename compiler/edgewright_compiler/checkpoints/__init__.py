"""Hugging Face checkpoint folders: configuration, weights, heads and how they generate."""
