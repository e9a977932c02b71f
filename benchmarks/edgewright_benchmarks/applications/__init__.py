"""Applications measured as a whole: end-to-end accuracy and latency, and what each step takes of it."""
