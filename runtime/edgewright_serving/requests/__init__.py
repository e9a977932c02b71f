"""From a request to the input of a package, from its output to a response, and what is refused on the way."""
