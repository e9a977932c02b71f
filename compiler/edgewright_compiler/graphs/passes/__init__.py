"""Everything that edits a graph: one pass a file or two, all under the contract of `contract.py`."""
