"""The core room: names, money, spans, tables."""
