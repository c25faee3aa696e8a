"""The rule engine a second time, in plain Python by another author, to check the real one against.

Nothing here is imported by the product; only `loading`, `laying` and the comparison import it.
Many more histories: `FY_HISTORIES=20000 make test ARGS=tests/oracle/test_agreement.py` (other seeds
by FY_SEED, worlds in one pass by FY_BATCH, Hypothesis' examples by FY_EXAMPLES).
"""
