"""Bugs planted in a copy of the engine, one at a time; each must make a named fast test fail."""
