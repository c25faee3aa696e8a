"""Metrics: four kinds of declaration and one way to measure them."""
