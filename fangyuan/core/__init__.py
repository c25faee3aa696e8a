"""The bottom room: record base, event log, calendar, words. It knows no business word."""
