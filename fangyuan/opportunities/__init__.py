"""What a customer may buy: so far the needs that they said."""
