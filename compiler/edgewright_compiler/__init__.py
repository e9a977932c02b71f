"""From a source to a package: export, quantize, measure, choose, assemble; and the command line.

Nothing is imported here: the command line lies below this package, and `edgewright run` must start on a device that
has neither the meter nor a compiler. Begin at `edgewright_compiler.build`.
"""
