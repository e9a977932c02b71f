"""From a source to a package: export, quantize, measure, choose, assemble; and the command line."""

from edgewright_compiler.build import Built, build
from edgewright_compiler.job import BuildOptions

__all__ = ["BuildOptions", "Built", "build"]
