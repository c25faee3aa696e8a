"""Pages and display."""
