"""Pages and what is made of them."""
