"""Tables in and out: import with preview, checks and undo; export; templates.

Everything follows from the model of a record type. Writing goes through one deed of the door.
"""
