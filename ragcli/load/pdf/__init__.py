"""PDF: from glyphs on pages back to running text."""
