"""Text that people mark up by hand: the structure stands in the lines themselves."""
