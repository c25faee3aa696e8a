"""Supervision: inspections, what they find, notices to put it right, incidents."""
