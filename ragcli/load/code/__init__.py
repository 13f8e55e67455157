"""Source code, cut where the language cuts it."""
