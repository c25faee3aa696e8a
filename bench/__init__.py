"""Measurements: databases of three sizes, the sweep, pages under load, imports."""
