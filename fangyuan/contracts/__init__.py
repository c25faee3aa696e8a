"""What is offered to a customer and agreed on: solutions, quotes, negotiations, points at issue."""
