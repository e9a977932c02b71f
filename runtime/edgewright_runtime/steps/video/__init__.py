"""Steps for videos, whose frames go through the steps of images."""
