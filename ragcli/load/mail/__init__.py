"""Letters and boxes of letters."""
