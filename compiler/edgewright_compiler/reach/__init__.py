"""What can be run from this machine for a target, how, and how far the evidence goes."""
