"""Build files: TOML that says what a build is, so that it can be done again; see `docs/builds.md`."""
