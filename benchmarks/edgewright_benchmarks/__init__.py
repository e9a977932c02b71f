"""The one meter: latency, memory, accuracy, statistics, comparison and reports, for the search and for people."""
