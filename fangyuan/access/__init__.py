"""Who may do what to which rows: one table, six row sets, closed by default."""
