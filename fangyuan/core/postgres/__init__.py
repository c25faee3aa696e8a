"""PostgreSQL as Django knows it, with prepared statements and a health check that asks nothing."""
