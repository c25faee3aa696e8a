"""Clauses run here: rules are compiled to SQL, settled into obligations, explained and replayed."""
