"""From a source to a package for each target: the stages of a build, in the order in which they run."""
