"""REST API of every record type, from its desk: list, read, create, change, remove, verbs.

It says nothing that a page would not say to the same person, and writes through the door alone.
"""
