"""Revising a regulation: its draft, how that would have fared on the past, how it comes into force.

`drafts` says what a draft holds, `revising` writes it and brings it into force; `replay` tries it
on the past, `tried` counts what came of it, `replays` runs that as jobs.
"""
