"""What each address answers; the list of them is in `edgewright_serving.app`."""
