"""The rule engine a second time, in plain Python by another author, to check the real one against.

Nothing here is imported by the product, and nothing here imports the product but the loaders.
"""
