"""From a candidate to better ones: what each part of a graph costs and hurts, and the engines that follow from it."""
