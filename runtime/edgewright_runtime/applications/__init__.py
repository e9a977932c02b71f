"""Applications: several models as one, by declared steps that say which value feeds which model.

from edgewright_runtime.applications import load_application

with load_application("assistant.ortpackage") as assistant:
    assistant("turn_on_the_lights.wav")     # {'transcript': 'turn on the lights', 'intent': [...], ...}
"""

from edgewright_runtime.applications.application import Application, load_application

__all__ = ["Application", "load_application"]
