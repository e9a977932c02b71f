"""The gate: two measurements, rules on their figures, and a verdict that is decided by intervals."""
