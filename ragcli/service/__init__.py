"""Services behind a network: where they are, whose key they are shown, how long one waits for them."""
