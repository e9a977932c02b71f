"""Groups of nodes that no quantizer takes blindly: what is in them, found from operators, shapes and constants alone.

Names of nodes are not looked at: each exporter has its own. To look changes nothing in a graph, so these are no passes.
"""
