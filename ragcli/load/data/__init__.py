"""Rows, records and trees of values."""
