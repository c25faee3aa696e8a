"""Proof that clauses are carried: their worked examples, run on the real product, and coverage."""
