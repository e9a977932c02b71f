"""Packages by name, loaded when they are first asked, each with a thread of its own."""
