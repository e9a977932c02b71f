"""Applications of several models: from a declared file to one package."""

from edgewright_compiler.applications.build_application import BuiltApplication, build_application, declares_application

__all__ = ["BuiltApplication", "build_application", "declares_application"]
