"""Drafts, replays and versions."""
