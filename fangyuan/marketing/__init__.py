"""What brings leads in: campaigns."""
