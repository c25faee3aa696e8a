"""Products, prices and sales materials: what is sold, for how much, and what is said about it."""
