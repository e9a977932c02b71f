"""One package across versions of the device's libraries, each in an environment of its own."""
