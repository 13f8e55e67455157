"""Results as people and scripts read them; the only room that knows rich."""
