"""What a build cannot do without the device: engines made, compared and timed there.

from edgewright_compiler.finish import finish

finish("detector.ortpackage")
"""

from edgewright_compiler.finish.on_device import finish

__all__ = ["finish"]
