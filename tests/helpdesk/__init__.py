"""A help desk with a record type of its own: an app that is installed in these tests only."""
