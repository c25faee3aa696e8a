"""The faces every record type shares: list, page, form, board, API, import, export; notes."""
