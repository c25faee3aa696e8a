"""Customers, their contacts, and the leads that become them."""
